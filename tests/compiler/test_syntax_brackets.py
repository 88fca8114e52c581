"""Brackets and branches: what is told of each mistake, to the letter."""

from __future__ import annotations

import pytest

from netdsl.errors import NetDSLError
from netdsl.syntax import parse

MISTAKES = {
    "Conv 64)": """
error[E0103]: `)` closes nothing
  --> net.arch:1:8
   |
 1 | Conv 64)
   |        ^
""",
    "(Conv 64": """
error[E0103]: `(` is not closed
  --> net.arch:1:1
   |
 1 | (Conv 64
   | ^
""",
    "Cat(Conv 64": """
error[E0103]: `(` is not closed
  --> net.arch:1:4
   |
 1 | Cat(Conv 64
   |    ^
""",
    "Conv 64 k=[3": """
error[E0103]: `[` is not closed
  --> net.arch:1:11
   |
 1 | Conv 64 k=[3
   |           ^
""",
    "(Conv 64]x2": """
error[E0103]: `]` does not close `(`
  --> net.arch:1:9
   |
 1 | (Conv 64]x2
   | -       ^
   | opened here
""",
    "Conv [64, 128) FC 10": """
error[E0103]: `)` does not close `[`
  --> net.arch:1:14
   |
 1 | Conv [64, 128) FC 10
   |      -       ^
   |      opened here
""",
    "(Conv [64, 128) FC 10": """
error[E0103]: `[` is not closed before `)`
  --> net.arch:1:7
   |
 1 | (Conv [64, 128) FC 10
   |       ^       - closes an outer bracket
""",
    "def F(c) { Conv c\nConv 64": """
error[E0103]: `{` is not closed
  --> net.arch:1:10
   |
 1 | def F(c) { Conv c
   |          ^
""",
    "Conv 64 }": """
error[E0103]: `}` closes nothing
  --> net.arch:1:9
   |
 1 | Conv 64 }
   |         ^
""",
    "Conv(64)": """
error[E0117]: the arguments of a layer stand without brackets
  --> net.arch:1:5
   |
 1 | Conv(64)
   |     ^^^^
   = help: write `Conv 64`
""",
    "Conv(64, k=3) BB 64": """
error[E0117]: the arguments of a layer stand without brackets
  --> net.arch:1:5
   |
 1 | Conv(64, k=3) BB 64
   |     ^^^^^^^^^
   = help: write `Conv 64 k=3`
""",
    "Conv (c+8)": """
error[E0117]: the arguments of a layer stand without brackets
  --> net.arch:1:6
   |
 1 | Conv (c+8)
   |      ^^^^^
   = help: write `Conv [c+8]`
""",
    "Conv (c+8)/2": """
error[E0117]: the arguments of a layer stand without brackets
  --> net.arch:1:6
   |
 1 | Conv (c+8)/2
   |      ^^^^^
   = help: write `Conv [(c+8)/2]`
""",
    "Dropout()": """
error[E0117]: the arguments of a layer stand without brackets
  --> net.arch:1:8
   |
 1 | Dropout()
   |        ^^
   = help: write `Dropout`
""",
    "()x2": """
error[E0117]: the brackets hold no layer
  --> net.arch:1:1
   |
 1 | ()x2
   | ^^
""",
    "Conv 2*(c+1)": """
error[E0117]: an expression with brackets stands inside `[ ]`
  --> net.arch:1:8
   |
 1 | Conv 2*(c+1)
   |        ^^^^^
   = help: write `[2*(c+1)]`
""",
    "Conv 64 { BB 3 }": """
error[E0117]: `{` stands only in `def Stage(c) { … }`
  --> net.arch:1:9
   |
 1 | Conv 64 { BB 3 }
   |         ^
   = help: layers are grouped by round brackets: `(Conv 64)x2`
""",
    "def stage(c) {}": """
error[E0108]: the name of a block starts with a capital: `Stage`
  --> net.arch:1:5
   |
 1 | def stage(c) {}
   |     ^^^^^
""",
    "Add Conv 64 | Conv 64": """
error[E0117]: `Add` needs brackets: `Add( … | … )`
  --> net.arch:1:1
   |
 1 | Add Conv 64 | Conv 64
   | ^^^
""",
    "Add Conv 64 | Conv 64)": """
error[E0117]: `Add` needs brackets: `Add( … | … )`
  --> net.arch:1:1
   |
 1 | Add Conv 64 | Conv 64)
   | ^^^
""",
    "Res": """
error[E0117]: `Res` needs brackets: `Res( … )`
  --> net.arch:1:1
   |
 1 | Res
   | ^^^
""",
    "Cat 64 ( Conv 3 | Conv 4 )": """
error[E0117]: `Cat` takes no `64`, only options such as `act=relu`
  --> net.arch:1:5
   |
 1 | Cat 64 ( Conv 3 | Conv 4 )
   |     ^^
""",
    "Conv 64 | Conv 32": """
error[E0117]: `|` stands only between branches: `Add( … | … )`, `Cat( … | … )`, `Mul( … | … )`
  --> net.arch:1:9
   |
 1 | Conv 64 | Conv 32
   |         ^
""",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistake_is_told_in_these_words(text: str) -> None:
    with pytest.raises(NetDSLError) as error:
        parse(text, "net.arch")
    assert str(error.value) == MISTAKES[text].strip("\n")
