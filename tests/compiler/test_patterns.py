"""Patterns of CS231n: the layers and their repeats are read, and widths are left open."""

from __future__ import annotations

import re

import pytest

import netdsl
from netdsl.translation import translate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "INPUT -> [[CONV -> RELU]*2 -> POOL?]*3 -> [FC -> RELU]*2 -> FC",
            "((Conv … norm=none)x2 Max 2)x3 (FC …)x2 FC …",
        ),
        (
            "INPUT → [CONV → RELU → POOL]*N → FC → RELU → FC → SOFTMAX",
            "(Conv … norm=none Max 2)x n FC … FC …",
        ),
        ("INPUT -> FC", "FC …"),
        ("INPUT -> [FC -> RELU]*2", "(FC … act=relu)x2"),
        (
            "INPUT -> CONV -> BN -> RELU -> CONV -> BN -> CONV -> DROPOUT -> FC -> FC",
            "Conv … Conv … act=none Conv … norm=none act=none Dropout FC … act=none FC …",
        ),
        (
            "INPUT -> CONV -> RELU -> BN -> FC -> BN -> RELU -> FC",
            "Conv … norm=none Norm FC … act=none Norm Act relu FC …",
        ),
    ],
)
def test_a_pattern_is_its_layers_without_their_widths(text: str, expected: str) -> None:
    done = translate(text)
    assert done.text == expected
    assert done.error is not None
    filled = netdsl.parse(f"n = 2 {re.sub('…', '8', done.text)}", input=(3, 16, 16))
    assert filled.output_shape == (8,)


def test_what_a_pattern_leaves_open_is_told() -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse("INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> FC", input=(3, 16, 16))
    assert [(found.message, found.help) for found in caught.value.diagnostics] == [
        (
            "`INPUT -> [[CONV -> RELU]*N -> POOL?]*M -…` is written "
            "`((Conv … norm=none)x n Max 2)x m FC …`",
            "the pattern says neither channels nor features; "
            "`POOL?` is a pool that may be left away; "
            "`n`, `m` are parameters of the header, as in `n = 2`",
        )
    ]


@pytest.mark.parametrize("text", ["INPUT", "INPUT -> POOL", "INPUT 3x32x32 Conv 8"])
def test_without_layers_there_is_no_pattern(text: str) -> None:
    assert translate(text).text == text
