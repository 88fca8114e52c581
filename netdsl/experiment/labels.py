"""Variants to what they are called: readable, no longer than needed, no two alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from netdsl.experiment.variant import Detail, Variant
from netdsl.train import ExitCode, TrainError


def label_all(variants: Sequence[Variant], names: Sequence[str]) -> tuple[str, ...]:
    """Return a label for each variant, by the names of the networks; a twin has that of its twin.

    >>> both = [Variant("net1", params={"n": n}) for n in (3, 5)]
    >>> label_all(both, ["Net 1", "Net 1"])
    ('Net 1 n=3', 'Net 1 n=5')
    """
    begun = [variant.label or name for variant, name in zip(variants, names, strict=True)]
    alike: dict[str, list[Variant]] = {}
    for variant, begin in zip(variants, begun, strict=True):
        alike.setdefault(begin, []).append(variant)
    differ = {begin: differing(those) for begin, those in alike.items()}
    found = []
    for variant, begin in zip(variants, begun, strict=True):
        said = variant.details()
        own = {detail for detail in said if detail[0] == "params" and not variant.label}
        told = differ[begin] | own
        words = [f"{detail[1]}={said[detail]}" for detail in said if detail in told]
        found.append(" ".join([begin, *words[:1]]) + "".join(f", {word}" for word in words[1:]))
    _refuse_twice([display(label, plain=v.plain) for label, v in zip(found, variants, strict=True)])
    return tuple(found)


def group_all(variants: Sequence[Variant]) -> tuple[str, ...]:
    """Return for each variant what it shares with its plain twin and with no other.

    >>> twins = [Variant("net1", plain=plain, params={"n": 3}) for plain in (False, True)]
    >>> group_all(twins)
    ('net1|n=3', 'net1|n=3')
    """
    told = differing(variants)
    return tuple(
        "|".join([
            variant.arch,
            *(f"{detail[1]}={value}" for detail, value in variant.details().items()
              if detail in told or detail[0] == "params"),
        ])
        for variant in variants
    )  # fmt: skip


def display(label: str, *, plain: bool) -> str:
    """Return how a row is called where its twin is listed too.

    >>> display("resnet-cifar n=9", plain=True), display("plain-56", plain=True)
    ('resnet-cifar n=9, plain', 'plain-56')
    >>> display("explained", plain=True)
    'explained, plain'
    """
    return f"{label}, plain" if plain and not re.search(r"\bplain\b", label) else label


def differing(variants: Sequence[Variant]) -> set[Detail]:
    """Return the details in which not all of the variants agree."""
    seen = Counter(pair for variant in variants for pair in variant.details().items())
    return {detail for (detail, _), count in seen.items() if count < len(variants)}


def _refuse_twice(labels: Sequence[str]) -> None:
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        fact = f"{Counter(labels)[twice[0]]} networks are called {twice[0]!r}"
        help = 'give each its own label in the file of an experiment, as in label = "wide"'
        raise TrainError(fact, help, ExitCode.USAGE)
