"""Comparisons from the command line: what is wrong is told by keys of the file and by network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Run

FILE = """data = "digits"
set = { epochs = 1 }
[[network]]
arch = "tiny.arch"
label = "small"
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.arch"
    path.write_text("n = 1 input 1x8x8 (Conv 4)x n GAP FC classes")
    return path


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("classes = 11",
         "error[E0311]: small: {arch} tells 11 classes, and digits has 10\n"
         "  = help: give `classes = 10`, or `fit = true` to set its last layer\n"),
        ('input = "3x8x8"',
         "error[E0311]: small: {arch} takes 3x8x8 images, and those of digits are 1x8x8\n"
         '  = help: give `input = "1x8x8"`, if the network is to take these, '
         "or `fit = true` to bring them to its own\n"),
        ("classes = 11\nfit = true\nholdout = 0.3\ndata_dir = '.'",
         "holdout changes nothing: digits says itself which images validate\n"
         "data_dir changes nothing: digits comes along with netdsl\n"
         "error: x.toml, small: classes is 11, but must be from 2 to 10\n"),
        ('input = "3x8"',
         "error: x.toml, small: input: `3x8` is not a shape such as 3x64x64\n"),
        ("params = { m = 1 }", "error[E0208]: small: the file has no parameter `m`; it has n\n"),
        ("params = { n = 2.5 }",
         "error[E0206]: small: a group is repeated a whole number of times, not 2.5\n"
         "  --> {arch}:1:27\n   |\n 1 | n = 1 input 1x8x8 (Conv 4)x n GAP FC classes\n"
         "   |                           ^^^ given as `n=2.5`\n"),
    ],
)  # fmt: skip
def test_what_a_file_asks_for_is_told_by_its_keys_and_its_networks(
    run: Run, tiny: Path, said: str, told: str
) -> None:
    tiny.with_name("x.toml").write_text(f"{FILE}{said}")
    done = run("experiment", "plan", "x.toml")
    assert (done.returncode != 0, done.stderr) == (True, told.replace("{arch}", str(tiny)))


def test_a_network_of_vectors_is_told_by_its_label(run: Run, tiny: Path) -> None:
    tiny.write_text("input 64 FC 32 FC 10")
    tiny.with_name("x.toml").write_text(FILE)
    done = run("experiment", "plan", "x.toml")
    assert (done.returncode, done.stderr) == (
        2,
        f"error[E0311]: small: {tiny} takes vectors of 64 numbers, and data sets are of images\n"
        "  = help: an image is channels, height and width, as in `input 1x8x8`\n",
    )


def test_a_network_without_a_label_is_told_by_its_parameters(run: Run, tiny: Path) -> None:
    tiny.with_name("x.toml").write_text('data="digits"\n[[network]]\narch="digits"\nparams={m=1}')
    done = run("experiment", "plan", "x.toml")
    assert done.stderr == "error[E0208]: digits m=1: the file has no parameter `m`; it has n\n"


def test_a_setting_that_cannot_be_is_told_with_its_file(run: Run, tiny: Path) -> None:
    text = 'data = "digits"\nset = { epochs = 3, warmup = 3 }\n[[network]]\narch = "tiny.arch"\n'
    tiny.with_name("x.toml").write_text(text)
    done = run("experiment", "plan", "x.toml")
    assert (done.returncode, done.stderr) == (
        2,
        "error: x.toml, tiny.arch: warmup is 3, but must be less than the 3 epochs of "
        "the training\n",
    )


def test_an_option_that_was_typed_is_no_key_of_the_file(run: Run, tiny: Path) -> None:
    tiny.with_name("x.toml").write_text(FILE)
    done = run("experiment", "run", "x.toml", "--print-jobs", "--data-dir", ".")
    assert done.stderr == "--data-dir changes nothing: digits comes along with netdsl\n"


def test_two_networks_of_one_name_are_told_where_they_can_have_labels(run: Run) -> None:
    done = run("compare", "digits", "digits")
    assert (done.returncode, done.stderr) == (
        2,
        "error: 2 networks are called 'Digits'\n"
        '  = help: give each its own label in the file of an experiment, as in label = "wide"\n',
    )


def test_a_list_of_changes_is_told_what_it_does_not_need(run: Run, tiny: Path) -> None:
    idle = ("--budget", "epochs=1", "--dir", "d", "--only", "Foo", "--jobs", "3", "--print-jobs")
    done = run("ablate", "tiny.arch", "--list", *idle)
    told = [line for line in done.stderr.splitlines() if not line.startswith("left out: ")]
    assert (done.returncode, told) == (0, [
        f"{option} changes nothing: --list runs nothing"
        for option in ("--budget", "--dir", "--only", "--jobs", "--print-jobs")
    ])  # fmt: skip
    done = run("ablate", "tiny.arch", "--list", "--budget", "foo=1")
    assert (done.returncode, "error: --budget: 'foo' is not a setting\n" in done.stderr) == (
        2,
        True,
    )
