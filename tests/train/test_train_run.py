"""The folder of a run: made, refused, read back, its figures drawn."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pickle
import re
import threading
import traceback
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from netdsl.train import ExitCode, Row, RunFolder, Settings, TrainError
from netdsl.train.curves import draw_curves
from netdsl.train.files import has_process, only_process
from netdsl.train.metrics import read_rows, write_rows, write_speed
from netdsl.train.run import new_folder

ROWS = (
    Row(1, 0.1, 4.5, 2.3, 0.125, 0.25, 2.2, 0.2, 0.5, 900.0, 1.5, 2**31),
    Row(2, 1e-07, 1 / 7, 0.1 + 0.2, 1 / 3, 0.5, 0.7, 2 / 3, 1.0, 950.4, 1.25, 2**32),
)
TABLES = ("metrics.csv", "speed.csv")


def test_runs_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs = [RunFolder.create("Conv 8", Settings(), {}, name=name) for name in ("a", "a", "b")]
    assert [str(run.path) for run in runs] == ["runs/a-1", "runs/a-2", "runs/b-1"]


def test_two_that_look_for_a_new_folder_do_not_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [str(new_folder("r")) for _ in range(2)] == ["runs/r-1", "runs/r-2"]


def test_a_run_is_read_back(tmp_path: Path) -> None:
    settings, asked = Settings(epochs=3), {"arch": "net1", "plain": True, "n": 9}
    RunFolder.create("Conv 8  # ⊕\n", settings, asked, path=tmp_path / "deep" / "run")
    run = RunFolder.open(tmp_path / "deep" / "run")
    assert (run.network, run.settings, run.asked) == ("Conv 8  # ⊕\n", settings, asked)


def test_an_empty_folder_may_become_a_run(tmp_path: Path) -> None:
    assert RunFolder.create("", Settings(), {}, path=tmp_path).path == tmp_path


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(TrainError) as caught:
        RunFolder.create("", Settings(), {}, path=tmp_path)
    assert str(caught.value) == f"{tmp_path} is not empty"
    assert caught.value.help == "name another folder for the run"


def test_what_json_cannot_hold_is_refused_before_there_is_a_folder(tmp_path: Path) -> None:
    asked = {"scale": None, "overrides": {"lr": Fraction(1, 3)}}
    with pytest.raises(TrainError) as caught:
        RunFolder.create("", Settings(), asked, path=tmp_path / "run")
    assert str(caught.value) == (
        "a run keeps what was asked as JSON, which cannot hold overrides: "
        "Object of type Fraction is not JSON serializable"
    )
    assert not (tmp_path / "run").exists()


def test_what_is_no_folder_becomes_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    for path in (tmp_path / "file", tmp_path / "link", Path("/dev/null")):
        with pytest.raises(TrainError) as caught:
            RunFolder.create("", Settings(), {}, path=path)
        assert str(caught.value) == f"{path} is no folder"
        assert caught.value.help == "name another folder for the run"


@pytest.mark.parametrize(
    ("files", "help"),
    [
        (("notes.txt",), "name another folder for the run"),
        (("resume.pt",), "go on with the run in it, as it was begun, by --resume auto, unless "
         "another process trains there now, or name another folder for the run"),
        (("last.safetensors", "metrics.csv"), "go on with the run in it, as it was begun, by "
         "--resume auto, unless another process trains there now, or name another folder for the run"),
        (("last.safetensors", "metrics.csv", "summary.json"),
         "the run in it is finished: name another folder for the run"),
        (("summary.json",), "the run in it is finished: name another folder for the run"),
    ],
)  # fmt: skip
def test_a_folder_with_a_run_in_it_says_what_helps(
    files: tuple[str, ...], help: str, tmp_path: Path
) -> None:
    RunFolder.create("Conv 8", Settings(), {}, path=tmp_path)
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(TrainError) as caught:
        RunFolder.create("Conv 8", Settings(), {}, path=tmp_path)
    assert (caught.value.help, caught.value.exit_code) == (help, ExitCode.IO)


def test_a_run_of_which_nothing_was_stored_is_begun_anew(tmp_path: Path) -> None:
    RunFolder.create("Conv 8", Settings(epochs=3), {}, path=tmp_path)
    run = RunFolder.create("Conv 9", Settings(epochs=5), {}, path=tmp_path)
    assert (run.network, run.settings.epochs) == ("Conv 9", 5)


def test_a_run_that_another_process_is_at_is_not_begun_anew(tmp_path: Path) -> None:
    run = RunFolder.create("Conv 8", Settings(), {}, path=tmp_path)
    with only_process(tmp_path), pytest.raises(TrainError) as caught:
        RunFolder.create("Conv 9", Settings(), {}, path=tmp_path)
    assert str(caught.value) == f"another process trains in {tmp_path}"
    assert run.network == "Conv 8"


def test_a_run_that_another_process_has_trained_meanwhile_is_not_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder.create("Conv 8", Settings(), {}, path=tmp_path)
    monkeypatch.setattr("netdsl.train.run.commit", lambda: run.checkpoint.write_bytes(b""))
    with pytest.raises(TrainError) as caught:
        RunFolder.create("Conv 9", Settings(), {}, path=tmp_path)
    assert str(caught.value) == f"{tmp_path} is not empty"
    assert run.network == "Conv 8"


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        RunFolder.open(tmp_path)
    assert str(caught.value) == f"{tmp_path} is not a run: it has no network.arch"
    assert caught.value.help is None


@pytest.mark.parametrize(("stages", "more"), [(2, ""), (6, " and 2 more")])
def test_the_runs_in_a_folder_that_is_none_are_named(
    tmp_path: Path, stages: int, more: str
) -> None:
    for number in range(1, stages + 1):
        RunFolder.create("Conv 8", Settings(), {}, path=tmp_path / f"{number}-part")
    with pytest.raises(TrainError) as caught:
        RunFolder.open(tmp_path)
    assert str(caught.value) == f"{tmp_path} is not a run: it has no network.arch"
    shown = ", ".join(f"{tmp_path}/{number}-part" for number in range(1, min(stages, 4) + 1))
    assert caught.value.help == f"name a run in it: {shown}{more}"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainError) as caught:
        RunFolder.create("", Settings(), {}, path=tmp_path / "file" / "run")
    assert str(caught.value) == f"cannot make {tmp_path}/file/run: Not a directory"


def test_a_traceback_ends_with_what_helps(tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        RunFolder.create(Path("net.arch"), Settings(), {}, path=tmp_path / "run")  # type: ignore[arg-type]
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):  # from another process
        assert "".join(traceback.format_exception_only(error)) == (
            "netdsl.train.errors.TrainError: a run keeps the text of its network, not a PosixPath\n"
            "  = help: give `net.standalone()`\n"
        )
    assert not hasattr(TrainError("it is so"), "__notes__")


def test_damaged_settings_are_named(tmp_path: Path) -> None:
    run = RunFolder.create("", Settings(), {}, path=tmp_path)
    (tmp_path / "settings.json").write_text('{"asked"')
    with pytest.raises(TrainError) as caught:
        _ = run.settings
    assert str(caught.value) == f"{tmp_path}/settings.json is damaged: it is no JSON object"
    (tmp_path / "settings.json").write_text('{"asked": {}}')
    with pytest.raises(TrainError) as caught:
        _ = run.settings
    assert str(caught.value) == f"{tmp_path}/settings.json is damaged: it has no settings"


def test_settings_of_another_kind_are_damage(tmp_path: Path) -> None:
    run = RunFolder.create("", Settings(), {}, path=tmp_path)
    record = json.loads((tmp_path / "settings.json").read_text())
    record["settings"]["lr"] = "0.01"
    (tmp_path / "settings.json").write_text(json.dumps(record))
    with pytest.raises(
        TrainError, match=r"settings\.json is damaged: lr is '0\.01', but must be a n"
    ):
        _ = run.settings


def test_settings_of_another_version_are_no_damage(tmp_path: Path) -> None:
    run = RunFolder.create("", Settings(), {}, path=tmp_path)
    record = json.loads((tmp_path / "settings.json").read_text())
    record["settings"]["ema_decay"], record["made"]["netdsl"] = 0.9, "99.0"
    (tmp_path / "settings.json").write_text(json.dumps(record))
    with pytest.raises(TrainError) as caught:
        _ = run.settings
    assert str(caught.value) == (
        f"{tmp_path}/settings.json was written by netdsl 99.0, and this is {version('netdsl')}: "
        "'ema_decay' is not a setting"
    )
    assert caught.value.help == "install netdsl 99.0 to use this run"


def test_a_run_is_named_by_a_text_or_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = RunFolder.create("Conv 8", Settings(), {}, path="r/x")
    assert RunFolder.open("r/x") == run == RunFolder(Path("r/x"))


def test_rows_come_back_as_they_were() -> None:
    assert read_rows(write_rows(ROWS), write_speed(ROWS), TABLES) == ROWS


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n", "epoch\n1\n", write_rows(ROWS) + "3,nothing\n", write_rows(ROWS) + "1" * 200_000],
    ids=["nothing", "others", "one column", "words", "a cell that is too long"],
)
def test_a_table_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(TrainError, match=r"^metrics\.csv is not a table of epochs$"):
        read_rows(text, write_speed(ROWS), TABLES)


def test_a_table_that_was_cut_is_refused_by_its_name() -> None:
    with pytest.raises(TrainError, match=r"^speed\.csv is not a table of epochs$"):
        read_rows(write_rows(ROWS), write_speed(ROWS)[:-15], TABLES)


@pytest.mark.parametrize("rows", [ROWS[:1], ROWS[::-1]])
def test_tables_of_different_epochs_are_refused(rows: tuple[Row, ...]) -> None:
    with pytest.raises(TrainError, match=r"^speed\.csv tells of other epochs than metrics\.csv$"):
        read_rows(write_rows(ROWS), write_speed(rows), TABLES)


def test_what_a_start_that_was_cut_has_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "network.arch").write_text("Conv")
    (tmp_path / ".settings.json.17.tmp").write_text("{")
    assert RunFolder.create("Conv 8", Settings(), {}, path=tmp_path).network == "Conv 8"


def test_curves_are_drawn_as_svg_and_png() -> None:
    drawn = draw_curves(ROWS, "net1 on digits")
    words = {
        text.text
        for text in ElementTree.fromstring(drawn["svg"]).iter("{http://www.w3.org/2000/svg}text")
    }
    assert {
        "net1 on digits",
        "epoch",
        "loss",
        "accuracy in %",
        "training",
        "validation",
        "training, evaluated",
    } <= words
    assert Image.open(io.BytesIO(drawn["png"])).size == (1350, 540)


def test_a_single_epoch_is_a_whole_number_in_its_curves() -> None:
    svg = draw_curves(ROWS[:1], "a")["svg"].decode()
    ticks = re.findall(r'<g id="xtick_\d+">.*?>([^<>]+)</text>', svg, re.DOTALL)
    assert ticks == ["1"] * 2


@pytest.mark.parametrize(
    ("title", "shown"), [("lr$0.1$", "lr$0.1$"), ("$\\frac$", "$\\frac$"), ("caf\udce9", "caf?")]
)
def test_the_title_of_curves_may_be_any_name_of_a_folder(title: str, shown: str) -> None:
    drawn = ElementTree.fromstring(draw_curves(ROWS, title)["svg"])
    texts = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert shown in texts


def test_the_same_rows_draw_the_same_bytes() -> None:
    assert draw_curves(ROWS[:1], "a") == draw_curves(ROWS[:1], "a")


def test_drawing_leaves_no_figure_behind() -> None:
    import sys

    draw_curves(ROWS, "a")
    assert "matplotlib.pyplot" not in sys.modules


def test_a_folder_of_runs_that_leads_nowhere_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs").symlink_to("gone", target_is_directory=True)
    with pytest.raises(TrainError, match="cannot make runs/net-1: File exists"):
        RunFolder.create("Conv 8", Settings(), {}, name="net")


def test_who_looks_whether_a_process_is_there_keeps_none_away(tmp_path: Path) -> None:
    looking = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.1, os.close, [looking]).start()
    with only_process(tmp_path):
        assert has_process(tmp_path)
    assert not has_process(tmp_path)
