"""Canonical text: what it looks like, and that nothing is lost on the way."""

from __future__ import annotations

from hypothesis import given, settings

from netdsl.syntax import parse, to_text, tree
from tests.compiler.strategies import files, spellings


@given(files())
@settings(max_examples=200)
def test_printed_tree_parses_to_itself(file: tree.File) -> None:
    text = to_text(file)
    assert parse(text) == file
    assert to_text(parse(text)) == text


@given(spellings())
@settings(max_examples=500)
def test_spelling(case) -> None:
    file, text = case
    read = parse(text)
    assert read == file
    printed = to_text(read)
    again = parse(printed)
    assert again == file
    assert sorted(c.text for c in again.comments) == sorted(c.text for c in read.comments)
    assert to_text(again) == printed
    assert all(line == line.rstrip() for line in printed.split('\n'))
