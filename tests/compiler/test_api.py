"""The Python interface, as the README shows it."""

import json
import pickle
import subprocess
import sys
import warnings
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import networkx as nx
import numpy
import pytest
import torch
from torch import nn

import netdsl
from netdsl.lower import Loader, Overrides
from netdsl.network import build
from netdsl.syntax import parse as parse_text

CHOOSES = '`--scale NAME`, in Python `scale="NAME"`,'
TEXT = "shortcut project Conv 4 BB 8 s2 GAP FC 5"


@pytest.fixture
def net() -> netdsl.Network:
    return netdsl.parse(TEXT, input=(3, 9, 8))


def test_the_graph_is_a_digraph_with_all_that_is_known_of_a_node(net: netdsl.Network) -> None:
    graph = net.graph
    assert isinstance(graph, nx.DiGraph)
    assert nx.is_directed_acyclic_graph(graph)
    node = graph.nodes["bb1.shortcut"]
    assert (node["shape"], node["params"], node["macs"]) == ((8, 5, 4), 4 * 8, 4 * 8 * 5 * 4)
    assert (node["scope"], node["layer"], node["span"].text) == ("bb1", "bb1", "BB 8 s2")
    assert node["op"].stride == (2, 2)
    assert sum(params for _, params in graph.nodes.data("params")) == net.params
    assert sum(macs for _, macs in graph.nodes.data("macs")) == net.macs


def test_what_is_odd_is_a_warning_of_python_in_the_name_of_the_caller(tmp_path: Path) -> None:
    odd = tmp_path / "odd.arch"
    odd.write_text("input 3x32x32 Conv 64/2 GAP FC 10")
    for call in (lambda: netdsl.parse(odd.read_text()), lambda: netdsl.load(odd)):
        with pytest.warns(netdsl.NetDSLWarning, match="is reckoned: this is `Conv 32`") as caught:
            net = call()
        assert [w.filename for w in caught] == [__file__]
        assert [str(w.message) for w in caught] == [d.show() for d in net.warnings]
    with warnings.catch_warnings():
        warnings.simplefilter("error", netdsl.NetDSLWarning)
        net.plain()
        netdsl.parse("Conv 6 Add( Conv 6 | )", input=(3, 8, 8), plain=True)  # a note is no warning


def test_operands_keep_their_order_and_number() -> None:
    graph = netdsl.parse("Conv 3 Add( | | Conv 3 )", input=(3, 9, 8)).graph
    assert graph.edges["conv1_act", "add1.add"]["operands"] == (0, 1)
    assert graph.edges["add1.branch3.conv1_act", "add1.add"]["operands"] == (2,)


def test_a_network_says_what_it_is(net: netdsl.Network) -> None:
    assert (net.input_shape, net.output_shape, net.depth) == ((3, 9, 8), (5,), 4)
    assert net.plain().params == net.params - 4 * 8 - 2 * 8
    assert isinstance(net.module(seed=0), nn.Module)
    assert "class Net" in net.source()
    assert net.dot().startswith("digraph")
    assert net._repr_svg_().count("<svg") == 1
    assert str(net) == "shortcut project  input 3x9x8\n\nConv 4  BB 8 s=2  GAP  FC 5\n"
    assert net.warnings == ()


@pytest.mark.parametrize(
    ("arch", "given"),
    [
        ("resnet-cifar", {"n": 9}),
        ("resnet-cifar", {"n": 3, "plain": True, "input": (3, 64, 64), "init": "zero_last"}),
        ("resnet56", {}),
        ("resnet56", {"n": 2, "drop_path": 0.25}),
        ("net1", {"classes": 10}),
        ("net1", {"classes": 10, "BB.dropout": 0.3, "BB.order": "pre"}),
        ("resnet50", {"classes": 10, "act": "gelu", "Norm.eps": 1e-3, "bias": "on"}),
        ("regnet_y_400mf", {"input": (3, 128, 128)}),
    ],
)
def test_the_text_of_a_network_is_that_network(arch: str, given: dict[str, Any]) -> None:
    net = netdsl.load(arch, **given)
    again = netdsl.parse(str(net))
    assert (list(again.checked), again.settings) == (list(net.checked), net.settings)
    assert str(again) == str(net)


@pytest.mark.parametrize(
    "text",
    [
        "n = 2*classes  Conv n",
        "n = 2*classes  classes 3  Conv n",
        "default Conv(channels=classes)  Conv",
    ],
)
def test_the_text_of_a_network_says_its_classes_before_they_are_read(text: str) -> None:
    net = netdsl.parse(f"{text} GAP FC classes", input=(3, 9, 8), classes=5)
    assert list(netdsl.parse(str(net)).checked) == list(net.checked)


def test_the_text_of_a_network_says_its_classes_before_a_file_that_reads_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "parts.arch").write_text("n = 2*classes  def Stem() { Conv n }")
    path = tmp_path / "net.arch"
    path.write_text('use "parts.arch" input 3x8x8 Stem GAP FC classes')
    net = netdsl.load(path, classes=5)
    path.write_text(str(net))
    assert list(netdsl.load(path).checked) == list(net.checked)


def test_what_nothing_in_a_network_reads_is_not_assumed() -> None:
    def assumed(text: str) -> set[str]:
        net = netdsl.parse(text, input=(3, 8, 8))
        return {setting.split()[0] for setting in net.assumed}

    conv = {"norm", "act", "init", "bias"}
    assert assumed("Max 2") == set()
    assert assumed("Conv 4 act=gelu norm=none bias=off") == {"init"}
    assert assumed("Conv 4 GAP FC 5") == assumed("Conv 4 Flatten FC 5") == conv
    assert assumed("Flatten FC 5") == {"init", "bias"}
    assert assumed("Flatten FC 5 FC 5") == {"act", "init", "bias"}
    assert assumed("Flatten FC 5 act=gelu FC 5") == {"init", "bias"}
    assert assumed("Conv 4 BB 4") == {*conv, "shortcut"}
    assert assumed("Conv 4 BB 4 shortcut=pad") == assumed("Conv 4 Res( Conv 4 | )") == conv
    assert assumed("Conv 4 SE r2 GAP FC 5") == assumed("Conv 4 SE r2 SE r2 Flatten FC 5") == conv
    assert assumed("Conv 4 FC 5") == {*conv, "head"}
    assert assumed("residual off Conv 4 BB 4 FC 5") == {*conv, "head"}
    assert assumed("shortcut pad head gap Conv 4 BB 4 FC 5") == conv


def test_a_scale_that_no_text_can_say_is_named_above_it() -> None:
    net = netdsl.load("mnasnet0_5", classes=7)
    first, text = str(net).split("\n", 1)
    assert first == "# beside this text: scale mnasnet0_5"
    assert netdsl.parse(text, scale="mnasnet0_5").params == net.params


@pytest.mark.parametrize(
    ("given", "said"),
    [({"name": 'a"b'}, 'name="a"b"'), ({"drop_path": 1e-200}, "drop_path=1e-200")],
)
def test_a_value_that_no_text_can_say_is_named_above_it(given: dict[str, Any], said: str) -> None:
    first, text = str(netdsl.load("resnet20", classes=7, **given)).split("\n", 1)
    assert first == f"# beside this text: {said}"
    assert netdsl.parse(text).output_shape == (7,)


def test_a_parameter_of_another_file_is_named_above_the_text(tmp_path: Path) -> None:
    (tmp_path / "parts.arch").write_text("n = 2  def Stage(c) { (Conv c)x n }")
    (tmp_path / "net.arch").write_text('use "parts.arch" input 3x8x8 Stage 4 GAP FC 5')
    net = netdsl.load(tmp_path / "net.arch", n=3)
    assert str(net).splitlines()[0] == "# beside this text: n=3"


def test_load_takes_a_path_a_name_a_variant_and_parameters(tmp_path: Path) -> None:
    (tmp_path / "mine.arch").write_text(f"n = 2 {TEXT}".replace("Conv 4", "(Conv 4)x n"))
    assert netdsl.load(tmp_path / "mine.arch", n=3, input=(3, 9, 8)).depth == 6
    assert netdsl.load("net1").name == "Net 1"
    assert netdsl.load("resnet56").name == "ResNet-56"
    assert netdsl.load("resnet-cifar", n=9, plain=True).depth == 56
    assert netdsl.load("resnet18", input=(3, 64, 64), classes=200).output_shape == (200,)


def test_a_folder_does_not_hide_a_shipped_network_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net1").mkdir()
    monkeypatch.chdir(tmp_path)
    assert netdsl.load("net1").depth == 15
    (tmp_path / "mine").mkdir()
    with pytest.raises(netdsl.NetDSLError, match="no file and no shipped architecture `mine`"):
        netdsl.load("mine")
    (tmp_path / "mine.arch").write_text("input 3x9x8 Conv 4")
    with pytest.raises(netdsl.NetDSLError, match=r"did you mean `mine\.arch`\?"):
        netdsl.load("mine")


def test_a_name_too_long_for_any_file_is_told() -> None:
    with pytest.raises(netdsl.NetDSLError, match="no file and no shipped architecture `xxxx"):
        netdsl.load("x" * 5000)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Conv 8 FC 10", "Conv 8 FC 10"),
        ("(Conv 64)x2\nFC 10\n", "(Conv 64)x2 FC 10"),
        ("Conv [8/2] " * 100, "Conv [8/2] Conv [8/2] Conv [8/2] Conv …"),
    ],
    ids=["one line", "two lines", "long"],
)
def test_a_text_in_place_of_a_file_is_told_where_texts_are_read(text: str, shown: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.load(text)
    assert str(caught.value) == (
        f"error[E0001]: no file and no shipped architecture `{shown}`, which looks like a text\n"
        "  = help: write it to a file; `netdsl.parse` reads texts, and commands do: "
        "echo 'Conv 8' | netdsl build -"
    )


@pytest.mark.parametrize(
    ("name", "meant"), [("Net 1", "net1"), ("net 1", "net1"), ("resnet 50", "resnet50")]
)
def test_a_name_with_a_space_is_no_text(name: str, meant: str) -> None:
    with pytest.raises(netdsl.NetDSLError, match=f"`{name}`; did you mean `{meant}`"):
        netdsl.load(name)


def test_a_path_with_a_space_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(netdsl.NetDSLError, match=r"cannot read .*No such file"):
        netdsl.load(tmp_path / "my nets" / "one.txt")


def test_every_finding_of_an_error_can_be_read() -> None:
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.parse("Cnov 3\nFoo 4", input=(3, 9, 8))
    assert [d.code for d in error.value.diagnostics] == ["E0201", "E0201"]
    assert [d.span.text for d in error.value.diagnostics] == ["Cnov", "Foo"]
    assert [d.span.position for d in error.value.diagnostics] == [(1, 1), (2, 1)]


@pytest.mark.parametrize(
    ("text", "help"),
    [
        (
            "Conv 8 FC 10",
            "`input 3x64x64` in the header, or give --input 3x64x64, in Python `input=(3, 64, 64)`",
        ),
        (
            "input 3x8x8 FC classes",
            "`classes 200` in the header, or give --classes 200, in Python `classes=200`",
        ),
    ],
)
def test_what_is_missing_is_told_as_python_gives_it_too(text: str, help: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.parse(text)
    assert [finding.help for finding in error.value.diagnostics] == [f"write {help}"]


def test_a_parameter_that_is_not_there_is_refused() -> None:
    with pytest.raises(netdsl.NetDSLError, match="has no parameter `m`"):
        netdsl.load("resnet-cifar", m=3)


@pytest.mark.parametrize(
    ("value", "said", "shown"),
    [("1e3", '"1e3"', "1e3"), (True, "`on`", "True"), ((1, 2), "1x2", "(1, 2)")],
)
def test_what_was_given_in_place_of_the_file_is_shown_where_it_does_not_fit(
    value: object, said: str, shown: str
) -> None:
    text = "n = 1 def A(n) { Conv n } (Conv 4)x n A 3 FC 10"
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.parse(text, input=(3, 8, 8), n=value, name="t")
    assert str(error.value) == (
        f"error[E0206]: a number is needed here, not {said}\n"
        f"  --> t:1:37\n   |\n 1 | {text}\n"
        f"   | {' ' * 36}^ given as `n={shown}`"
    )


def test_what_a_definition_calls_alike_was_not_given_from_outside() -> None:
    text = "n = 1 def A(n) { Conv n } (Conv 4)x n A relu FC 10"
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.parse(text, input=(3, 8, 8), n=2)
    assert "given as" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("scale", f"{CHOOSES} chooses a scale"),
        ("plain", "`--plain` asks for the plain twin"),
        ("width", f"a scale of the file sets the width, and {CHOOSES} chooses one"),
        ("depth", f"a scale of the file sets the depth, and {CHOOSES} chooses one"),
    ],
)
def test_what_is_no_parameter_of_any_file_is_told_how_it_is_asked_for(name: str, help: str) -> None:
    text = parse_text("scale s(width=2) Conv 8 FC 10", "t")
    with pytest.raises(netdsl.NetDSLError) as error:
        build(text, Overrides({"input": (3, 8, 8), name: "2"}), Loader())
    (finding,) = error.value.diagnostics
    assert (finding.message, finding.help) == (
        f"the file has no parameter `{name}`; it has none", help
    )  # fmt: skip


def test_a_network_never_changes(net: netdsl.Network) -> None:
    with pytest.raises(AttributeError):
        net.settings = None  # type: ignore[misc]


def test_a_name_that_stands_for_a_scale_takes_no_other() -> None:
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.load("resnet50", scale="resnet18")
    assert str(error.value) == (
        "error[E0212]: `resnet50` is a scale itself, so `resnet18` cannot be chosen\n"
        "  = help: both are scales of `resnet`"
    )
    assert netdsl.load("resnet50", scale="resnet50").name == "ResNet-50"


def test_a_default_of_a_definition_is_read_in_the_header_and_not_where_it_is_called() -> None:
    text = "k=2 def A(c, n=k) { (Conv c)x n } def B(k) { A k } B 5"
    assert netdsl.parse(text, input=(3, 8, 8)).depth == 2


def test_a_default_number_of_channels_is_scaled_as_a_written_one() -> None:
    text = "input 3x8x8 default Conv(channels=64) scale s(width=2) Conv"
    assert netdsl.parse(text, scale="s").output_shape == (128, 8, 8)


def test_what_a_scale_sets_is_not_assumed() -> None:
    text = "input 3x8x8 scale s(norm=none act=gelu) Conv 8"
    assert "norm none" not in netdsl.parse(text, scale="s").assumed
    assert "norm batch" in netdsl.parse(text).assumed


@pytest.mark.parametrize(
    ("number", "code"), [(10**400, "E0402"), (Fraction(10**400, 3), "E0206"), (1e300, "E0402")]
)
def test_a_number_however_large_is_refused(number: object, code: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.parse("n=2 input 3x8x8 (Conv 8)x n", n=number)
    assert [found.code for found in error.value.diagnostics] == [code]


def test_numbers_of_other_libraries_are_numbers() -> None:
    text = "input 3x8x8 n=1 (Conv 8)x n Dropout 0.5"
    assert netdsl.parse(text, n=numpy.int64(3)).depth == 3
    assert netdsl.parse(text, drop_path=numpy.float32(0.5)).settings.drop_path == 0.5
    assert netdsl.parse(text, drop_path=numpy.float32(0.1)).settings.drop_path == 0.1
    assert netdsl.parse(text, n=numpy.array(3), residual=numpy.bool_(False)).depth == 3
    assert netdsl.parse(text, plain=numpy.bool_(True)).overrides.names == {"residual": False}  # type: ignore[arg-type]
    assert netdsl.parse(text, input=numpy.array([3, 9, 8])).input_shape == (3, 9, 8)
    assert netdsl.parse(text, input=torch.Size([3, 9, 8])).input_shape == (3, 9, 8)
    said = {"n": numpy.int32(2), "drop_path": numpy.float32(0.1), "input": numpy.array([3, 9, 8])}
    names = netdsl.parse(text, **said).overrides.names  # type: ignore[arg-type]
    assert json.loads(json.dumps(names)) == {"n": 2, "drop_path": 0.1, "input": [3, 9, 8]}


@pytest.mark.parametrize(
    ("override", "shown"),
    [
        ({"drop_path": float("nan")}, "nan"),
        ({"input": (3.7, 32.5, 32)}, "(3.7, 32.5, 32)"),
        ({"input": (3, "a", 32)}, "(3, 'a', 32)"),
        ({"input": numpy.array([3.5, 8, 8])}, "[3.5, 8.0, 8.0]"),
        ({"act": None}, "None"),
        ({"n": None}, "None"),
    ],
)
def test_what_is_no_value_of_the_language_is_refused(
    override: dict[str, object], shown: str
) -> None:
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.parse("n=2 input 3x8x8 (Conv 8)x n", **override)  # type: ignore[arg-type]
    message = f"{shown} is neither a number, a word nor a shape of whole numbers"
    help = '\n  = help: the word for nothing is "none", as in norm="none"' * (shown == "None")
    assert str(error.value) == f"error[E0206]: {message}{help}"


@pytest.mark.parametrize("name", [5, None, Path("net.arch")])
def test_a_text_is_called_by_a_text(name: object) -> None:
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.parse("input 3x8x8 Conv 8", name=name)  # type: ignore[arg-type]
    assert str(error.value) == f"error[E0206]: name must be a text, not {name!r}"


@pytest.mark.parametrize("name", ["tiny", "Tiny net", '"tiny"'])
def test_a_name_from_outside_needs_no_quotes(name: str) -> None:
    made = netdsl.parse("input 3x8x8 Conv 8").override(name=name)
    assert made.name == name.strip('"')


def test_a_kind_of_norm_that_would_reach_none_is_refused_from_outside() -> None:
    with pytest.raises(netdsl.NetDSLError, match=r"Norm\.kind would reach no norm of other layers"):
        netdsl.parse("input 3x8x8 BB 8", **{"Norm.kind": "group"})


def test_a_default_from_outside_that_no_layer_takes_is_told() -> None:
    net = netdsl.parse("input 3x8x8 BB 8 BB 16", **{"BB.channels": 4})
    (warning,) = net.warnings
    assert warning.show() == (
        "warning[W0502]: the default `BB.channels` is never used: every BB says its own"
    )


def test_a_long_chain_of_definitions_is_refused() -> None:
    chain = " ".join(f"def Q{'a' * i}() {{ Q{'a' * (i + 1)} }}" for i in range(1, 300))
    text = f"input 3x8x8 {chain} def Q{'a' * 300}() {{ Conv 8 }} Qa"
    with pytest.raises(netdsl.NetDSLError, match="definitions call each other more than 64 deep"):
        netdsl.parse(text)


def test_a_link_that_leads_to_itself_is_an_error_of_the_source(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "net.arch").write_text('input 3x8x8 use "loop" Conv 8')
    with pytest.raises(netdsl.NetDSLError, match="E0213"):
        netdsl.load(tmp_path / "net.arch")


def test_a_mistake_in_a_repeat_is_placed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    placed = []
    monkeypatch.setattr("netdsl.ir.build._shrinking", lambda *found: placed.append(found))
    with pytest.raises(netdsl.NetDSLError):
        netdsl.parse("input 3x32x32 (Conv [8,9] k=4)x1000")
    assert 1 <= len(placed) <= 2


def test_a_network_stays_what_it_was_when_the_files_that_it_uses_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = tmp_path / "blocks.arch"
    blocks.write_text("def S(c) { (BB c)x2 }\n")
    (tmp_path / "n.arch").write_text('use "blocks.arch"\ninput 3x8x8\nConv 8 S 8 GAP FC 3\n')
    net = netdsl.load("n.arch")
    text = net.standalone()
    blocks.write_text("def S(c) { (BB 2*c)x4 }\n")
    assert netdsl.load("n.arch").params != net.params
    monkeypatch.chdir("/")
    for kept in (net, pickle.loads(pickle.dumps(net))):
        assert kept.plain().params == net.params
        assert kept.override(plain=True).override(residual=True).params == net.params
        assert kept.standalone() == text


def test_of_a_file_that_cannot_be_used_nothing_else_is_said(tmp_path: Path) -> None:
    (tmp_path / "n.arch").write_text('use "gone.arch"\ninput 3x8x8\nConv 8 Stage 8 GAP FC k\n')
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.load(tmp_path / "n.arch")
    (finding,) = error.value.diagnostics
    assert finding.code == "E0213"


def test_of_a_parameter_that_is_given_a_wrong_value_only_that_is_said() -> None:
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.load("resnet-cifar", n=float("nan"))
    (finding,) = error.value.diagnostics
    assert finding.message.startswith("nan is neither a number")


def test_override_takes_what_load_takes(net: netdsl.Network) -> None:
    assert net.override(plain=True).params == net.plain().params
    assert net.plain().override(plain=False).blocks == net.blocks
    deep = netdsl.load("resnet-cifar").override(scale="resnet56")
    assert (deep.name, deep.depth) == ("ResNet-56", 56)


def test_a_scale_that_is_changed_does_not_keep_its_name() -> None:
    net = netdsl.load("resnet56", n=3)
    assert (net.name, net.depth) == ("ResNet-CIFAR", 20)
    assert netdsl.load("resnet56", plain=True).name == "ResNet-56"


def test_the_package_shows_what_it_has() -> None:
    assert set(netdsl.__all__) == {
        "Diagnostic",
        "NetDSLError",
        "NetDSLWarning",
        "Network",
        "TrainError",
        "Trained",
        "Translation",
        "load",
        "load_trained",
        "parse",
        "translate",
    }
    assert all(hasattr(netdsl, name) for name in netdsl.__all__)
    assert netdsl.__version__ == version("netdsl")
    assert dir(netdsl) == sorted([*netdsl.__all__, "__version__", "train"])


def test_trainings_need_no_import_of_their_own() -> None:
    used = "import netdsl; print(netdsl.train.resolve({'epochs': 2}).epochs)"
    done = subprocess.run([sys.executable, "-c", used], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("2\n", "")


def test_what_the_package_does_not_have_is_told() -> None:
    with pytest.raises(AttributeError, match=r"^module 'netdsl' has no attribute 'laod'$"):
        netdsl.laod("net1")


def test_what_was_not_trained_is_an_error_of_trainings(tmp_path: Path) -> None:
    with pytest.raises(netdsl.TrainError, match=r"^there is no run and no file of weights "):
        netdsl.load_trained(tmp_path / "gone")


def test_a_network_is_shown_in_a_line_and_drawn_where_it_can_be(
    net: netdsl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repr(netdsl.load("resnet20")) == "<Network 'ResNet-20': 20 layers, 269,722 parameters>"
    assert repr(netdsl.load("resnet20").plain()).startswith("<Network 'ResNet-20', plain: ")
    assert "<svg" in str(net._repr_svg_())
    monkeypatch.setattr("netdsl.backends.drawing.dot.MEMBERS", 1)
    assert net._repr_svg_() is None


def test_what_is_no_name_is_refused() -> None:
    with pytest.raises(
        netdsl.NetDSLError, match="a network is named by a text or a path, not None"
    ):
        netdsl.load(None)  # type: ignore[arg-type]


def test_a_file_that_is_used_twice_brings_its_names_twice(tmp_path: Path) -> None:
    (tmp_path / "b.arch").write_text("def S(c) { Conv c }\n")
    for name in ("l", "r"):
        (tmp_path / f"{name}.arch").write_text('use "b.arch"\n')
    (tmp_path / "both.arch").write_text('use "b.arch" use "r.arch" def T() { S 3 }\n')
    net = tmp_path / "n.arch"
    for first, second, name in (("l", "r", "S"), ("b", "b", "S"), ("b", "both", "S")):
        net.write_text(f'use "{first}.arch"\nuse "{second}.arch"\ninput 3x8x8 {name} 4 FC 3\n')
        with pytest.raises(netdsl.NetDSLError) as error:
            netdsl.load(net)
        assert str(error.value) == (
            f"error[E0207]: this `use` brings `S` a second time\n  --> {net}:2:1\n   |\n"
            f' 1 | use "{first}.arch"\n   | {"-" * (len(first) + 11)} first here\n'
            f' 2 | use "{second}.arch"\n   | {"^" * (len(second) + 11)}\n'
            "   = help: one `use` of a file is enough"
        )
    net.write_text('use "both.arch" input 3x8x8 T FC 3\n')
    with pytest.raises(netdsl.NetDSLError, match="this `use` brings `S` a second time"):
        netdsl.load(net)


def test_what_was_found_before_a_file_that_cannot_be_used_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "n.arch").write_text('input 3x8x8 nrm batch use "gone.arch"\nConv 8 GAP FC 3\n')
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.load(tmp_path / "n.arch")
    assert [finding.code for finding in error.value.diagnostics] == ["E0202", "E0213"]


def test_a_name_that_clashes_with_a_used_one_hides_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "b.arch").write_text("def S(c) { Conv c }\n")
    text = 'def S(c) { Conv c } use "b.arch" input 3x8x8\nConv 8 S 8 Bogus 3 GAP FC k\n'
    (tmp_path / "n.arch").write_text(text)
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.load(tmp_path / "n.arch")
    codes = [finding.code for finding in error.value.diagnostics]
    assert sorted(codes) == ["E0201", "E0207", "E0208"]


def test_the_input_of_a_network_of_a_vector_is_given_as_it_is_told() -> None:
    net = netdsl.parse("input 5 FC 8 FC 3")
    assert net.input_shape == (5,)
    assert net.override(input=net.input_shape).params == net.params


@pytest.mark.parametrize("said", [{"n": 3}, {"classes": 7}, {"input": (3, 9, 9)}, {"plain": True}])
def test_a_scale_keeps_its_name_where_the_network_is_its_own(said: dict[str, Any]) -> None:
    text = 'n = 1 scale a(n=3 classes=4 input=3x8x8 name="A") (BB 4)x n GAP FC classes'
    assert netdsl.parse(text, scale="a", **said).name == "A"
    assert netdsl.parse(text, scale="a", n=2).name == "network"


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("def ResBlock(c) { BB c } Resblock 8", "ResBlock"),
        ("def Skips(c) { BB c } Skip 8", "Skips"),
        ("def A(c) { BB c } Resblock 8", "BB"),
    ],
)
def test_blocks_of_the_file_are_meant_before_those_of_other_libraries(text: str, near: str) -> None:
    with pytest.raises(netdsl.NetDSLError, match=f"did you mean `{near}`"):
        netdsl.parse(f"{text} GAP FC 3", input=(3, 8, 8))


def test_a_block_of_the_file_may_have_a_name_of_another_library() -> None:
    text = "def Concat(c) { Conv c } Concat(3) GAP FC 3"
    with pytest.raises(netdsl.NetDSLError, match="write `Concat 3`"):
        netdsl.parse(text, input=(3, 8, 8))


@pytest.mark.parametrize(
    "text",
    ["d = 4 Conv 8 Part1d", 'Torch "nn.GELU" approximate="none"', 'Torch "nn.Identity" a=1'],
)
def test_what_looks_like_a_name_of_torch_or_none_is_left_in_peace(text: str) -> None:
    assert netdsl.parse(f"{text} GAP FC 3", input=(3, 8, 8)).output_shape == (3,)


def test_a_definition_that_is_used_brings_parameters_from_behind_it(tmp_path: Path) -> None:
    (tmp_path / "b.arch").write_text("def S() { Conv c }  m = 4  c = m*2\n")
    (tmp_path / "n.arch").write_text('use "b.arch" input 3x8x8\nS GAP FC 3\n')
    assert (
        netdsl.load(tmp_path / "n.arch").params
        == netdsl.parse("Conv 8 GAP FC 3", input=(3, 8, 8)).params
    )


def test_a_label_brings_no_parameter_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "b.arch").write_text("enc = 2  def L() { Conv 8 @enc Cat( | @enc ) }\n")
    (tmp_path / "n.arch").write_text('use "b.arch" enc = 1 input 3x8x8\nL Conv enc\n')
    assert netdsl.load(tmp_path / "n.arch").output_shape == (1, 8, 8)


def test_a_name_that_is_given_is_written_in_quotes() -> None:
    net = netdsl.parse("input 3x8x8 Conv 8").override(name="abc")
    assert netdsl.parse(str(net)).name == "abc"


def test_a_parameter_of_a_definition_is_not_set_from_outside() -> None:
    net = netdsl.parse("def Stage(n) { (Conv 4)x n } input 3x8x8 Stage 2")
    with pytest.raises(netdsl.NetDSLError) as error:
        net.override(**{"Stage.n": 3})
    (finding,) = error.value.diagnostics
    assert finding.message == "Stage is a definition: its `n` is given where it is called"
