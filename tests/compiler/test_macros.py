"""Macros of LaTeX: what they make of their arguments is read, where the text defines them."""

from __future__ import annotations

import pytest

import netdsl
from netdsl.translation import translate

# The macros and a column of He et al. 2015, table 1, as its source has them.
BLOCKA = (
    r"\newcommand{\blocka}[2]{\multirow{3}{*}{\(\left[\begin{array}{c}\text{3$\times$3, #1}"
    r"\\[-.1em] \text{3$\times$3, #1} \end{array}\right]\)$\times$#2}}"
)
BLOCKB = (
    r"\newcommand{\blockb}[3]{\multirow{3}{*}{\(\left[\begin{array}{c}\text{1$\times$1, #2}"
    r"\\[-.1em] \text{3$\times$3, #2}\\[-.1em] \text{1$\times$1, #1}\end{array}\right]\)$\times$#3}}"
)
STEM = r"""conv1 & 112$\times$112 & 7$\times$7, 64, stride 2\\
\hline
& & 3$\times$3 max pool, stride 2\\
"""
ROWS = r"""conv2\_x & 56$\times$56 & \blockb{256}{64}{3}\\
conv3\_x & 28$\times$28 & \blockb{512}{128}{4}\\
conv4\_x & 14$\times$14 & \blockb{1024}{256}{6}\\
conv5\_x & 7$\times$7 & \blockb{2048}{512}{3}\\
& 1$\times$1 & average pool, 1000-d fc, softmax
"""


def test_the_source_of_he_et_al_is_the_resnet() -> None:
    done = translate(f"{BLOCKA}\n{BLOCKB}\n{STEM}{ROWS}")
    assert done.error is None
    ours = netdsl.parse(f"shortcut project {done.text}", input=(3, 224, 224))
    theirs = netdsl.load("resnet50")
    assert (ours.params, ours.macs) == (theirs.params, theirs.macs)
    assert [change.help for change in done.changes][:2] == [
        "what it makes is written where it is used"
    ] * 2


@pytest.mark.parametrize(
    ("text", "help"),
    [
        (r"\blocka{64}{3}", "`(BB 64)x3`"),
        (r"\blockb{256}{64}{3}", "`(Bott 256)x3`"),
    ],
)
def test_a_macro_of_he_et_al_that_no_line_defines_is_asked_for(text: str, help: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(f"3x3, 64 {text} GAP", input=(3, 8, 8))
    found = caught.value.diagnostics[-1]
    assert found.message == f"`{text}` is written as what its `\\newcommand` makes of it"
    assert (
        found.help == f"in the source of He et al. it is {help}; paste the line that defines it too"
    )
    assert text in translate(text).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\newcommand{\conv}[2]{#1$\times$#1, #2}" + "\n" + r"\conv{3}{64} \conv{5}{8} GAP",
         "Conv 64 Conv 8 5x5 GAP"),
        (r"\newcommand\stem{3$\times$3, 64}" + "\n" + r"\stem{} GAP", "Conv 64 GAP"),
        (r"\renewcommand*{\cell}[1]{[3x3, #1; 3x3, #1]}" + "\n" + r"\cell{8} \cell{16}",
         "BB 8 BB 16 s2"),
    ],
)  # fmt: skip
def test_what_a_macro_makes_is_read(text: str, expected: str) -> None:
    done = translate(text)
    assert (done.text.split(), done.error) == (expected.split(), None)


def test_a_macro_with_too_few_arguments_stays() -> None:
    text = r"\newcommand{\cell}[2]{[3x3, #1; 3x3, #1]x#2}" + "\n" + r"\cell{8} GAP"
    assert r"\cell{8}" in translate(text).text


def test_a_comment_is_one_behind_a_macro_too() -> None:
    text = r"\newcommand{\stem}{3x3, 64}" + "\n" + r"\stem{} # \stem{}" + "\nGAP"
    assert translate(text).text == "Conv 64 # \\stem{}\nGAP"
