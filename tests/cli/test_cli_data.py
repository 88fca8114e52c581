"""Data sets from the command line: brought, described, shown; and networks that they are fitted to."""

import json
import math
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from netdsl.train.data.place import alone, lock_of
from netdsl.train.data.sheet import _fitted
from tests.cli.command import Run

TINY = "Conv 4 Max 2 Res(Conv 4) GAP FC"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of images of many sizes and modes."""
    random = np.random.default_rng(0)
    for number in range(20):
        folder = tmp_path / "photos" / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (9 + number % 3, 12, 3), dtype=np.uint8)
        image = Image.fromarray(pixels).convert("L" if number == 4 else "RGB")
        image.save(folder / f"{number:02}.png")
    (tmp_path / "photos" / "dog" / "21.png").write_bytes(b"no image")
    return tmp_path


def test_the_data_sets_are_listed_with_where_they_are(run: Run) -> None:
    done = run("data", "get")
    assert done.stdout.splitlines() == [
        "digits         1x8x8      10 classes  comes along",
        "shapes         3x32x32    10 classes  any shape and classes, made when asked for",
        "cifar10        3x32x32    10 classes  170 MB to download",
        "cifar100       3x32x32   100 classes  169 MB to download",
        "tiny-imagenet  3x64x64   200 classes  248 MB to download",
    ]


def test_decoded_images_are_told_and_cleared(
    run: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("data", "clear").stdout == "removed 0 folders of decoded images, 0.0 MB\n"
    monkeypatch.setattr("netdsl.train.data.images._WORTH_KEEPING", 1000)
    skip = ("--on-bad-image", "skip")
    assert run("data", "show", "photos", "--input", "3x60x50", *skip).returncode == 0
    place = tmp_path / "netdsl-data" / "decoded"
    told = f"1 folder of decoded images, 0.2 MB: {place}; `netdsl data clear` removes them"
    assert run("data", "get").stdout.splitlines()[-1] == told
    done = run("data", "clear", "--unused", "2.5")
    assert (done.returncode, done.stdout, done.stderr) == (
        0, "removed 0 folders of decoded images, 0.0 MB; 1 folder used since then\n", "",
    )  # fmt: skip
    (folder,) = (path for path in place.iterdir() if path.is_dir())
    with alone(lock_of(folder)):
        done = run("data", "clear")
    assert (done.stdout, done.stderr) == (
        "removed 0 folders of decoded images, 0.0 MB\n", f"{folder} is being made, and stays\n",
    )  # fmt: skip
    assert run("data", "clear").stdout == "removed 1 folder of decoded images, 0.2 MB\n"
    assert not folder.exists()
    assert run("data", "get").stdout.splitlines()[-1].startswith("tiny-imagenet ")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["get", "cifar"], 2, "error: no data set is called cifar\n  = help: did you mean cifar10?\n"),
        (["get", "digits"], 2, "error: digits needs no download\n"),
        (["get", "--from", "a.tgz"], 2,
         "Error: --from is the archive of one data set: say which, by its NAME\n"),
        (["get", "cifar10", "--from", "gone.tar.gz"], 3, "error: gone.tar.gz is not a file\n"),
        (["get", "cifar100"], 3,
         "downloading cifar-100-binary.tar.gz, 169 MB, to {place}\n"
         "error: cannot download cifar-100-binary.tar.gz (169 MB): 127.0.0.1:9: no answer\n"
         "  = help: bring https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz to this machine "
         "another way and give `netdsl data get` its path with --from\n"),
        (["info", "cifar10"], 3,
         "error: cifar10 is not in {place}\n"
         "  = help: `netdsl data get cifar10` downloads cifar-10-binary.tar.gz (170 MB), or takes "
         "one that you have: --from cifar-10-binary.tar.gz\n"),
        (["show", "digits", "-o", "a.jpg"], 2, "`a.jpg` must end in .png\n"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said(
    run: Run, arguments: list[str], code: int, message: str, tmp_path: Path
) -> None:
    done = run("data", *arguments)
    expected = message.replace("{place}", str(tmp_path / "netdsl-data"))
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.endswith(expected), done.stderr


def test_an_archive_of_what_is_there_already_changes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "netdsl-data").mkdir()
    (tmp_path / "netdsl-data" / "tiny-imagenet-200.zip").touch()
    done = run("data", "get", "tiny-imagenet", "--from", "gone.zip")
    assert (done.returncode, done.stderr) == (
        0, "--from changes nothing: tiny-imagenet is there already\n",
    )  # fmt: skip


def test_a_file_of_something_else_is_no_data_set(run: Run, tmp_path: Path) -> None:
    (tmp_path / "junk.txt").touch()
    done = run("data", "get", "tiny-imagenet", "--data-dir", "junk.txt")
    assert (done.returncode, done.stdout, done.stderr) == (
        3, "", "error: junk.txt is not tiny-imagenet\n  = help: --data-dir names the folder that "
        "holds it, tiny-imagenet-200, or tiny-imagenet-200.zip\n",
    )  # fmt: skip


def test_an_archive_of_another_hash_is_refused(run: Run, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "mine.tar.gz", "w:gz") as archive:
        archive.add(__file__, "cifar-10-batches-bin/data_batch_1.bin")
    done = run("data", "get", "cifar10", "--from", "mine.tar.gz")
    assert done.returncode == 3
    assert "mine.tar.gz is not cifar-10-binary.tar.gz as it was published" in done.stderr
    assert not (tmp_path / "netdsl-data" / "cifar-10-batches-bin").exists()


def test_a_folder_is_described(run: Run, photos: Path) -> None:
    done = run("data", "info", "photos")
    *head, mean, std, cats, dogs = done.stdout.splitlines()
    assert head == [
        "photos: 2 classes",
        "train       17 images, 8 to 9 a class",
        "      sizes 6 of 11x12, 5 of 9x12, 5 of 10x12",
        "      modes 16 of RGB",
        "      1 cannot be read; the first: photos/dog/21.png is not an image",
        "val          4 images, 2 a class",
        "      sizes 2 of 10x12, 2 of 9x12",
        "      modes 3 of RGB, 1 of L",
    ]
    assert (mean[:4], std[:3]) == ("mean", "std")
    assert (cats.split(), dogs.split()) == (["cat", "8", "2"], ["dog", "9", "2"])


def test_validation_images_that_papers_test_on_are_told(run: Run, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for split in ("train", "test"):
        for label in range(10):
            folder = tmp_path / "netdsl-data" / "cifar10" / split / f"class{label}"
            folder.mkdir(parents=True)
            for number in range(2):
                Image.fromarray(pixels).save(folder / f"{number}.png")
    lines = run("data", "info", "cifar10").stdout.splitlines()
    said = [line for line in lines if "published" in line]
    assert said == [
        "      the published test images: what is selected by them is selected on the test set"
    ]
    assert lines[lines.index(said[0]) - 3].startswith("val ")


def test_a_description_as_json_has_true_means(run: Run, photos: Path) -> None:
    (photos / "photos" / "dog" / "21.png").unlink()
    found = json.loads(run("data", "info", "photos", "--json").stdout)
    by_class = found["splits"]["train"]["by_class"]
    assert (found["classes"], by_class) == (["cat", "dog"], {"cat": 8, "dog": 8})
    held_out = found["splits"]["val"]["images"]
    assert (found["splits"]["train"]["images"], held_out) == (16, 4)
    assert 0.45 < found["mean"][0] < 0.55
    assert 0.27 < found["std"][0] < 0.31


def test_a_sheet_is_a_picture_of_rows_and_columns(run: Run, tmp_path: Path) -> None:
    names = ("plain", "moved", "again")
    for name, augment in zip(
        names,
        ((), ("--augment", "pad_crop padding=2"), ("--augment", "pad_crop padding=2")),
        strict=True,
    ):
        done = run("data", "show", "digits", *augment, "-o", f"{name}.png", "--rows", "3",
                   "--columns", "4")  # fmt: skip
        assert done.returncode == 0, done.stderr
    sheets = [np.asarray(Image.open(tmp_path / f"{name}.png")) for name in names]
    assert sheets[0].shape == (28 + 3 * 118, 6 + 4 * 102, 3)
    assert np.array_equal(sheets[1], sheets[2])
    assert not np.array_equal(sheets[0], sheets[1])
    first = slice(28 + 16, 28 + 16 + 96), slice(6, 6 + 96)
    assert np.array_equal(sheets[0][first], sheets[1][first])


def test_a_sheet_has_room_for_its_title_and_cuts_labels_with_an_ellipsis(
    run: Run, tmp_path: Path
) -> None:
    long = "a class with a name much longer than a sheet of one column is wide"
    for name in (long, "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for n in range(8):
            Image.new("RGB", (96, 96), (0, 30 * n, 0)).save(tmp_path / "photos" / name / f"{n}.png")
    done = run("data", "show", "photos", "--augment", "none", "-o", "a.png", "--rows", "2",
               "--columns", "1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    sheet = np.asarray(Image.open(tmp_path / "a.png"))
    font = ImageFont.load_default(12)
    assert sheet.shape[1] == 12 + math.ceil(font.getlength("photos: no augmentation"))
    assert (sheet[:, -6:] == 255).all()
    cut = "a class with a name much lo"
    assert _fitted(long, int(font.getlength(f"{cut}…")) + 1, font) == f"{cut}…"
    assert _fitted(f"{cut}, {long}", int(font.getlength(f"{cut},…")) + 1, font) == f"{cut}…"
    assert _fitted("b", 1, font) == "…"


def test_a_sheet_augments_as_a_recipe_does(run: Run) -> None:
    done = run("data", "show", "shapes", "--recipe", "cifar-resnet", "-o", "a.png")
    assert done.stdout.startswith("a.png: pad_crop padding=4"), done.stderr


def test_a_sheet_shows_images_as_they_are_where_a_recipe_does_nothing(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "still.toml").write_text('about = "still"\n[train]\naugment = []\n')
    for options in (("--recipe", "still.toml"), ("--augment", "none")):
        done = run("data", "show", "shapes", *options, "-o", "a.png", "--rows", "2")
        assert done.stdout == "a.png: no augmentation\n", done.stderr


def test_a_recipe_beside_transforms_of_a_sheet_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("data", "show", "digits", "--recipe", "nosuch", "--augment", "none")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2, "Error: --augment stands in place of what --recipe says: leave one away",
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        ("digits", [
            "--holdout changes nothing: digits says itself which images validate",
            "--on-bad-image changes nothing: no image of digits can be damaged",
            "--data-dir changes nothing: digits comes along with netdsl",
        ]),
        ("photos", ["--data-dir changes nothing: photos is no name of a data set, but a folder"]),
    ],
)  # fmt: skip
def test_options_of_other_images_are_told_to_change_nothing(
    run: Run, photos: Path, data: str, facts: list[str]
) -> None:
    options = ("--holdout", "0.5", "--on-bad-image", "skip", "--data-dir", "nowhere")
    done = run("train", "-", "--data", data, *options, "--input", "3x1x1", stdin=TINY)
    assert done.stdout == ""  # images of another shape: refused before anything is trained
    assert done.stderr.splitlines()[: len(facts)] == facts


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (["info", "digits", "--holdout", "0.5", "--data-dir", "nowhere"], [
            "--holdout changes nothing: digits says itself which images validate",
            "--data-dir changes nothing: digits comes along with netdsl",
        ]),
        (["info", "photos", "--holdout", "0.5", "--data-dir", "nowhere"],
         ["--data-dir changes nothing: photos is no name of a data set, but a folder"]),
        (["show", "digits", "--data-dir", "nowhere"],
         ["--data-dir changes nothing: digits comes along with netdsl"]),
    ],
)  # fmt: skip
def test_what_changes_nothing_of_a_description_is_told(
    run: Run, photos: Path, arguments: list[str], facts: list[str]
) -> None:
    done = run("data", *arguments)
    assert (done.returncode, done.stderr.splitlines()) == (0, facts)


def test_a_sheet_mixes_images_as_a_recipe_does(run: Run, tmp_path: Path) -> None:
    mixed = 'about = "mixed"\n[train]\naugment = []\ncutmix = 1.0\n'
    (tmp_path / "mixed.toml").write_text(mixed)
    options = ("--rows", "2", "--columns", "2", "--recipe")
    done = run("data", "show", "digits", *options, "mixed.toml", "-o", "a.png")
    assert done.stdout == "a.png: cutmix 1\n", done.stderr
    sheet = np.asarray(Image.open(tmp_path / "a.png"))
    tiles = [[sheet[44 + y * 118 : 140 + y * 118, 6 + x * 102 : 102 + x * 102] for x in (0, 1)]
             for y in (0, 1)]  # fmt: skip
    for (own, shown), (other, _) in zip(tiles, reversed(tiles), strict=True):
        assert not np.array_equal(shown, own)
        assert np.array_equal(shown, np.where(shown == own, own, other))


def test_a_limit_above_the_number_of_images_is_told(run: Run, tmp_path: Path) -> None:
    options = ("--limit", "5000", "--epochs", "1", "--run-dir", "run")
    done = run("train", "digits", "--data", "digits", *options)
    told = "--limit changes nothing: there are 1,438 training images\n"
    assert (done.returncode, done.stderr) == (0, told)
    assert run("evaluate", "run").stderr == ""
    (tmp_path / "x.toml").write_text(
        'data="digits"\nlimit=5000\nseeds=2\n[[network]]\narch="digits"'
    )
    done = run("experiment", "plan", "x.toml", "--no-measure")
    assert (done.returncode, done.stderr) == (0, told.removeprefix("--"))


def test_without_data_a_network_trains_on_shapes_that_fit_it(run: Run, tmp_path: Path) -> None:
    done = run("train", "-", "--input", "2x9x12", "--limit", "64", "--epochs", "1",
               "--batch-size", "16", "--run-dir", "run", stdin=f"{TINY} 7")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == "no --data is given: training on synthetic images that fit the network\n"
    asked = json.loads((tmp_path / "run" / "settings.json").read_text())["asked"]["data"]
    assert (asked["shape"], asked["limit_classes"]) == ([2, 9, 12], 7)
    again = run("evaluate", "run", "--json")
    assert json.loads(again.stdout)["images"] == 16, again.stderr


def test_images_and_network_are_fitted_to_each_other(run: Run, photos: Path) -> None:
    arguments = ("train", "-", "--data", "photos", "--input", "1x8x8", "--epochs", "1",
                 "--batch-size", "8", "--run-dir", "run", "--on-bad-image", "skip")  # fmt: skip
    refused = run(*arguments, stdin=f"{TINY} 7")
    assert (
        refused.returncode,
        "bring all images to one size, or have it done: `--fit` to what the network takes"
        in refused.stderr,
    ) == (3, True)
    done = run(*arguments, "--fit", stdin=f"{TINY} 7")
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "photos: 1 of 21 images is left out; the first: photos/dog/21.png is not an image\n"
        "--fit: the images of photos are brought to 1x8x8 for network; "
        "its last layer gives 2, not 7\n"
    )
    again = run("evaluate", "run", "--json")
    assert json.loads(again.stdout)["images"] == 4, again.stderr


FIT_THEM = (
    "bring all images to one size, or have it done: `--fit` to what the network takes, "
    "or as `--input 3x64x64` says"
)


@pytest.mark.parametrize(
    ("command", "help"),
    [
        ("data show photos", "bring all images to one size, or have it done: `--input 3x64x64`"),
        ("train n.arch --data photos", FIT_THEM),
        ("train n.arch --data photos --fit", "say by --input which shape --fit brings them to"),
        ("compare n.arch --data photos", FIT_THEM),
        ("ablate n.arch --data photos --fit", "say by --input which shape --fit brings them to"),
        ("probe n.arch --data photos", "bring all images to one size"),
        ("experiment plan x.toml",
         "bring all images to one size, or have it done: `fit = true` in x.toml"),
    ],
)  # fmt: skip
def test_the_way_out_of_several_sizes_is_one_that_the_command_has(
    run: Run, photos: Path, command: str, help: str
) -> None:
    (photos / "photos" / "dog" / "21.png").unlink()
    (photos / "n.arch").write_text(f"{TINY} classes")
    (photos / "x.toml").write_text('data = "photos"\n[[network]]\narch = "n.arch"\n')
    done = run(*command.split())
    assert (done.returncode, done.stderr.splitlines()[-1]) == (3, f"  = help: {help}")


def test_images_of_several_sizes_are_shown_in_one(run: Run, photos: Path) -> None:
    (photos / "photos" / "dog" / "21.png").unlink()
    options = ("--augment", "none", "--rows", "1", "--columns", "2", "-o", "a.png")
    done = run("data", "show", "photos", *options, "--input", "3x20x30")
    assert (done.returncode, done.stderr) == (0, "")
    done = run("data", "show", "photos", *options, "--input", "3x0x30")
    assert (done.returncode, done.stderr) == (2, "error: no image is of 3×0×30\n")
    done = run("ablate", "-", "--data", "photos", "--fit", "--list", "-D", "input=3x8x8",
               stdin=f"{TINY} classes")  # fmt: skip
    assert (done.returncode, "norm off" in done.stdout) == (0, True), done.stderr


def test_a_folder_with_a_damaged_image_can_be_shown(run: Run, photos: Path) -> None:
    shown = ("data", "show", "photos", "--input", "3x8x8", "-o", "a.png")
    done = run(*shown)
    assert (done.returncode, "21.png is not an image" in done.stderr) == (3, True)
    done = run(*shown, "--on-bad-image", "skip")
    assert (done.returncode, "1 of 21 images is left out" in done.stderr) == (0, True), done.stderr
    assert (photos / "a.png").is_file()


def test_a_class_without_validation_images_is_told_of_before_a_training(
    run: Run, photos: Path
) -> None:
    (photos / "photos" / "eel").mkdir()
    (photos / "photos" / "cat" / "00.png").rename(photos / "photos" / "eel" / "00.png")
    words = ("train", "-", "--data", "photos", "--input", "1x8x8", "--fit", "--epochs", "1",
             "--batch-size", "8", "--on-bad-image", "skip", "--run-dir", "run")  # fmt: skip
    done = run(*words, stdin=f"{TINY} 3")
    assert (done.returncode, "photos: no validation image of eel\n" in done.stderr) == (0, True)
    assert done.stderr.count("eel") == 1


@pytest.mark.parametrize(("classes", "code", "told"), [
    (2, 0, "--fit: the images of digits are brought to 1x8x8 for network; "
           "its last layer gives 2, not 5\n"),
    (11, 2, "error: --classes is 11, but must be from 2 to 10\n"),
])  # fmt: skip
def test_a_last_layer_is_brought_to_fewer_classes_than_the_data_has(
    run: Run, classes: int, code: int, told: str
) -> None:
    done = run("train", "-", "--data", "digits", "--limit", "40", "--fit", "--epochs", "1",
               "--batch-size", "16", "--classes", str(classes), "--run-dir", "run",
               stdin=f"{TINY} 5")  # fmt: skip
    assert (done.returncode, done.stderr) == (code, told)


def test_fit_leaves_a_network_wrong_that_contradicts_itself(run: Run) -> None:
    done = run("train", "-", "--data", "digits", "--fit", "--classes", "2",
               stdin=f"classes 7 {TINY} 5")  # fmt: skip
    assert done.returncode == 2
    assert "the network gives 5 scores for 7 classes" in done.stderr


@pytest.mark.parametrize("end", ["FC 5 :5", "FC bias=off 5", "FC bias 5"])
def test_however_it_is_written_the_last_layer_tells_the_classes_of_the_data(
    run: Run, end: str
) -> None:
    done = run("train", "-", "--data", "digits", "--limit", "40", "--fit", "--epochs", "1",
               "--batch-size", "16", "--run-dir", "run", stdin=TINY.removesuffix("FC") + end)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "its last layer gives 10, not 5\n" in done.stderr


def test_a_shipped_network_is_fitted_to_a_folder(run: Run, photos: Path) -> None:
    done = run("train", "digits", "-D", "n=1", "--data", "photos", "--fit", "--epochs", "1",
               "--batch-size", "16", "--run-dir", "run", "--on-bad-image", "skip")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (
        "the images of photos are brought to 1x8x8 for Digits; its last layer gives 2, not 10"
        in done.stderr
    )
    assert run("evaluate", "run").returncode == 0


def test_a_network_of_other_classes_is_named_with_the_data(run: Run) -> None:
    done = run("train", "-", "--data", "digits", stdin=f"{TINY} 7")
    assert (done.returncode, done.stderr) == (
        2,
        "error[E0311]: <stdin> gives 7 numbers an image, and digits has 10 classes\n"
        "  = help: end it with `FC classes`, or give --fit, which does that for a last FC\n",
    )


def test_scores_that_are_not_the_classes_asked_for_may_be_fitted(run: Run) -> None:
    asked = ("train", "-", "--data", "digits", "--classes", "5")
    done = run(*asked, stdin=f"{TINY} 10")
    assert done.returncode == 2
    assert done.stderr.startswith("error[E0310]: the network gives 10 scores for 5 classes\n")
    assert done.stderr.endswith(
        "= help: write `FC classes`, or give --fit, which does that for a last FC\n"
    )
    done = run(*asked, "--fit", "--limit", "64", "--epochs", "1", stdin=f"{TINY} 10")
    assert (done.returncode, "its last layer gives 5, not 10" in done.stderr) == (0, True)


def test_a_network_of_one_number_tells_no_classes(run: Run) -> None:
    for options, told in (
        ((), "<stdin> gives 1 number an image, a number a class\n"
             "  = help: let its last layer tell 2 classes or more\n"),
        (("--data", "digits"), "<stdin> gives 1 number an image, and digits has 10 classes\n"
         "  = help: end it with `FC classes`, or give --fit, which does that for a last FC\n"),
    ):  # fmt: skip
        done = run("train", "-", *options, "--limit", "64", stdin="input 1x8x8 Conv 4 GAP FC 1")
        assert (done.returncode, done.stderr.endswith(f"error[E0311]: {told}")) == (2, True)


def test_a_map_is_no_network_for_shapes(run: Run) -> None:
    done = run("train", "-", "--input", "3x8x8", stdin="Conv 4")
    assert (done.returncode, "<stdin> gives 4x8x8 numbers an image" in done.stderr) == (2, True)


@pytest.mark.parametrize("data", [("--data", "digits"), ()])
def test_a_map_of_scores_is_to_be_flattened(run: Run, data: tuple[str]) -> None:
    text = "input 1x8x8 classes 10 Conv 8 Conv classes 1x1 GAP"  # as Network in Network ends
    done = run("train", "-", *data, stdin=text)
    assert "<stdin> gives 10x1x1 numbers an image" in done.stderr
    assert done.stderr.endswith("  = help: end it with `Flatten`\n")
    assert run("train", "-", *data, "--plan", stdin=f"{text} Flatten").returncode == 0


def test_a_folder_named_by_mistake_gets_no_download(run: Run, tmp_path: Path) -> None:
    done = run("train", "net1", "--data", "tiny-imagenet", "--data-dir", "slip")
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        3,
        "error: tiny-imagenet is not in slip",
    )
    assert not (tmp_path / "slip").exists()


@pytest.mark.parametrize(
    ("options", "image"),
    [
        ((), "3x32x32"),
        (("--data", "digits"), "1x8x8"),
        (("--data", "digits", "--fit"), "1x8x8"),
        (("--data", "photos", "--fit"), "3x64x64"),
    ],
)
def test_a_network_of_vectors_is_refused_before_an_image_is_read(
    run: Run, options: tuple[str, ...], image: str
) -> None:
    done = run("train", "-", *options, "--plan", stdin="input 64 FC 32 FC 10")
    assert (done.returncode, done.stderr.splitlines()[-2:]) == (2, [
        "error[E0311]: <stdin> takes vectors of 64 numbers, and data sets are of images",
        f"  = help: an image is channels, height and width, as in `input {image}`",
    ])  # fmt: skip
