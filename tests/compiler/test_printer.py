"""Canonical text: what it looks like, and that nothing is lost on the way."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from netdsl.errors import Span
from netdsl.syntax import entry_text, item_text, layer_text, parse, to_text, tree
from tests.compiler.strategies import files, spellings

SLOW = {"suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}

MESSY = """\
# ResNet-20, He et al.
name "ResNet-20" input 3×32x32   # CIFAR


n=(56-2)/6   k = 1
expect(params=0.27M # in millions
  depth=20)
def Stage(c,n,s=2){(BB c s=[s,1])x n}
def Long(c) {
 Conv c # one
 Conv c
}
# the stem
Conv 16!, Stage 16 n s=1;   Stage32 n


Stage 64 n  # the last
Cat pre(
 Conv 64 k1x1 |
 # pooled
 Max3s1p0 | | @enc Conv 32 ) ×2 @all :64x3x3   (Conv 64)x n
Res shortcut=project (Conv 64
Conv 32)
GAP   FC classes
# end"""
TIDY = """\
# ResNet-20, He et al.
name "ResNet-20"  input 3x32x32  # CIFAR

n = (56 - 2) / 6  k = 1
expect(params=0.27M depth=20)  # in millions
def Stage(c, n, s=2) { (BB c s=[s, 1])x n }
def Long(c) {
  Conv c  # one
  Conv c
}

# the stem
Conv 16!  Stage 16 n s=1  Stage 32 n

Stage 64 n  # the last
Cat pre (
    Conv 64 k=1x1
  |
    # pooled
    Max 3 s=1 p=0
  |
  | @enc  Conv 32
)x2 @all :64x3x3
(Conv 64)x n
Res shortcut=project (
  Conv 64
  Conv 32
)
GAP  FC classes
# end
"""


def bare(node: Any) -> Any:
    """The same tree without spans, as a program builds one."""
    if isinstance(node, tuple):
        return tuple(map(bare, node))
    if not is_dataclass(node):
        return node
    values = {f.name: bare(getattr(node, f.name)) for f in fields(node)}
    return replace(
        node, **{k: tree.NOWHERE if isinstance(v, Span) else v for k, v in values.items()}
    )


def test_lines_and_comments_stay_where_they_mean_something() -> None:
    assert to_text(parse(MESSY)) == TIDY


def test_tidy_text_stays_as_it_is() -> None:
    assert to_text(parse(TIDY)) == TIDY


def test_row_of_a_table_stays_a_row() -> None:
    assert (
        to_text(parse("(Conv 64)× 2, Avg2 → BB512; FC200"))
        == "(Conv 64)x2  Avg 2  BB 512  FC 200\n"
    )


def test_column_of_a_table_stays_a_column() -> None:
    assert to_text(parse("Conv 64\r\nAvg2,\nFC200,")) == "Conv 64\nAvg 2\nFC 200\n"


def test_long_row_is_filled_to_120_columns() -> None:
    lines = to_text(parse("Conv 64 " * 40)).splitlines()
    assert [len(line) for line in lines] == [115, 115, 115, 7]


def test_long_group_is_broken() -> None:
    printed = to_text(parse("Avg 2 (" + "Conv 64 " * 14 + ")x2 GAP"))
    assert printed == f"Avg 2\n(\n  {'  '.join(['Conv 64'] * 13)}\n  Conv 64\n)x2\nGAP\n"


def test_tree_without_places_is_filled() -> None:
    assert (
        to_text(bare(parse("norm none n=2\nConv 64\nBB 3")))
        == "norm none  n = 2\n\nConv 64  BB 3\n"
    )


def test_a_line_has_room_for_120_characters() -> None:
    fits = ["Conv 640"] * 5 + ["Conv 64"] * 8
    assert len("  ".join(fits)) == 120
    assert to_text(parse(" ".join(fits))) == "  ".join(fits) + "\n"
    longer = ["Conv 640"] * 6 + ["Conv 64"] * 7
    assert to_text(parse(" ".join(longer))) == f"{'  '.join(longer[:-1])}\nConv 64\n"


def test_a_group_of_120_characters_stays_on_its_line() -> None:
    group = "(" + "  ".join(["Conv 640"] + ["Conv 64"] * 12) + ")x2"
    assert len(group) == 120
    assert to_text(parse(group)) == f"{group}\n"
    assert to_text(parse(group.replace("x2", "x20"))).startswith("(\n")


def test_nothing_prints_as_nothing() -> None:
    assert to_text(parse("")) == ""
    assert to_text(parse("\n # only this")) == "# only this\n"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("(Conv 3)×n_1", "(Conv 3)x n_1"),
        ("Conv64k7s2", "Conv 64 k=7 s=2"),
        ("Conv 3×3 64 !", "Conv 3x3 64!"),
        ("(BB 64)*3!", "(BB 64)x3!"),
        ("(BB 64)× n", "(BB 64)x n"),
        ("(BB 64)x[1,2]@a:3", "(BB 64)x[1, 2] @a :3"),
        ("Res ( )", "Res()"),
        ("Cat(|@a Conv 3;BB 3|)", "Cat( | @a  Conv 3  BB 3 | )"),
        ("Res act=relu pre(Conv 3)", "Res act=relu pre (Conv 3)"),
        ("Conv [ ( c+8 ) / 2 ]", "Conv [(c+8)/2]"),
        ('Torch "nn.GELU" p = - 1', 'Torch "nn.GELU" p=-1'),
    ],
)
def test_item_has_one_text(text: str, canonical: str) -> None:
    (item,) = parse(text).body
    assert item_text(item) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("n=-(a+2)//3%b", "n = -(a + 2) // 3 % b"),
        ("s=[1,a*2]", "s = [1, a*2]"),
        ("default Res( pre k3 )", "default Res(pre k=3)"),
        ("scale s( width = 0.5 )", "scale s(width=0.5)"),
        ("def F( ){ }", "def F() { }"),
        ('use "a b"', 'use "a b"'),
    ],
)
def test_header_entry_has_one_text(text: str, canonical: str) -> None:
    (entry,) = parse(text).header
    assert entry_text(entry) == canonical


def test_layer_has_a_text_without_its_label() -> None:
    (item,) = parse("Conv 64 k3 @a").body
    assert isinstance(item.core, tree.Layer)
    assert layer_text(item.core) == "Conv 64 k=3"


@settings(max_examples=100, **SLOW)
@given(files())
def test_printed_tree_parses_to_itself(file: tree.File) -> None:
    printed = to_text(file)
    assert parse(printed) == file
    assert to_text(parse(printed)) == printed


@settings(max_examples=150, **SLOW)
@given(spellings())
def test_printing_keeps_meaning_and_comments_and_is_stable(case: tuple[tree.File, str]) -> None:
    file, text = case
    read = parse(text)
    printed = to_text(read)
    again = parse(printed)
    assert again == file
    assert sorted(c.text for c in again.comments) == sorted(c.text for c in read.comments)
    assert to_text(again) == printed
    assert all(line == line.rstrip() for line in printed.split("\n"))
