"""Separators, labels, shapes and case: what is told of each mistake, to the letter."""

from __future__ import annotations

import pytest

from netdsl.errors import NetDSLError
from netdsl.syntax import parse

MISTAKES = {
    "Conv, 64": """
error[E0111]: `,` ends the layer: write `Conv 64`
  --> net.arch:1:5
   |
 1 | Conv, 64
   |     ^
""",
    "Conv 64; k=3": """
error[E0111]: `;` ends the layer: write `Conv 64 k=3`
  --> net.arch:1:8
   |
 1 | Conv 64; k=3
   |        ^
""",
    "Conv 64, [3]": """
error[E0111]: `,` ends the layer: write `Conv 64 [3]`
  --> net.arch:1:8
   |
 1 | Conv 64, [3]
   |        ^
""",
    "(Conv 64), 3x3": """
error[E0111]: `,` ends the layer
  --> net.arch:1:10
   |
 1 | (Conv 64), 3x3
   |          ^
""",
    "Conv 64, , FC 10": """
error[E0111]: a layer is missing between `,` and `,`
  --> net.arch:1:10
   |
 1 | Conv 64, , FC 10
   |          ^
""",
    "Conv 64 -> -> FC 10": """
error[E0111]: a layer is missing between `->` and `->`
  --> net.arch:1:12
   |
 1 | Conv 64 -> -> FC 10
   |            ^^
""",
    ", Conv 64": """
error[E0111]: a layer is missing before `,`
  --> net.arch:1:1
   |
 1 | , Conv 64
   | ^
""",
    "(, Conv 64)": """
error[E0111]: a layer is missing before `,`
  --> net.arch:1:2
   |
 1 | (, Conv 64)
   |  ^
""",
    "Res, act=relu ( Conv 3 )": """
error[E0111]: options have no `,` between them
  --> net.arch:1:4
   |
 1 | Res, act=relu ( Conv 3 )
   |    ^
""",
    "Conv 64 @": """
error[E0112]: a name is missing after `@`, as in `@enc`
  --> net.arch:1:9
   |
 1 | Conv 64 @
   |         ^
""",
    "Conv 64 @Enc": """
error[E0108]: a label is lower case: `@enc`
  --> net.arch:1:9
   |
 1 | Conv 64 @Enc
   |         ^^^^
""",
    "Conv 64 @a @b": """
error[E0118]: a layer or group has one label
  --> net.arch:1:12
   |
 1 | Conv 64 @a @b
   |            ^^
   = help: a label is read where a branch begins, as in `Add( | @b )`
""",
    "Conv 64 @a (@a Conv 64)x2": """
error[E0118]: `@a` stands behind no layer
  --> net.arch:1:13
   |
 1 | Conv 64 @a (@a Conv 64)x2
   |             ^^
   = help: a label is read where a branch begins, as in `Add( | @a )`
""",
    "def D() { @x Conv 64 } D": """
error[E0118]: `@x` stands behind no layer
  --> net.arch:1:11
   |
 1 | def D() { @x Conv 64 } D
   |           ^^
   = help: what comes into a definition is named by `Act none @x`, which does nothing
""",
    "Conv 64 @a k3": """
error[E0118]: the arguments of a layer stand before its label
  --> net.arch:1:12
   |
 1 | Conv 64 @a k3
   |            ^^
""",
    "Cat( @a 64 )": """
error[E0102]: `64` belongs to no layer
  --> net.arch:1:9
   |
 1 | Cat( @a 64 )
   |         ^^
""",
    "Conv 64 :": """
error[E0112]: a shape is missing after `:`, as in `:64x32x32`
  --> net.arch:1:9
   |
 1 | Conv 64 :
   |         ^
""",
    "Conv 64 :3.5": """
error[E0119]: a shape is written in whole numbers: `:10`, `:64x32x32`
  --> net.arch:1:10
   |
 1 | Conv 64 :3.5
   |          ^^^
""",
    "Conv 64 :64 @a": """
error[E0118]: a label stands before the shape: `@a :64`
  --> net.arch:1:13
   |
 1 | Conv 64 :64 @a
   |             ^^
""",
    "Conv 64 :64 :64": """
error[E0118]: a layer or group has one shape
  --> net.arch:1:13
   |
 1 | Conv 64 :64 :64
   |             ^
""",
    "Conv 64 k:3": """
error[E0118]: an option is written with `=`: `k=3`
  --> net.arch:1:9
   |
 1 | Conv 64 k:3
   |         ^^^
""",
    "Conv 64 k:3x5": """
error[E0118]: an option is written with `=`: `k=3x5`
  --> net.arch:1:9
   |
 1 | Conv 64 k:3x5
   |         ^^^^^
""",
    "Conv 64 act:relu": """
error[E0118]: an option is written with `=`: `act=relu`
  --> net.arch:1:9
   |
 1 | Conv 64 act:relu
   |         ^^^^^^^^
""",
    "Conv ! 64": """
error[E0118]: `!` stands only directly behind a channel count or a repeat: `16!`, `x3!`
  --> net.arch:1:6
   |
 1 | Conv ! 64
   |      ^
""",
    "Conv 64 k=3!": """
error[E0118]: `!` stands only directly behind a channel count or a repeat: `16!`, `x3!`
  --> net.arch:1:12
   |
 1 | Conv 64 k=3!
   |            ^
""",
    "(Conv 64)x2 conv 64": """
error[E0108]: a layer starts with a capital: `Conv`
  --> net.arch:1:13
   |
 1 | (Conv 64)x2 conv 64
   |             ^^^^
   = help: header entries stand before the first layer
""",
    "Cat( conv 64 | Conv 3 )": """
error[E0108]: a layer starts with a capital: `Conv`
  --> net.arch:1:6
   |
 1 | Cat( conv 64 | Conv 3 )
   |      ^^^^
""",
    "conv(64)": """
error[E0108]: a layer starts with a capital: `Conv`
  --> net.arch:1:1
   |
 1 | conv(64)
   | ^^^^
""",
    "(Conv 64)x2 norm batch": """
error[E0110]: `norm batch` belongs to no layer
  --> net.arch:1:13
   |
 1 | (Conv 64)x2 norm batch
   |             ^^^^^^^^^^
   = help: header entries stand before the first layer
""",
    "(Conv 64)x2 n = 3": """
error[E0110]: `n = 3` belongs to no layer
  --> net.arch:1:13
   |
 1 | (Conv 64)x2 n = 3
   |             ^^^^^
   = help: header entries stand before the first layer
""",
    "Conv 64 def F(c) { Conv c } FC 3": """
error[E0110]: `def` stands in the header, before the first layer
  --> net.arch:1:9
   |
 1 | Conv 64 def F(c) { Conv c } FC 3
   |         ^^^
""",
    "64": """
error[E0102]: `64` belongs to no header entry
  --> net.arch:1:1
   |
 1 | 64
   | ^^
""",
    '"net" Conv 64': """
error[E0102]: `"net"` belongs to no header entry
  --> net.arch:1:1
   |
 1 | "net" Conv 64
   | ^^^^^
""",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistake_is_told_in_these_words(text: str) -> None:
    with pytest.raises(NetDSLError) as error:
        parse(text, "net.arch")
    assert str(error.value) == MISTAKES[text].strip("\n")
