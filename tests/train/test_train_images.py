"""Image files of every mode, size and state of health."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import time
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from netdsl.flock import lock
from netdsl.train import ExitCode, TrainError
from netdsl.train.data.images import Encoded, ImageFiles, chunks, decode
from netdsl.train.data.parallel import in_parallel
from netdsl.train.data.place import alone
from netdsl.train.data.source import Wanted
from netdsl.train.data.store import FolderStore, open_zip


def _decoded(image: Image.Image, path: Path, **options: object) -> np.ndarray:
    image.save(path, **options)
    return decode(Encoded(path.name, path.read_bytes()))


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "LA"])
def test_each_mode_becomes_rgb(
    mode: str, tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    image = picture(1, 5, 7).convert(mode)
    expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(_decoded(image, tmp_path / "a.png"), expected)


def test_cmyk_becomes_rgb(tmp_path: Path, picture: Callable[..., Image.Image]) -> None:
    image = picture(1, 5, 7).convert("CMYK")
    expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(_decoded(image, tmp_path / "a.tif"), expected)


def test_sixteen_bits_become_the_upper_eight(tmp_path: Path) -> None:
    values = np.array([[0, 255, 256], [4660, 65279, 65535]], np.uint16)
    found = _decoded(Image.fromarray(values), tmp_path / "a.png")
    assert found.tolist() == [[[0] * 3, [0] * 3, [1] * 3], [[18] * 3, [254] * 3, [255] * 3]]


def test_numbers_of_32_bits_that_eight_would_hold_are_what_they_are(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 7, 100, 255]], np.int32))
    assert image.mode == "I"
    found = _decoded(image, tmp_path / "a.tif")
    assert np.array_equal(found, np.asarray(image.convert("L").convert("RGB")))


def test_numbers_of_32_bits_above_255_are_of_16(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[-1, 256, 65535, 65536]], np.int32))
    assert _decoded(image, tmp_path / "a.tif")[0, :, 0].tolist() == [0, 1, 255, 255]


@pytest.mark.parametrize("suffix", ["tif", "png"])
def test_a_dark_image_of_16_bits_stays_dark(suffix: str, tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 100, 255]], np.uint16))
    assert _decoded(image, tmp_path / f"a.{suffix}").max() == 0


def test_a_dark_pgm_of_16_bits_stays_dark() -> None:
    pixels = np.array([0, 100, 255], ">u2").tobytes()
    assert decode(Encoded("a.pgm", b"P5 3 1 65535\n" + pixels)).max() == 0


def test_numbers_with_fractions_are_refused_by_the_name_of_their_file(tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        _decoded(Image.fromarray(np.array([[0, 0.5, 1]], np.float32)), tmp_path / "a.tif")
    assert str(caught.value) == (
        "a.tif holds numbers with fractions, and no format says which of them is white"
    )
    assert caught.value.help == "save it with whole numbers from 0 to 255, or of 16 bits"


def test_what_is_transparent_shows_white(tmp_path: Path) -> None:
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [10, 20, 30, 51]]], np.uint8)
    found = _decoded(Image.fromarray(pixels), tmp_path / "a.png")
    assert found.tolist() == [[[10, 20, 30], [255, 255, 255], [206, 208, 210]]]


def test_a_transparent_colour_of_a_palette_shows_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    found = _decoded(image, tmp_path / "a.png", transparency=bytes([255, 0]))
    assert found.tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_a_transparent_grey_level_shows_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[7, 8]], np.uint8))
    found = _decoded(image, tmp_path / "a.png", transparency=7)
    assert found.tolist() == [[[255] * 3, [8] * 3]]


def test_a_transparent_grey_level_of_16_bits_shows_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[7 * 256, 8 * 256]], np.uint16))
    found = _decoded(image, tmp_path / "a.png", transparency=7 * 256)
    assert found.tolist() == [[[255] * 3, [8] * 3]]


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_a_photo_taken_sideways_is_turned_upright(
    suffix: str, tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    image, exif = picture(1, 5, 7), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # its top is on the right
    stored = _decoded(image, tmp_path / f"a.{suffix}")
    found = _decoded(image, tmp_path / f"b.{suffix}", exif=exif)
    assert np.array_equal(found, np.rot90(stored, -1))


def test_a_photo_with_damaged_exif_is_read_without_a_word(
    tmp_path: Path, picture: Callable[..., Image.Image], recwarn: pytest.WarningsRecorder
) -> None:
    image, damaged = picture(1, 5, 7), b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(20)
    found = _decoded(image, tmp_path / "a.jpg", exif=damaged)
    assert np.array_equal(found, _decoded(image, tmp_path / "b.jpg"))
    _read(ImageFiles(FolderStore(tmp_path), ["a.jpg", "b.jpg"]))
    assert len(list(ImageFiles(FolderStore(tmp_path), ["a.jpg"]).raw(np.array([0])))) == 1
    assert not list(recwarn)


def test_a_photo_is_turned_whatever_else_its_exif_says(
    tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    image = picture(1, 5, 7)
    sideways = b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"  # orientation, a short integer: 6
    odd = b"\x1a\x01\x02\0\x03\0\0\x0072\0\0"  # a resolution, which is text and no fraction: "72"
    exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0" + sideways + odd + bytes(4)
    found = _decoded(image, tmp_path / "a.jpg", exif=exif)
    assert np.array_equal(found, np.rot90(_decoded(image, tmp_path / "b.jpg"), -1))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["P", "LA", "I;16"])
def test_an_image_of_any_mode_is_turned_as_pillow_does(
    mode: str, orientation: int, tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    image, exif = picture(1, 5, 7).convert("L").convert(mode), Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        turned = ImageOps.exif_transpose(opened)
    found = decode(Encoded("a", (tmp_path / "a.png").read_bytes()))
    assert np.array_equal(found, _decoded(turned, tmp_path / "b.png"))


def test_photos_are_compared_by_their_sizes_when_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 8
    Image.new("RGB", (9, 6)).save(tmp_path / "a.jpg")
    Image.new("RGB", (6, 9)).save(tmp_path / "b.jpg", exif=exif)
    pixels, _ = _read(ImageFiles(FolderStore(tmp_path), ["a.jpg", "b.jpg"]))
    assert pixels.shape == (2, 6, 9, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"not an image", "x.png is not an image"), (b"", "x.png is not an image")],
)
def test_what_is_no_image_names_its_file(content: bytes, message: str) -> None:
    with pytest.raises(TrainError) as caught:
        decode(Encoded("x.png", content))
    assert str(caught.value) == message


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".tif", ".webp"])
def test_an_image_cut_short_names_its_file(
    suffix: str, tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    path = tmp_path / f"a{suffix}"
    picture(1).save(path)
    with pytest.raises(TrainError, match=rf"^a\{suffix} is (not an|a broken) image"):
        decode(Encoded(path.name, path.read_bytes()[:300]))


AS_THEY_ARE = Wanted()


def _read(files: ImageFiles, wanted: Wanted = AS_THEY_ARE) -> tuple[np.ndarray, dict[int, str]]:
    blocks = list(files.blocks(np.arange(len(files.names)), wanted))
    bad = {place: fact for block in blocks for place, fact in block.bad.items()}
    return np.concatenate([block.pixels for block in blocks if len(block.pixels)]), bad


def test_two_processes_read_what_one_reads(tmp_path: Path, save: Callable[..., None]) -> None:
    names = [f"{number}.png" for number in range(600)]
    for number, name in enumerate(names):
        save(tmp_path / name, number, 3, 4)
    (tmp_path / "300.png").write_bytes(b"")
    store, wanted = FolderStore(tmp_path), Wanted(skip=True)
    one, bad = _read(ImageFiles(store, names, processes=1), wanted)
    two, bad_again = _read(ImageFiles(store, names, processes=2), wanted)
    assert np.array_equal(one, two)
    assert bad == bad_again == {300: f"{tmp_path}/300.png is not an image"}


@dataclass(frozen=True)
class Noting(FolderStore):
    """A folder that notes which of its files were read."""

    reads: list[str] = field(default_factory=list)

    def read(self, name: str) -> bytes:
        self.reads.append(name)
        return super().read(name)


@pytest.mark.parametrize("how", ["blocks", "raw"])
def test_few_large_files_are_in_memory_before_the_first_is_taken(
    how: str, tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    picture(1, 600, 600).save(tmp_path / "a.bmp")  # 1.08 MB, so four exceed 4 MB
    store = Noting(tmp_path)
    files, chosen = ImageFiles(store, ["a.bmp"] * 60, processes=2), np.arange(60)
    found = files.blocks(chosen, Wanted((3, 4, 4))) if how == "blocks" else files.raw(chosen)
    next(found)
    in_flight = 2 * 2 + 1  # chunks
    assert len(store.reads) <= 4 * in_flight
    assert sum(1 for _ in found) + 1 == {"blocks": 15, "raw": 60}[how]
    assert len(store.reads) == 60


def _killed_while_it_decodes(file: Path) -> None:
    with alone(file):
        results = in_parallel(abs, range(50), 50, processes=2)
        next(results)
        os.kill(os.getpid(), signal.SIGKILL)


def test_processes_end_with_the_one_that_they_decode_for(tmp_path: Path) -> None:
    forked = multiprocessing.get_context("fork")
    process = forked.Process(target=_killed_while_it_decodes, args=(tmp_path / "lock",))
    with warnings.catch_warnings(action="ignore"):  # of forking beside threads
        process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with (tmp_path / "lock").open("wb") as file:
        until = time.monotonic() + 20
        while not lock(file.fileno()):  # which they were forked with
            assert time.monotonic() < until
            time.sleep(0.1)


def test_a_process_that_is_killed_is_told_as_a_lack_of_memory() -> None:
    with pytest.raises(TrainError) as caught:
        list(in_parallel(_killed, range(50), 50, processes=2))
    assert str(caught.value) == "one of 2 processes that decode images was killed"
    assert caught.value.help is not None
    assert caught.value.help.startswith("most likely the machine ran out of memory: ")
    assert caught.value.exit_code == ExitCode.MEMORY


def _killed(number: int) -> int:
    if number == 30:
        os._exit(9)
    return number


def test_a_chunk_ends_after_256_files_or_4_mb() -> None:
    small, large = Encoded("a", b""), Encoded("b", bytes(2**21))
    files = [*[small] * 255, "unreadable", small, large, large, large, small]
    assert [len(chunk) for chunk in chunks(files)] == [256, 4, 1]
    assert [file for chunk in chunks(files) for file in chunk] == files


def test_chunks_of_any_size_come_to_the_same_images(
    tmp_path: Path, save: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = _broken(tmp_path, save)
    files = ImageFiles(FolderStore(tmp_path), names)
    for wanted in (Wanted(skip=True), Wanted((1, 4, 4), skip=True)):
        monkeypatch.undo()
        together, bad = _read(files, wanted)
        monkeypatch.setattr("netdsl.train.data.images._BYTES", 0)
        one_by_one, bad_again = _read(files, wanted)
        assert np.array_equal(together, one_by_one)
        assert (len(bad), bad) == (30, bad_again)


@pytest.mark.parametrize("processes", [1, 2])
def test_unequal_sizes_name_two_files(
    processes: int, tmp_path: Path, save: Callable[..., None]
) -> None:
    save(tmp_path / "a.png", 1, 6, 9)
    save(tmp_path / "b.png", 2, 9, 6)
    with pytest.raises(TrainError) as caught:
        _read(ImageFiles(FolderStore(tmp_path), ["a.png", "b.png"], processes))
    assert str(caught.value) == f"{tmp_path}/b.png is 9×6, but {tmp_path}/a.png is 6×9"
    assert caught.value.help == "bring all images to one size, or have it done: give their `shape`"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        _read(ImageFiles(FolderStore(tmp_path), ["a.png"]))
    assert str(caught.value) == f"cannot read {tmp_path}/a.png: No such file or directory"


def _broken(folder: Path, save: Callable[..., None]) -> list[str]:
    """Thirty broken files among ten good ones: empty, cut short at any byte, texts, noise."""
    random = np.random.default_rng(0)
    for number in range(10):
        save(folder / f"good{number}.png", number, 6, 9)
    whole = {suffix: io.BytesIO() for suffix in ("png", "jpeg", "gif", "bmp", "tiff")}
    for suffix, content in whole.items():
        Image.fromarray(random.integers(0, 256, (6, 9, 3), np.uint8)).save(content, suffix)
        for part in (0.1, 0.3, 0.5, 0.6):
            cut = content.getvalue()[: int(len(content.getvalue()) * part)]
            (folder / f"cut{int(10 * part)}.{suffix}").write_bytes(cut)
    for number in range(5):
        (folder / f"noise{number}.jpg").write_bytes(random.bytes(100 * number))
        (folder / f"text{number}.png").write_text("<html>not found</html>" * number)
    return sorted(path.name for path in folder.iterdir())


def test_thirty_broken_files_are_counted_and_left_out(
    tmp_path: Path, save: Callable[..., None]
) -> None:
    names = _broken(tmp_path, save)
    pixels, bad = _read(ImageFiles(FolderStore(tmp_path), names), Wanted(skip=True))
    assert (len(pixels), len(bad)) == (10, 30)
    assert all(str(tmp_path / names[place]) in fact for place, fact in bad.items())
    assert [place for place in range(40) if place not in bad] == [
        place for place, name in enumerate(names) if name.startswith("good")
    ]


def test_each_of_them_is_an_error_that_names_it(tmp_path: Path, save: Callable[..., None]) -> None:
    for name in _broken(tmp_path, save):
        if not name.startswith("good"):
            with pytest.raises(TrainError, match=name):
                _read(ImageFiles(FolderStore(tmp_path), [name]))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK", "1", "LA"])
def test_images_are_brought_to_a_shape(
    mode: str, tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    image = picture(1, 20, 40).convert(mode)
    image.save(tmp_path / "a.tif")
    middle = (10, 0, 30, 20)
    expected = image.convert("RGB").resize((5, 5), Image.Resampling.BILINEAR, middle)
    found = decode(Encoded("a.tif", (tmp_path / "a.tif").read_bytes()), (3, 5, 5))
    assert np.array_equal(found, np.asarray(expected))
    grey = decode(Encoded("a.tif", (tmp_path / "a.tif").read_bytes()), (1, 5, 5))
    assert grey.shape == (5, 5, 1)


def test_images_of_two_channels_are_not_to_be_had() -> None:
    with pytest.raises(TrainError) as caught:
        Wanted((2, 5, 5))
    assert str(caught.value) == "images have 1 or 3 channels, but 2 are wanted"


def test_a_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netdsl.train.data.store.MOST_BYTES", 2**20)
    (tmp_path / "a.png").write_bytes(bytes(2**20 + 1))
    with pytest.raises(TrainError, match=r"a\.png holds more than 1 MiB$"):
        FolderStore(tmp_path).read("a.png")


@pytest.mark.parametrize("size", [2**16 - 1, 2**16, 2**16 + 1, 2**17 + 3])
def test_a_file_is_read_whole_however_long_it_is(size: int, tmp_path: Path) -> None:
    content = bytes(i % 251 for i in range(size))
    (tmp_path / "a.png").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", content)
    assert FolderStore(tmp_path).read("a.png") == content
    assert open_zip(tmp_path / "a.zip").read("a.png") == content
