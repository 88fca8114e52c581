"""Header entries: what is told of each mistake, to the letter."""

from __future__ import annotations

import pytest

from netdsl.errors import NetDSLError
from netdsl.syntax import parse

MISTAKES = {
    "norm batch, act relu\nConv 64": """
error[E0111]: the entries of the header have no `,` between them
  --> net.arch:1:11
   |
 1 | norm batch, act relu
   |           ^
""",
    "norm Conv 64": """
error[E0112]: `norm` has no value
  --> net.arch:1:1
   |
 1 | norm Conv 64
   | ^^^^
   = help: a setting is written as in `norm batch`, all in lower case, a layer as in `Norm`
""",
    "act": """
error[E0112]: `act` has no value
  --> net.arch:1:1
   |
 1 | act
   | ^^^
   = help: a setting is written as in `norm batch`, all in lower case, a layer as in `Norm`
""",
    "name Conv 64": """
error[E0112]: `name` has no value
  --> net.arch:1:1
   |
 1 | name Conv 64
   | ^^^^
   = help: a name is written in quotes: `name "ResNet"`
""",
    "n(Conv 64)": """
error[E0113]: `n` takes a number, a size, a word or a string
  --> net.arch:1:2
   |
 1 | n(Conv 64)
   |  ^
""",
    "expect params=3 Conv 64": """
error[E0113]: `expect` is written as in `expect(params=0.85M depth=56)`
  --> net.arch:1:1
   |
 1 | expect params=3 Conv 64
   | ^^^^^^^^^^^^^
""",
    "expect(params 3) Conv 64": """
error[E0113]: a `=` is missing: write `params=3`
  --> net.arch:1:8
   |
 1 | expect(params 3) Conv 64
   |        ^^^^^^^^
""",
    "expect(params) Conv 64": """
error[E0112]: `params` has no value
  --> net.arch:1:8
   |
 1 | expect(params) Conv 64
   |        ^^^^^^
""",
    "expect(params=3, depth=2) Conv 64": """
error[E0111]: options have no `,` between them
  --> net.arch:1:16
   |
 1 | expect(params=3, depth=2) Conv 64
   |                ^
""",
    "default BB(dropout 0.5)\nConv 64": """
error[E0113]: a `=` is missing: write `dropout=0.5`
  --> net.arch:1:12
   |
 1 | default BB(dropout 0.5)
   |            ^^^^^^^^^^^
""",
    "default BB(dropout=0.5, pre)\nConv 64": """
error[E0111]: options have no `,` between them
  --> net.arch:1:23
   |
 1 | default BB(dropout=0.5, pre)
   |                       ^
""",
    "default(dropout=0.5)\nConv 64": """
error[E0113]: `default` is written as in `default BB(dropout=0.5 pre)`
  --> net.arch:1:1
   |
 1 | default(dropout=0.5)
   | ^^^^^^^^
""",
    "scale width=0.5\nConv 64": """
error[E0113]: `scale` is written as in `scale s(width=0.5)`
  --> net.arch:1:1
   |
 1 | scale width=0.5
   | ^^^^^^^^^^^
""",
    "scale s(0.5)\nConv 64": """
error[E0113]: `scale` is written as in `scale s(width=0.5)`
  --> net.arch:1:1
   |
 1 | scale s(0.5)
   | ^^^^^^^^^^^
""",
    "def Stage(c n) { Conv c }\nConv 64": """
error[E0113]: a `,` is missing between `c` and `n`
  --> net.arch:1:13
   |
 1 | def Stage(c n) { Conv c }
   |             ^
""",
    "def Stage(c,) { Conv c }\nConv 64": """
error[E0112]: a name is missing before `)`
  --> net.arch:1:13
   |
 1 | def Stage(c,) { Conv c }
   |             ^
""",
    "def Stage { Conv 3 }\nConv 64": """
error[E0113]: `def` is written as in `def Stage(c, n, s=2) { … }`
  --> net.arch:1:1
   |
 1 | def Stage { Conv 3 }
   | ^^^^^^^^^^^
""",
    "def Stage(c) Conv c": """
error[E0113]: `def` is written as in `def Stage(c, n, s=2) { … }`
  --> net.arch:1:1
   |
 1 | def Stage(c) Conv c
   | ^^^^^^^^^^^^^^^^^
""",
    "def Res(c) { Conv c }\nConv 64": """
error[E0113]: `Res` is part of the language, a block needs another name
  --> net.arch:1:5
   |
 1 | def Res(c) { Conv c }
   |     ^^^
""",
    "n = 3 4 Conv n": """
error[E0102]: `4` belongs to no header entry
  --> net.arch:1:7
   |
 1 | n = 3 4 Conv n
   |       ^
""",
    "norm None Conv 64": """
error[E0108]: a value is lower case: `norm none`
  --> net.arch:1:6
   |
 1 | norm None Conv 64
   |      ^^^^
""",
    "bias False Conv 64": """
error[E0108]: a value is lower case: `bias false`
  --> net.arch:1:6
   |
 1 | bias False Conv 64
   |      ^^^^^
""",
    "head GAP Conv 64": """
error[E0108]: a value is lower case: `head gap`
  --> net.arch:1:6
   |
 1 | head GAP Conv 64
   |      ^^^
""",
    "act ReLU6 Conv 64": """
error[E0108]: a value is lower case: `act relu6`
  --> net.arch:1:5
   |
 1 | act ReLU6 Conv 64
   |     ^^^^^
""",
    "n = 1e3 Conv n": """
error[E0113]: an exponent is negative or left away: write `1000`
  --> net.arch:1:5
   |
 1 | n = 1e3 Conv n
   |     ^^^
""",
    "expect(params=1.5e6) Conv 64": """
error[E0113]: an exponent is negative or left away: write `1500000`
  --> net.arch:1:15
   |
 1 | expect(params=1.5e6) Conv 64
   |               ^^^^^
""",
    "scale s(width=1e3) Conv 64": """
error[E0113]: an exponent is negative or left away: write `1000`
  --> net.arch:1:15
   |
 1 | scale s(width=1e3) Conv 64
   |               ^^^
""",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistake_is_told_in_these_words(text: str) -> None:
    with pytest.raises(NetDSLError) as error:
        parse(text, "net.arch")
    assert str(error.value) == MISTAKES[text].strip("\n")
