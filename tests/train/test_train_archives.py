"""Archives: what is hostile or broken is refused, and nothing of it is ever outside."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import resource
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from netdsl.train import ExitCode, TrainError
from netdsl.train.data.archive import Archive, extract
from netdsl.train.data.download import check_hash

ZIP = Archive("d.zip", 0, "", (), "d", r"\w+\.(?:txt|JPEG)|images/\w+\.JPEG", 20, 5_000)
TAR = replace(ZIP, name="d.tar.gz")


def _zip(path: Path, names: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in names.items():
            archive.writestr(name, content)


def _tar(path: Path, *members: tarfile.TarInfo, content: bytes = b"") -> None:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content))


def _info(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def _climbs(path: Path) -> None:
    _zip(path, {"d/a.txt": b"a", "d/images/../../../evil.JPEG": b"x"})


def _is_absolute(path: Path) -> None:
    _zip(path, {"d/a.txt": b"a", str(path.parent / "evil.txt"): b"x"})


def _climbs_in_windows(path: Path) -> None:
    _zip(path, {"d/a.txt": b"a", "d/..\\..\\evil.JPEG": b"x"})


def _is_a_zipped_symlink(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("d/a.txt")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")


def _is_a_symlink(path: Path) -> None:
    _tar(path, _info("d/a.txt"), _info("d/b.txt", tarfile.SYMTYPE, "/etc/passwd"))


def _writes_through_a_symlink(path: Path) -> None:
    outside = str(path.parent / "outside")
    _tar(path, _info("d/images", tarfile.SYMTYPE, outside), _info("d/images/evil.JPEG"))


def _is_a_hardlink(path: Path) -> None:
    _tar(path, _info("d/a.txt"), _info("d/b.txt", tarfile.LNKTYPE, "../../outside/secret"))


def _is_a_device(path: Path) -> None:
    _tar(path, _info("d/a.txt", tarfile.FIFOTYPE))


def _is_a_bomb(path: Path) -> None:
    _zip(path, {"d/a.txt": bytes(10_000_000)})


def _is_a_tarred_bomb(path: Path) -> None:
    _tar(path, _info("d/a.txt"), content=bytes(10_000_000))


def _has_a_name_of_a_gigabyte(path: Path) -> None:
    info = _info("d/" + "a" * 30_000_000 + ".txt")
    with gzip.open(path, "wb", 1) as file:
        file.write(info.tobuf(tarfile.PAX_FORMAT))


def _has_a_million_members(path: Path) -> None:
    block = _info("d/images", tarfile.DIRTYPE).tobuf()
    with gzip.open(path, "wb", 1) as file:
        for _ in range(100):
            file.write(block * 10_000)


def _has_more_members_than_known(path: Path) -> None:
    _zip(path, {f"d/a{number}.txt": b"" for number in range(1000)})


def _holds_something_else(path: Path) -> None:
    _zip(path, {"d/a.txt": b"a", "d/setup.py": b"import os"})


def _holds_a_file_twice(path: Path) -> None:
    _tar(path, _info("d/a.txt"), _info("d/a.txt"))


def _is_cut_short(path: Path) -> None:
    _tar(path, *(_info(f"d/a{number}.txt") for number in range(9)), content=os.urandom(500))
    path.write_bytes(path.read_bytes()[:-400])


def _is_a_zip_cut_short(path: Path) -> None:
    _zip(path, {"d/a.txt": os.urandom(3000)})
    path.write_bytes(path.read_bytes()[:2000])


def _is_damaged(path: Path) -> None:
    _zip(path, {"d/a.txt": b"hello" * 100})
    content = bytearray(path.read_bytes())
    content[45] ^= 255
    path.write_bytes(content)


def _is_a_web_page(path: Path) -> None:
    path.write_text("\n<!DOCTYPE html><title>302 Found</title>")


def _is_empty(path: Path) -> None:
    _zip(path, {})


@pytest.mark.parametrize(
    ("archive", "make", "fact"),
    [
        (ZIP, _climbs, "'d/images/../../../evil.JPEG' is none of the files of d.zip"),
        (ZIP, _is_absolute, "is none of the files of d.zip"),
        (ZIP, _climbs_in_windows, "evil.JPEG' is none of the files of d.zip"),
        (ZIP, _is_a_zipped_symlink, "'d/a.txt' is no ordinary file"),
        (TAR, _is_a_symlink, "'d/b.txt' is no ordinary file"),
        (TAR, _writes_through_a_symlink, "'d/images' is no ordinary file"),
        (TAR, _is_a_hardlink, "'d/b.txt' is no ordinary file"),
        (TAR, _is_a_device, "'d/a.txt' is no ordinary file"),
        (ZIP, _is_a_bomb, "it unpacks to more bytes than were published"),
        (TAR, _is_a_tarred_bomb, "it unpacks to more bytes than were published"),
        (TAR, _has_a_name_of_a_gigabyte, "it unpacks to more bytes than were published"),
        (TAR, _has_a_million_members, "it unpacks to more bytes than were published"),
        (ZIP, _has_more_members_than_known, "it holds more than 20 files"),
        (ZIP, _holds_something_else, "'d/setup.py' is none of the files of d.zip"),
        (TAR, _holds_a_file_twice, "it holds a file twice"),
        (TAR, _is_cut_short, "it is cut short or damaged"),
        (ZIP, _is_a_zip_cut_short, "it is cut short or damaged"),
        (ZIP, _is_damaged, "it is cut short or damaged"),
        (ZIP, _is_a_web_page, "it is a web page, not an archive"),
        (TAR, _is_a_web_page, "it is a web page, not an archive"),
        (ZIP, _is_empty, "is an archive of nothing"),
    ],
)  # fmt: skip
def test_a_hostile_archive_is_refused_and_leaves_nothing(
    archive: Archive, make: Callable[[Path], None], fact: str, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    path = tmp_path / archive.name
    make(path)
    before = _tree(tmp_path)
    with pytest.raises(TrainError) as caught:
        extract(path, archive, tmp_path / "data", lambda done, total: None)
    assert fact in str(caught.value)
    assert (caught.value.exit_code, len(str(caught.value)) < 250) == (ExitCode.DATA, True)
    assert _tree(tmp_path) == before | {tmp_path / "data": b""}


def _tree(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


@pytest.mark.parametrize("archive", [ZIP, TAR])
def test_an_archive_becomes_a_folder(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / archive.name
    names = {"d/a.txt": b"hello", "d/images/b.JPEG": b"hello"}
    if archive is ZIP:
        _zip(path, {"d/": b"", **names})
    else:
        _tar(path, _info("./d", tarfile.DIRTYPE), *map(_info, names), content=b"hello")
    told: list[tuple[int, int]] = []
    folder = extract(path, archive, tmp_path / "data", lambda *done: told.append(done))
    assert (folder, _tree(folder)) == (
        tmp_path / "data" / "d",
        {folder / "a.txt": b"hello", folder / "images": b"", folder / "images/b.JPEG": b"hello"},
    )
    assert told == [(5, 5_000), (10, 5_000)]


@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_folder_of_that_name_is_left_as_it_is(tmp_path: Path, meanwhile: bool) -> None:
    def own(*told: int) -> None:
        (tmp_path / "d").mkdir(exist_ok=True)
        (tmp_path / "d" / "my-notes.txt").write_text("mine")

    told = own if meanwhile else lambda done, total: pytest.fail("something was unpacked")
    if not meanwhile:
        own()
    _zip(tmp_path / "d.zip", {"d/a.txt": b"new"})
    with pytest.raises(TrainError) as caught:
        extract(tmp_path / "d.zip", ZIP, tmp_path, told)
    fact = f"{tmp_path}/d is there already, and does not hold what d.zip does"
    assert (str(caught.value), caught.value.exit_code) == (fact, ExitCode.IO)
    assert caught.value.help == "move it away, or delete it if nobody needs it"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "d.zip"]
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["my-notes.txt"]


def test_a_disk_that_fills_while_an_archive_is_unpacked_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk."""
    _zip(tmp_path / "d.zip", {"d/a.txt": b"small", "d/b.txt": bytes(2_000_000)})
    large = replace(ZIP, most_bytes=10**7)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        with pytest.raises(TrainError) as caught:
            extract(tmp_path / "d.zip", large, tmp_path / "data", lambda done, total: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == f"cannot unpack {tmp_path}/d.zip: File too large"
    assert caught.value.exit_code == ExitCode.IO
    assert list((tmp_path / "data").iterdir()) == []


def test_the_hash_is_checked_before_anything_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "mine.zip"
    _zip(path, {"d/a.txt": b"hello"})
    size, right = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
    check_hash(path, replace(ZIP, size=size, sha256=right))
    for archive, fact in (
        (replace(ZIP, size=size, sha256="0" * 64), "its sha256 is another one"),
        (replace(ZIP, size=9 * size, sha256="0" * 64), f"it has {size} bytes of {9 * size:,}"),
    ):
        with pytest.raises(TrainError) as caught:
            check_hash(path, archive)
        assert str(caught.value) == f"{path} is not d.zip as it was published: {fact}"


def test_a_web_page_that_was_saved_as_an_archive_is_called_one(tmp_path: Path) -> None:
    _is_a_web_page(tmp_path / "mine.zip")
    with pytest.raises(TrainError) as caught:
        check_hash(tmp_path / "mine.zip", replace(ZIP, size=10**6, sha256="0" * 64))
    assert str(caught.value).endswith("is not d.zip as it was published: it is a web page")
