"""Bad and hostile input: an error with a code, in bounded time, never another exception."""

import time

import pytest

import netdsl
from netdsl.checking import check
from netdsl.lower import Overrides
from netdsl.shelf import read_bytes

HOSTILE = {
    "repeats of repeats": ("((((Conv 3)x999)x999)x999)x999", "E0402", "exceed the limit of 100,000"),
    "one repeat": ("(Conv 3)x999999999", "E0402", "999,999,999 layers exceed the limit of 100,000"),
    "empty repeats": ("n = 0 (((Conv 3)x n)x99999)x99999", "E0402", "exceed the limit"),
    "a list of counts": ("((Conv 3)x[1,99999999])x2", "E0402", "99,999,999 layers"),
    "repeats by a repetition": ("((Norm)x rep)x500", "E0402", "exceed the limit of 100,000"),
    "definitions that double": (
        "".join(f"def {'A' * (i + 1)}() {{ {'A' * i} {'A' * i} }} " for i in range(1, 40))
        + "def A() { Conv 1 } " + "A" * 40,
        "E0402", "exceed the limit of 100,000",
    ),
    "a definition of itself": ("def A() { A } A", "E0212", "calls itself: A -> A"),
    "a definition of itself by cin": ("def A(c) { Conv c A cin } A cin", "E0212", "calls itself: A -> A"),
    "a cycle by cin": ("def A(c) { B cin } def B(c) { A cin } A 8", "E0212", "A -> B -> A"),
    "definitions of nested brackets": (
        "".join(f"def {'A' * (i + 1)}() {{ {'(' * 40}{'A' * i}{')' * 40} }} " for i in range(1, 6))
        + "def A() { Conv 1 } " + "A" * 6,
        "E0107", "brackets and calls of definitions are nested more than 100 deep",
    ),
    "a long chain by cin": (
        "".join(f"def {'A' * (i + 1)}(c) {{ {'A' * i} cin }} " for i in range(1, 70))
        + "def A(c) { Conv c } " + "A" * 70 + " cin",
        "E0107", "definitions call each other more than 64 deep",
    ),
    "a value of many digits": (f"n = {'*'.join(['1e-99'] * 4000)} Conv 3", "E0403", "more than 1,000 digits"),
    "a cycle": ("def A() { B } def B() { C } def C() { A } B", "E0212", "B -> C -> A -> B"),
    "channels": ("Conv 999999999", "E0206", "at most 1,000,000, not 999999999"),
    "a kernel": ("Conv 3 k=99999999", "E0206", "at most 10,000"),
    "padding": ("Conv 3 p=99999999", "E0206", "at most 10,000"),
    "parameters": ("(Conv 1000000 k=999)x3", "E0403", "parameters exceed the limit of 1,000,000,000,000"),
    "a large input": ("input 3x999999x999999 Conv 3", "E0403", "exceeds the limit of 100,000 in one number"),
    "a large value": ("n = 999999999*999999999 Conv n", "E0403", "exceeds the limit"),
    "division by zero": ("n = 3 % 0 Conv n", "E0211", "3 % 0 is not defined"),
    "an enlarged map": ("(Up 1000)x99", "E0403", "exceeds the limit"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_networks_are_refused_within_a_second(case: str) -> None:
    text, code, message = HOSTILE[case]
    start = time.process_time()
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.parse(text, **({} if "input" in text else {"input": (3, 32, 32)}))
    assert time.process_time() - start < 1
    first = error.value.diagnostics[0]
    assert (first.code, message in first.message) == (code, True), str(error.value)
    assert first.span is not None


@pytest.mark.parametrize("k", [800, 100_000])
def test_repeats_that_come_to_nothing_end_at_the_limit(k: int) -> None:
    text = f"input 3x8x8 ( (Conv 8)x[0,0] ((Conv 8)x[0,0])x{k} )x{k}  Conv 8"
    start = time.process_time()
    with pytest.raises(netdsl.NetDSLError, match="exceed the limit of 100,000"):
        netdsl.parse(text)
    assert time.process_time() - start < 20


@pytest.mark.parametrize("layers", ["(Norm)x cin", "(Norm)x0"])
def test_repeats_by_channels_end_at_the_limit(layers: str) -> None:
    start = time.process_time()
    with pytest.raises(netdsl.NetDSLError, match="exceeds the limit of 100,000 layers"):
        netdsl.parse(f"Conv 400 (({layers})x cin)x cin", input=(3, 8, 8))
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    "text",
    [
        "n = 0 Conv 3 ((Conv 3)x n)x99999",
        "input 3x100000x2 Conv 3",
        "input 40000x5x5 norm none Conv 1000000 5x5 bias=off p0",
        "def A() { Conv 1 } "
        + "".join(f"def {'A' * i}() {{ {'A' * (i - 1)} }} " for i in range(2, 65))
        + "A" * 64,
        "def A() { Conv 1 } "
        + "".join(f"def {'A' * i}() {{ {'(' * 48}{'A' * (i - 1)}{')' * 48} }} " for i in (2, 3))
        + "A" * 3,
    ],
)
def test_what_reaches_a_limit_does_not_exceed_it(text: str) -> None:
    assert netdsl.parse(text, **({} if "input" in text else {"input": (3, 8, 8)}))


def test_a_long_sum_is_no_deeper_than_a_short_one() -> None:
    net = netdsl.parse(f"Conv {'+'.join('1' for _ in range(20_000))}", input=(3, 8, 8))
    assert net.output_shape == (20_000, 8, 8)


def test_sixty_levels_of_nesting_are_fine() -> None:
    net = netdsl.parse("(" * 60 + "Conv 3" + ")" * 60, input=(3, 8, 8))
    assert net.depth == 1
    net = netdsl.parse("Res(" * 60 + "Conv 3" + ")" * 60, input=(3, 8, 8))
    assert net.depth == 1
    assert net.module() is not None


def test_many_layers_are_fine() -> None:
    start = time.process_time()
    assert netdsl.parse("(BB 4)x5000", input=(4, 8, 8)).depth == 10_000
    assert time.process_time() - start < 20


@pytest.mark.parametrize("layer", ["nn.LSTM", "nn.GRU", "nn.RNN", "nn.LSTMCell"])
def test_layers_of_several_values_are_refused_before_they_are_made(layer: str) -> None:
    with pytest.raises(netdsl.NetDSLError, match=f"`{layer}` is no layer here: it gives several"):
        netdsl.parse(f'input 3x64x64 Torch "{layer}" 64 8 1000000')


@pytest.mark.parametrize(
    ("begin", "line", "times", "code", "more"),
    [
        ("", "foo ", 5000, "E0202", "… and 2,480 more errors"),
        ("", "Foo 3\n", 21, "E0201", "… and 1 more error"),
        ("input 3x8x8 ", "Foo 3\n", 3000, "E0201", "… and 2,980 more errors"),
        ("Conv 3\n", "Foo 3\n", 20, "E0201", None),
    ],
)
def test_of_many_errors_the_first_are_told_and_how_many_more_there_are(
    begin: str, line: str, times: int, code: str, more: str | None
) -> None:
    with pytest.raises(netdsl.NetDSLError) as error:
        netdsl.parse(begin + line * times)
    told = error.value.diagnostics
    first, rest = told[:20], told[20:]
    assert {one.code for one in first} == {code}
    assert [one.span.start for one in first if one.span] == [
        len(begin) + one * (8 if code == "E0202" else len(line)) for one in range(20)
    ]
    assert [(one.code, one.message) for one in rest] == ([("N0122", more)] if more else [])


@pytest.mark.parametrize(
    ("times", "more"),
    [(20, None), (21, "… and 1 more warning"), (30, "… and 10 more warnings")],
)
@pytest.mark.parametrize("header", ["", "input 3x8x8 "])
def test_of_many_warnings_the_first_are_told(header: str, times: int, more: str | None) -> None:
    unused = " ".join(f"a{i} = 1" for i in range(times))
    source = read_bytes(f"{header}{unused} Conv 8".encode(), "net.arch")
    told = [(one.code, one.message) for one in check(*source.with_overrides(Overrides()))]
    assert [code for code, _ in told[:20]] == ["W0502"] * 20
    assert [one for one in told[20:] if one[0] != "N0506"] == ([("N0122", more)] if more else [])
