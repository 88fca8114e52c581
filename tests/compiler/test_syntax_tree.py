"""What trees hold: the nodes of every construct, and the characters that each was read from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from netdsl.syntax import parse, tree
from netdsl.syntax.tree import (
    Combine,
    Dims,
    Group,
    Layer,
    List,
    Name,
    Negative,
    Number,
    Operation,
    Option,
    Parenthesis,
    Pinned,
    Repeat,
    Text,
)  # fmt: skip
from tests.compiler.strategies import walk

TEXT = """\
# the stem
name "A net"  n = -(56 - 2) / 6   # per stage
default BB(pre k3)  scale s(width=0.5)
expect(params=0.85M)
def Stage(c, s=2) { BB c s=[s, 1] }
Conv 16! k7s2 3×5 , (BB 2*n)x[2,3]! @enc :64x3
Cat pre ( @enc Max 2 | Res( ) )× n
"""
SPANS = """\
File: '# the …n\\n'
Setting: 'name "A net"' name
Text: '"A net"'
Parameter: 'n = -(56 - 2) / 6' n
Operation: '-(56 - 2) / 6'
Negative: '-(56 - 2)'
Parenthesis: '(56 - 2)'
Operation: '56 - 2'
Number: '56'
Number: '2'
Number: '6'
Default: 'default BB(pre k3)' BB
Name: 'pre'
Option: 'k3' k
Number: '3'
Scale: 'scale s(width=0.5)' s
Option: 'width=0.5' width
Number: '0.5'
Expect: 'expect(params=0.85M)'
Option: 'params=0.85M' params
Number: '0.85M'
Definition: 'def Stage(c, s=2) { BB c s=[s, 1] }' Stage
Formal: 'c'
Formal: 's=2'
Number: '2'
Item: 'BB c s=[s, 1]'
Layer: 'BB c s=[s, 1]' BB
Name: 'c'
Option: 's=[s, 1]' s
List: '[s, 1]'
Name: 's'
Number: '1'
Item: 'Conv 16! k7s2 3×5'
Layer: 'Conv 16! k7s2 3×5' Conv
Pinned: '16!'
Number: '16'
Option: 'k7' k
Number: '7'
Option: 's2' s
Number: '2'
Dims: '3×5'
Item: '(BB 2*n)x[2,3]! @enc :64x3'
Group: '(BB 2*n)x[2,3]!'
Item: 'BB 2*n'
Layer: 'BB 2*n' BB
Operation: '2*n'
Number: '2'
Name: 'n'
Repeat: 'x[2,3]!'
List: '[2,3]'
Number: '2'
Number: '3'
Name: 'enc'
Dims: '64x3'
Item: 'Cat pre ( @enc Max 2 | Res( ) )× n'
Combine: 'Cat pre ( @enc Max 2 | Res( ) )× n' Cat
Name: 'pre'
Branch: '@enc Max 2'
Name: 'enc'
Item: 'Max 2'
Layer: 'Max 2' Max
Number: '2'
Branch: 'Res( )'
Item: 'Res( )'
Combine: 'Res( )' Res
Branch: ''
Repeat: '× n'
Name: 'n'
Comment: '# the stem'
Comment: '# per stage'
"""


def layer(text: str) -> Layer:
    (item,) = parse(text).body
    assert isinstance(item.core, Layer)
    return item.core


def arguments(text: str) -> tuple[tree.Argument, ...]:
    return layer(text).arguments


def described(node: object) -> str:
    text = node.span.text
    short = text if len(text) < 40 else f"{text[:6]}…{text[-2:]}"
    named = [getattr(node, name, None) for name in ("name_span", "key_span", "layer_span")]
    return " ".join([f"{type(node).__name__}: {short!r}", *(span.text for span in named if span)])


def test_every_span_is_exact() -> None:
    assert "\n".join(map(described, walk(parse(TEXT)))) + "\n" == SPANS


def test_glued_text_is_split_into_layers() -> None:
    assert parse("BB512Avg2Max2FC200") == parse("BB 512 Avg 2 Max 2 FC 200")


@pytest.mark.parametrize(
    "text",
    [
        "(BB 64)x3",
        "(BB 64)×3",
        "(BB 64) × 3",
        "(BB 64)✕3",
        "(BB 64)⨯ 3",
        "(BB\u00a064)\u2009x\u200b3",
        "(BB64)*3",
    ],
)
def test_repeat_has_many_signs_and_spaces(text: str) -> None:
    body = parse("BB 64").body
    assert parse(text).body == (tree.Item(Group(body, Repeat(Number("3")))),)


@pytest.mark.parametrize("text", ["A, B; C", "A;B->C,", "A → B\n->\nC;", "A B C"])
def test_separators_leave_no_trace(text: str) -> None:
    assert parse(text) == parse("A B C")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Conv 64", Number("64")),
        ("Conv 1e-6", Number("1e-6")),
        ("Conv 3×64x64", Dims((3, 64, 64))),
        ("Conv pre", Name("pre")),
        ("Conv on", Name("on")),
        ('Conv "a b"', Text("a b")),
        ("Conv 16!", Pinned(Number("16"))),
        ("Conv [(c+8)/2]", List((Operation(Parenthesis(Operation(Name("c"), (("+", Number("8")),))), (("/", Number("2")),)),))),
        ("Conv [-1]", List((Negative(Number("1")),))),
        ("Conv 2*c+1", Operation(Operation(Number("2"), (("*", Name("c")),)), (("+", Number("1")),))),
        ("Conv a-b-c", Operation(Name("a"), (("-", Name("b")), ("-", Name("c"))))),
        ("Conv a//b%c", Operation(Name("a"), (("//", Name("b")), ("%", Name("c"))))),
        ("Conv k = 3", Option("k", Number("3"))),
        ("Conv k=3x5", Option("k", Dims((3, 5)))),
        ("Conv k1x7", Option("k", Dims((1, 7)))),
        ("Conv k1×7", Option("k", Dims((1, 7)))),
        ("Conv act=k7", Option("act", Name("k7"))),
        ("Conv scale=-2", Option("scale", Negative(Number("2")))),
    ],
)  # fmt: skip
def test_argument_is_read_as(text: str, expected: tree.Argument) -> None:
    assert arguments(text) == (expected,)


def test_short_options_are_options() -> None:
    read = arguments("Conv k7s2 p0")
    assert read == arguments("Conv k=7 s=2 p=0")
    assert [option.short for option in read if isinstance(option, Option)] == [True] * 3


def test_words_that_are_no_short_options_stay_words() -> None:
    assert arguments("Conv k7a kk3 relu6 k n2") == tuple(
        map(Name, ("k7a", "kk3", "relu6", "k", "n2"))
    )


def test_unit_belongs_to_the_number_of_an_expectation_only() -> None:
    expect, *_ = parse("expect(params=0.85M) Conv k=3Max 2").header
    assert isinstance(expect, tree.Expect)
    assert expect.options[0].value == Number("0.85M")
    assert len(parse("Conv k=3Max 2 Avg2GAP").body) == 4


def test_header_needs_no_lines() -> None:
    header = parse("n = (56 - 2) / 6   k = 1 norm batch input 3x32x32 (Conv 64)x2").header
    assert [type(entry).__name__ for entry in header] == [
        "Parameter",
        "Parameter",
        "Setting",
        "Setting",
    ]


def test_empty_branch_and_read_label() -> None:
    (item,) = parse("Cat( | @enc Conv 16 )").body
    assert isinstance(item.core, Combine)
    identity, other = item.core.branches
    assert (identity.reads, identity.body) == (None, ())
    assert (other.reads, len(other.body)) == (Name("enc"), 1)


def test_comment_knows_whether_it_has_a_line_of_its_own() -> None:
    comments = parse("# one\n  # two\r\nConv 64 # three \n#four").comments
    assert [(c.text, c.own_line) for c in comments] == [
        ("# one", True), ("# two", True), ("# three", False), ("#four", True),
    ]  # fmt: skip


def test_threads_read_their_own_text() -> None:
    texts = [f"Conv {n} k={n}" for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        layers = pool.map(layer, texts)
    assert [read.span.text for read in layers] == texts
