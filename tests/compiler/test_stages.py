"""Cells of He et al. without sizes: the rule of the paper says which halve the map."""

from __future__ import annotations

import pytest

import netdsl
from netdsl.translation import translate


def test_cells_whose_channels_double_halve_the_map() -> None:
    done = translate("3x3, 16 [3x3, 16; 3x3, 16]x3 [3x3, 32; 3x3, 32]x3, [3x3,64;3x3,64]x3 10-d fc")
    assert done.text == "Conv 16 (BB 16)x3 (BB 32 s=[2, 1])x3, (BB 64 s=[2, 1])x3 FC 10"
    assert [change.help for change in done.changes][1:4] == [
        "or, where it halves the map, `(BB 16 s=[2, 1])x3`",
        "where its channels double, a cell of He et al. halves the map; else it is `(BB 32)x3`",
        "where its channels double, a cell of He et al. halves the map; else it is `(BB 64)x3`",
    ]


def test_resnext_without_sizes_is_the_one_of_the_paper() -> None:
    cells = [
        f"[1x1, {n}; 3x3, {n}, C=32; 1x1, {2 * n}]x{times}"
        for n, times in ((128, 3), (256, 4), (512, 6), (1024, 3))
    ]
    done = translate(f"7x7, 64, stride 2; 3x3 max pool, stride 2; {' '.join(cells)} GAP 1000-d fc")
    assert any("`shortcut project` in the header" in (one.help or "") for one in done.changes)
    ours = netdsl.parse(f"shortcut project {done.text}", input=(3, 224, 224))
    theirs = netdsl.load("resnext50_32x4d")
    assert (ours.params, ours.macs) == (theirs.params, theirs.macs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "k = 2 [3x3, 16×k; 3x3, 16×k]x3 [3x3, 32×k; 3x3, 32×k]x3",
            "k = 2 (BB 16*k)x3 (BB 32*k s=[2, 1])x3",
        ),
        ("[3x3, 16; 3x3, 16] & [3x3, 32; 3x3, 32] \\\\", "BB 16  BB 32 s2"),
    ],
)
def test_cells_with_a_parameter_or_signs_between_them_halve_it_too(
    text: str, expected: str
) -> None:
    assert translate(text).text.split() == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The stem is no cell, and what stands between two cells may have halved the map.
        ("k = 2 3x3, 16 [3x3, 16×k; 3x3, 16×k]", "k = 2 Conv 16 BB 16*k"),
        ("Conv 16 [3x3, 32; 3x3, 32]", "Conv 16 BB 32"),
        ("[3x3, 16; 3x3, 16] 2x2 max pool [3x3, 32; 3x3, 32]", "BB 16 Max 2 BB 32"),
        ("[3x3, 16; 3x3, 16] Max 2 [3x3, 32; 3x3, 32]", "BB 16 Max 2 BB 32"),
        ("[3x3, 16; 3x3, 16] [3x3, 48; 3x3, 48]", "BB 16 BB 48"),
        ("[3x3, 16; 3x3, 16] [5x5, 32; 3x3, 32]", "BB 16 Conv 32 5x5 Conv 32"),
        # Sizes say which cells do, or that it is open.
        ("conv2_x 8x8 [3x3, 16; 3x3, 16]\n[3x3, 32; 3x3, 32]", "BB 16 :16x8x8 BB 32"),
        (
            "input 3x8x8 conv2_x 8x8 [3x3, 16; 3x3, 16]\nconv3_x 8x8 [3x3, 32; 3x3, 32]",
            "input 3x8x8 BB 16 :16x8x8 BB 32 :32x8x8",
        ),
    ],
)
def test_no_other_cell_is_said_to_halve_it(text: str, expected: str) -> None:
    assert translate(text).text.split() == expected.split()


def test_what_a_cell_says_beside_is_told_too() -> None:
    changes = translate("[3x3, 16×k; 3x3, 16×k]x3 [3x3, 32×q; 3x3, 32×q] [3x3, 64×q; 3x3, 64×q]")
    assert changes.changes[2].help == (
        "where its channels double, a cell of He et al. halves the map; else it is `BB 64*q`; "
        "`q` is a parameter of the header, as in `q = 2`"
    )
