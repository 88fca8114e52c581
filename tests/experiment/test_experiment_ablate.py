"""A network to its changes: each makes another network, and reaches what layers say themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from netdsl.api import parse
from netdsl.cli.ablate import command
from netdsl.cli.main import group as netdsl
from netdsl.experiment.ablate import Ablation, ablate, changed
from netdsl.network import Network
from netdsl.ops.regularise import Dropout
from netdsl.train import TrainError

TEXT = """default BB(dropout=0.5)  default Norm(groups=8)
k = 1
scale wide(k=2 width=1.5)
Conv 16 norm=group
BB 32 pre dropout=0.3 shortcut=pad
BB 32  (Dropout 0.2)x2
Res shortcut=project ( BB 64*k s2 order=relu_pre )
Norm group  Act  GAP  FC 10
"""


def network(text: str = TEXT, scale: str | None = None) -> Network:
    return parse(text, input=(3, 16, 16), scale=scale)


def of(found: Ablation, base: Network, words: str) -> Network:
    (change,) = (one for one in found.changes if one.words == words)
    return changed(base, change)


def ops(one: Network) -> set[str]:
    return {type(node.op).__name__ for node in one.checked}


def test_every_change_makes_another_network_that_differs_from_all_others() -> None:
    base = network()
    found = ablate(base)
    words = [one.words for one in found.changes]
    assert words == [
        "shortcuts off", "shortcut pad", "shortcut avgpad", "shortcut project",
        "shortcut avgproject", "shortcut always", "shortcut identity",
        "norm off", "dropout off", "order original", "order bn_after_add", "order relu_before_add",
        "order relu_pre", "order pre", "half width",
    ]  # fmt: skip
    assert found.left_out == ()
    assert len({changed(base, one).source() for one in found.changes} | {base.source()}) == 16


def test_a_change_reaches_what_layers_say_themselves() -> None:
    base = network()
    found = ablate(base)
    assert Dropout.__name__ in ops(base)
    assert Dropout.__name__ not in ops(of(found, base, "dropout off"))
    assert "Normalization" not in ops(of(found, base, "norm off"))
    shapes = [n.shape.channels for n in of(found, base, "half width").checked if n.name == "conv1"]
    assert shapes == [8]


def test_half_width_is_half_of_what_a_scale_makes() -> None:
    base = network(scale="wide")
    half = of(ablate(base), base, "half width")
    channels = {
        name: next(n.shape.channels for n in net.checked if n.name == "conv1")
        for name, net in (("wide", base), ("half", half))
    }
    assert channels == {"wide": 24, "half": 16}  # 12, rounded to a multiple of 8
    assert half.params < base.params


def test_the_width_of_a_scale_may_be_reckoned() -> None:
    text = "input 3x8x8 scale s(width=0.5*0.5) Conv 64 Conv 64 GAP FC 10"
    base = parse(text, scale="s")
    assert [n.shape.channels for n in base.checked if n.name == "conv1"] == [16]
    half = of(ablate(base), base, "half width")
    assert [n.shape.channels for n in half.checked if n.name == "conv1"] == [8]


@pytest.mark.parametrize(
    ("text", "words", "left_out"),
    [
        ("Conv 4 GAP FC 10", ["norm off"], "half width: 322 parameters are no fewer"),
        ("norm none Conv 64 GAP FC 10", ["half width"], "norm off: the same as the network itself"),
    ],
)
def test_what_changes_nothing_is_left_out_and_said(
    text: str, words: list[str], left_out: str
) -> None:
    found = ablate(network(text))
    assert [one.words for one in found.changes] == words
    assert left_out in found.left_out


def test_stochastic_depth_can_be_switched_off() -> None:
    base = network("drop_path 0.5 Conv 8 (BB 8)x2 GAP FC 10")
    assert "StochasticDepth" in ops(base)
    assert "StochasticDepth" not in ops(of(ablate(base), base, "stochastic depth off"))


def test_shortcuts_off_says_that_stochastic_depth_goes_with_them() -> None:
    base = network("drop_path 0.5 Conv 8 (BB 8)x2 GAP FC 10")
    found = ablate(base)
    assert [one.words for one in found.changes if one.plain] == [
        "shortcuts and stochastic depth off"
    ]
    off = of(found, base, "shortcuts and stochastic depth off")
    assert not {"ShortcutAdd", "StochasticDepth"} & ops(off)


def test_a_folder_of_images_tells_input_and_classes(tmp_path: Path) -> None:
    for name in ("cat", "dog", "eel"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (12, 10)).save(tmp_path / "images" / name / f"{number}.png")
    (tmp_path / "net.arch").write_text("Conv 8 BB 16 GAP FC classes")
    arguments = [str(tmp_path / "net.arch"), "--data", str(tmp_path / "images"), "--list"]
    done = CliRunner().invoke(command, arguments)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "shortcuts off"), done.output


@pytest.mark.parametrize("command", ["compare", "ablate"])
def test_a_named_data_set_goes_before_a_folder_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    (tmp_path / "n.arch").write_text("input 1x8x8\nConv 4  BB 4  GAP  FC classes\n")
    words = [command, "n.arch", "--data", "digits", "--limit", "40", "--name", "x", "--print-jobs"]
    done = CliRunner().invoke(netdsl, words)
    assert done.exit_code == 0, done.output
    assert 'data = "digits"\n' in (tmp_path / "experiments/x/experiment.toml").read_text()


@pytest.mark.parametrize("command", ["compare", "ablate"])
def test_a_network_on_standard_input_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(netdsl, [command, "-", "--data", "digits"])
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (
        2, "Error: `-` is read once, and every training of a comparison reads its network: "
        "put it into a file",
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["compare", "ablate"])
@pytest.mark.parametrize("options", [("--name", "../evil"), ("--budget", "foo=1")])
def test_what_is_unsound_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, options: tuple[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = CliRunner().invoke(netdsl, [command, "digits", "--data", "digits", *options])
    assert isinstance(done.exception, TrainError), done.output
    assert sorted(tmp_path.rglob("*")) == before


REFUSED = {
    "no such network": ["compare", "nosuch.arch"],
    "one network twice": ["compare", "n.arch", "n.arch"],
    "a seed": ["compare", "n.arch", "--set", "seed=3"],
    "a row of compare": ["compare", "n.arch", "--only", "nope"],
    "a setting that cannot be": ["compare", "n.arch", "--set", "lr=-1"],
    "a row of ablate": ["ablate", "n.arch", "--only", "nope"],
    "options that exclude each other": ["ablate", "n.arch", "--print-jobs", "--retry"],
    "images of another shape": ["compare", "n.arch", "net1"],
}  # fmt: skip


def kept(folder: Path) -> dict[str, bytes | None]:
    """Return what a folder holds, by its name there."""
    found = sorted(folder.rglob("*"))
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in found}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_written_before_the_plan_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    net = tmp_path / "n.arch"
    net.write_text("input 1x8x8\nConv 4  BB 4 dropout=0.1  GAP  FC classes\n")
    common = ["--data", "digits", "--limit", "40", "--seeds", "1"]
    before = kept(tmp_path)
    done = CliRunner().invoke(netdsl, [*REFUSED[name], *common])
    assert done.exit_code, done.output
    assert kept(tmp_path) == before
    first = [REFUSED[name][0], "n.arch", *common, "--name", "x", "--print-jobs"]
    assert CliRunner().invoke(netdsl, first).exit_code == 0
    net.write_text("input 1x8x8\nConv 8  BB 8 dropout=0.1  GAP  FC classes\n")
    before = kept(tmp_path)
    done = CliRunner().invoke(netdsl, [*REFUSED[name], *common, "--name", "x"])
    assert done.exit_code, done.output
    assert "now" not in done.stderr
    assert kept(tmp_path) == before


@pytest.mark.parametrize("command", ["compare", "ablate"])
def test_a_recipe_is_found_by_the_path_of_a_file_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.arch").write_text("input 1x8x8\nConv 4  BB 4  GAP  FC classes\n")
    (tmp_path / "mine").mkdir()
    recipe = tmp_path / "mine" / "slow"
    recipe.write_text("[train]\nlr = 0.001\n")
    words = [command, "n.arch", "--data", "digits", "--limit", "40", "--seeds", "1"]
    done = CliRunner().invoke(netdsl, [*words, "--recipe", "mine/slow", "--print-jobs"])
    assert done.exit_code == 0, done.output
    assert f"--recipe {recipe.resolve()} " in done.stdout.splitlines()[0]


def test_a_seed_of_a_comparison_is_refused_with_the_option_for_it() -> None:
    done = CliRunner().invoke(netdsl, ["compare", "digits", "--set", "seed=3"])
    assert "--seeds says how many trainings of each network, from seed 0 on" in done.output


def test_what_somebody_changed_is_kept_and_what_is_not_cut_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["compare", "digits", "--data", "digits", "--name", "x", "--print-jobs"]
    assert CliRunner().invoke(netdsl, words).stderr == ""
    path = Path("experiments/x/experiment.toml")
    assert CliRunner().invoke(netdsl, words).stderr == ""
    mine = path.read_text() + "# mine\n"
    path.write_text(mine)
    done = CliRunner().invoke(netdsl, [*words, "--budget", "epochs=1"])
    assert done.stderr.splitlines() == [
        f"{path} was another: that is in experiment.before.toml now",
        f"{path} is not cut: who runs the folder gives --budget epochs=1 again",
    ]
    assert path.with_name("experiment.before.toml").read_text() == mine


def test_changed_texts_are_written_and_planned_in_a_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "input 1x8x8\nConv 4  BB 4 dropout=0.1  GAP  FC classes\n"
    (tmp_path / "n.arch").write_text(text)
    words = [
        "ablate",
        "n.arch",
        "--data",
        "digits",
        "--limit",
        "40",
        "--epochs",
        "1",
        "--seeds",
        "1",
    ]
    for _ in range(2):  # a second time in its own folder
        done = CliRunner().invoke(netdsl, [*words, "--print-jobs"])
        assert done.exit_code == 0, done.output
        assert len(done.stdout.splitlines()) > 5
    assert (tmp_path / "experiments" / "ablate-n" / "networks" / "dropout-off.arch").is_file()


def test_a_change_takes_the_place_of_what_is_typed_with_blanks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.arch").write_text("input 1x8x8\nConv 4  BB 8  GAP  FC classes\n")
    words = ["ablate", "n.arch", "--data", "digits", "--limit", "40", "--seeds", "1"]
    done = [
        CliRunner().invoke(netdsl, [*words, "-D", text, "--name", "x", "--print-jobs"])
        for text in ("shortcut=project", " shortcut = project ")
    ]
    assert done[0].exit_code == 0, done[0].output
    assert done[1].stdout == done[0].stdout


def test_a_folder_behind_a_link_takes_changed_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.arch").write_text("input 1x8x8\nConv 4  BB 4 dropout=0.1  GAP  FC classes\n")
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    words = ["ablate", "n.arch", "--data", "digits", "--limit", "40", "--dir", "link/x"]
    done = CliRunner().invoke(netdsl, [*words, "--print-jobs"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "there" / "x" / "networks" / "dropout-off.arch").is_file()


def test_many_networks_are_compared_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["resnext50_32x4d", "resnext101_32x8d", "wide_resnet50_2", "wide_resnet101_2",
             "efficientnet_v2_s", "mobilenet_v3_large", "shufflenet_v2_x1_0"]  # fmt: skip
    words = ["compare", *names, "--data", "digits", "--limit", "40", "--fit", "--input", "1x64x64"]
    done = CliRunner().invoke(netdsl, [*words, "--seeds", "1", "--epochs", "1", "--print-jobs"])
    assert done.exit_code == 0, done.output
    (folder,) = (tmp_path / "experiments").iterdir()
    assert len(folder.name) <= 100
