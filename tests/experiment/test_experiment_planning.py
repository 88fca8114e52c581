"""Rows of a comparison to their labels and to what is left of twins, against slower ways to both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from netdsl.api import parse
from netdsl.experiment.key import Resolved, Stage
from netdsl.experiment.labels import differing, label_all
from netdsl.experiment.planning import without_needless_twins
from netdsl.experiment.variant import Variant
from netdsl.train import TrainError, resolve

NETWORKS = [
    parse(f"input 1x8x8  classes 10  {block} 4  GAP  FC classes") for block in ("Conv", "BB")
]
# Few values, so that many rows agree: 1, 1.0 and True are equal, a list and a tuple are not.
SAID = (1, 1.0, True, "x", [1], (1,), [[1]], {"a": [1]}, {"a": (1,)})
TABLES = st.dictionaries(st.sampled_from("ab"), st.sampled_from(SAID), max_size=2)
VARIANTS = st.builds(
    Variant, st.sampled_from(["net1", "net2"]), plain=st.booleans(), set=TABLES, params=TABLES,
    label=st.sampled_from(["", "", "wide"]), limit=st.sampled_from([None, 5]),
    budgets=st.dictionaries(st.just("cpu"), TABLES, max_size=1),
)  # fmt: skip
ROWS = st.lists(st.tuples(VARIANTS, st.booleans(), st.booleans()), max_size=12)


def slow_labels(variants: Sequence[Variant], names: Sequence[str]) -> list[str]:
    """Compare every row with every other, without the refusal of two that are called alike."""
    called = [variant.label or name for variant, name in zip(variants, names, strict=True)]
    found = []
    for variant, mine in zip(variants, called, strict=True):
        alike = [v for v, name in zip(variants, called, strict=True) if name == mine]
        told = differing(alike)
        said = variant.details()
        details = [f"{one[1]}={text}" for one, text in said.items()
                   if one in told or (one[0] == "params" and not variant.label)]  # fmt: skip
        found.append(f"{mine} {', '.join(details)}".rstrip())
    return found


@given(st.lists(VARIANTS, max_size=12))
def test_labels_are_those_of_every_row_compared_with_every_other(variants: list[Variant]) -> None:
    names = [variant.arch for variant in variants]
    expected = slow_labels(variants, names)
    shown = [(label, v.plain) for label, v in zip(expected, variants, strict=True)]
    try:
        labels = label_all(variants, names)
    except TrainError:
        assert len({*shown}) < len(shown)
    else:
        assert [*labels] == expected


def test_variants_are_equal_whose_identities_are() -> None:
    variants = [Variant("net1", set={"a": said, "b": 0}) for said in SAID]
    variants += [Variant("net1", set={"b": 0, "a": 1}), Variant("net1", params={"a": 1, "b": 0})]
    for one, other in product(variants, repeat=2):
        assert (one == other) == (one.identity == other.identity), (one.set, other.set)
    assert len({variant.identity for variant in variants}) == len(SAID) - 2 + 1


@given(ROWS)
def test_twins_are_left_out_as_by_comparing_every_row_with_every_other(
    rows: list[tuple[Variant, bool, bool]],
) -> None:
    found: list[tuple[Variant, Resolved]] = []
    for variant, has_blocks, has_twin in rows:
        found.append((variant, stages(has_blocks)))
        if has_twin:
            found.append((replace(variant, plain=not variant.plain), stages(has_blocks)))
    expected = [
        (variant, one)
        for variant, one in found
        if not variant.plain
        or not any(
            other == replace(variant, plain=False) and theirs[-1].network.blocks == 0
            for other, theirs in found
        )
    ]
    assert without_needless_twins(found) == expected


def stages(has_blocks: bool) -> Resolved:
    images: Any = None  # they do not matter here
    return (Stage(NETWORKS[has_blocks], images, resolve(), {}, frozenset()),)
