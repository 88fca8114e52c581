"""All faults of a text in one run, and nothing that only follows from one of them."""

from __future__ import annotations

import pytest

from netdsl.errors import NetDSLError
from netdsl.syntax import parse
from netdsl.syntax.lexemes import lexemes

BROKEN = """\
norm batch, act relu
n = 3 -
def Stage(c n) { Conv c }
def Block(c) {
  Conv c k=
  BB c 3x
}
Conv 64 & BB 64
(Conv 64)2 Cat( conv 3 | Conv -1 | Max 3 )
Conv [1 2] Add Conv 3 | Conv 4 )
FC 10 k:3
"""
FOUND = [
    ("E0111", 1), ("E0112", 2), ("E0113", 3), ("E0112", 5), ("E0105", 6), ("E0101", 8),
    ("E0105", 9), ("E0108", 9), ("E0114", 9), ("E0116", 10), ("E0117", 10), ("E0118", 11),
]  # fmt: skip

WHOLE = """\
norm none   n = (56 - 2) / 6   k = 1
expect(params=0.85M depth=[1,2])
def Stage(c, s=2) { (BB c s=[s,1])x2 Cat(Conv 3 | Max 2 (Conv 4)x2 ) }
default BB(dropout=0.5 pre)
scale l(width=2 depth=2)
Conv [64, 128] k=[3,(1+2)] (BB 64 (Conv 3)x3)x2 @a
Res act=relu (Conv 3 Add(Conv 4 | @a Conv 5 |) BB 3) :64x3x3, Conv [(n+8)/2]! Stage 3
GAP FC 10
"""
WORDS = lexemes(WHOLE)
BRACKETS = [i for i, word in enumerate(WORDS) if word.text in "()[]{}"]


def codes(text: str) -> list[tuple[str, int]]:
    with pytest.raises(NetDSLError) as error:
        parse(text)
    spans = [(d.code, d.span) for d in error.value.diagnostics]
    return [(code, span.source.position(span.start)[0]) for code, span in spans if span]


def test_every_fault_is_found_in_one_run() -> None:
    assert codes(BROKEN) == FOUND


def test_whole_text_is_whole() -> None:
    assert len(parse(WHOLE).body) == 7


@pytest.mark.parametrize("i", BRACKETS)
def test_missing_bracket_is_one_fault(i: int) -> None:
    assert len(codes(WHOLE[: WORDS[i].start] + WHOLE[WORDS[i].end :])) == 1


@pytest.mark.parametrize("i", range(len(WORDS)))
def test_foreign_character_is_one_fault(i: int) -> None:
    assert len(codes(f"{WHOLE[: WORDS[i].end]}§{WHOLE[WORDS[i].end :]}")) == 1


@pytest.mark.parametrize("sign", [")", "]", "}"])
def test_bracket_that_closes_nothing_is_one_fault(sign: str) -> None:
    start = WHOLE.index("GAP")
    assert codes(f"{WHOLE[:start]}{sign}{WHOLE[start:]}") == [("E0103", 8)]


def test_at_most_twenty_faults_are_told() -> None:
    assert len(codes("Conv k=\n" * 50)) == 20
    assert len(codes("Conv 3 )\n" * 50)) == 20
    assert len(codes("Conv & 3\n" * 50)) == 20


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("Conv k=\n" * 20, None),
        ("Conv k=\n" * 21, "… and 1 more error"),
        ("Conv k=\n" * 50, "… and 30 more errors"),
        ("conv3-64\n" * 60, "… and 40 more errors"),
        ("Conv k=\n" * 500, "… and 80 more errors at least"),
        ("Conv 3 )\n" * 50, "… and more, perhaps: behind so many the text is not read on"),
    ],
)
def test_how_many_more_there_are_is_told(text: str, more: str | None) -> None:
    with pytest.raises(NetDSLError) as error:
        parse(text)
    first, rest = error.value.diagnostics[:20], error.value.diagnostics[20:]
    assert {finding.severity for finding in first} == {"error"}
    assert [(one.code, one.message) for one in rest] == ([("N0122", more)] if more else [])
