"""Repeats and groups: what is told of each mistake, to the letter."""

from __future__ import annotations

import pytest

from netdsl.errors import NetDSLError
from netdsl.syntax import parse

MISTAKES = {
    "(Conv 64)2": """
error[E0105]: a repeat is written with `x`: `(Conv 64)x2`
  --> net.arch:1:10
   |
 1 | (Conv 64)2
   |          ^
""",
    "(Conv 64) 64": """
error[E0105]: a repeat is written with `x`: `(Conv 64)x64`
  --> net.arch:1:11
   |
 1 | (Conv 64) 64
   |           ^^
""",
    "Conv 64 x2": """
error[E0105]: a repeat needs a group: write `(Conv 64)x2`
  --> net.arch:1:9
   |
 1 | Conv 64 x2
   |         ^^
""",
    "Conv 64 × 2": """
error[E0105]: a repeat needs a group: write `(Conv 64)x2`
  --> net.arch:1:9
   |
 1 | Conv 64 × 2
   |         ^^^
""",
    "Conv 64 3 x 3": """
error[E0105]: a repeat needs a group: write `(Conv 64 3)x3`
  --> net.arch:1:11
   |
 1 | Conv 64 3 x 3
   |           ^^^
   = help: or, for a size, `3x3`
""",
    "Conv 64 Max 2 × 2": """
error[E0113]: a size is written without spaces: `2x2`
  --> net.arch:1:13
   |
 1 | Conv 64 Max 2 × 2
   |             ^^^^^
""",
    "Pooling 56 × 56 Max 3": """
error[E0113]: the size of a map is left away, or asserted behind a layer: `:64x56x56`
  --> net.arch:1:9
   |
 1 | Pooling 56 × 56 Max 3
   |         ^^^^^^^
""",
    "GAP*2": """
error[E0105]: a repeat needs a group: write `(GAP)x2`
  --> net.arch:1:4
   |
 1 | GAP*2
   |    ^^
""",
    "Conv c×2": """
error[E0105]: a repeat needs a group, as in `(Conv 64)x2`
  --> net.arch:1:6
   |
 1 | Conv c×2
   |      ^^^
""",
    "x2(Conv 64)": """
error[E0105]: a repeat stands behind its group: write `(Conv 64)x2`
  --> net.arch:1:1
   |
 1 | x2(Conv 64)
   | ^^
""",
    "2 x (Conv 64) Avg 2": """
error[E0105]: a repeat stands behind its group: write `(Conv 64)x2`
  --> net.arch:1:1
   |
 1 | 2 x (Conv 64) Avg 2
   | ^^^
""",
    "3(Conv 64)": """
error[E0105]: a repeat stands behind its group: write `(Conv 64)x3`
  --> net.arch:1:1
   |
 1 | 3(Conv 64)
   | ^
""",
    "(Conv 64)x": """
error[E0112]: a number is missing after `x`
  --> net.arch:1:10
   |
 1 | (Conv 64)x
   |          ^
""",
    "(Conv 64)x-2": """
error[E0114]: a sign stands only directly after `=` and inside `[ ]`
  --> net.arch:1:11
   |
 1 | (Conv 64)x-2
   |           ^
""",
    "(Conv 64) @a x2": """
error[E0105]: a repeat stands directly behind a group, as in `(Conv 64)x2`
  --> net.arch:1:14
   |
 1 | (Conv 64) @a x2
   |              ^
""",
    "act relu x2 Conv 64": """
error[E0105]: a repeat stands directly behind a group, as in `(Conv 64)x2`
  --> net.arch:1:10
   |
 1 | act relu x2 Conv 64
   |          ^
""",
    "(Conv 64)x2 k3": """
error[E0102]: `k3` belongs to no layer
  --> net.arch:1:13
   |
 1 | (Conv 64)x2 k3
   |             ^^
""",
    "Conv k=x2": """
error[E0105]: `x2` is read as a repeat, it cannot be a name
  --> net.arch:1:8
   |
 1 | Conv k=x2
   |        ^^
""",
    "Conv [x]": """
error[E0105]: `x` is read as a repeat, it cannot be a name
  --> net.arch:1:7
   |
 1 | Conv [x]
   |       ^
""",
    "x = 3 Conv 64": """
error[E0105]: `x` is read as a repeat, it cannot be a name
  --> net.arch:1:1
   |
 1 | x = 3 Conv 64
   | ^
""",
    "x2 = 3 Conv 64": """
error[E0105]: `x2` is read as a repeat, it cannot be a name
  --> net.arch:1:1
   |
 1 | x2 = 3 Conv 64
   | ^^
""",
    "def F(x) { BB 3 } Conv 3": """
error[E0105]: `x` is read as a repeat, it cannot be a name
  --> net.arch:1:7
   |
 1 | def F(x) { BB 3 } Conv 3
   |       ^
""",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistake_is_told_in_these_words(text: str) -> None:
    with pytest.raises(NetDSLError) as error:
        parse(text, "net.arch")
    assert str(error.value) == MISTAKES[text].strip("\n")
