"""Properties of random texts: every spelling means its tree, and no text breaks the parser."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netdsl.errors import NetDSLError
from netdsl.syntax import parse, to_text, tree
from tests.compiler.strategies import files, spellings

SLOW = {"suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
PIECES = (
    *"ABCabckxse019 .,;:@!|=+-*/%()[]{}#\"\n\r\t→×", "Conv ", "Res(", "Cat ", "def ", "scale ", "expect(", "k=", "x2",
    "k7s2", "\u00a0", "é", "&", "\0", "５", "->", "3x3", "1e-6", "default ",
)  # fmt: skip


def findings(text: str) -> tuple[tree.File | None, NetDSLError | None]:
    try:
        return parse(text, "net.arch"), None
    except NetDSLError as error:
        return None, error


def check(text: str) -> None:
    file, error = findings(text)
    if file is not None:
        assert parse(to_text(file)) == file
    if error is not None:
        errors = [d for d in error.diagnostics if d.code != "N0122"]  # of how many are not shown
        assert 0 < len(errors) <= 20
        assert all(d.span and 0 <= d.span.start <= d.span.end <= len(text) for d in errors)
        assert all(d.code[:3] in ("E01", "E02") for d in errors)
        assert all(d.show() for d in error.diagnostics)


def mutated(text: str, random: Random) -> str:
    for _ in range(random.choice((1, 1, 2, 5))):
        start = random.randrange(len(text) + 1)
        end = min(len(text), start + random.choice((0, 0, 1, 3)))
        text = text[:start] + random.choice((*PIECES, "", "")) + text[end:]
    return text


@settings(max_examples=100, **SLOW)
@given(spellings())
def test_every_spelling_means_its_tree(case: tuple[tree.File, str]) -> None:
    file, text = case
    assert parse(text) == file


@settings(max_examples=300, **SLOW)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map("".join))
def test_random_text_is_read_or_refused(text: str) -> None:
    check(text)


@settings(max_examples=150, **SLOW)
@given(files().map(to_text), st.integers(0, 2**32))
def test_mutated_text_is_read_or_refused(text: str, seed: int) -> None:
    check(mutated(text, Random(seed)))
