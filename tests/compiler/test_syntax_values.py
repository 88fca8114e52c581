"""Values, lists and signs: what is told of each mistake, to the letter."""

from __future__ import annotations

import pytest

import netdsl
from netdsl.errors import NetDSLError
from netdsl.syntax import parse

MISTAKES = {
    "Conv 64 k = ": """
error[E0112]: a value is missing after `k =`
  --> net.arch:1:9
   |
 1 | Conv 64 k =
   |         ^^^
""",
    "n = ": """
error[E0112]: a value is missing after `n =`
  --> net.arch:1:1
   |
 1 | n =
   | ^^^
""",
    "n = \nk = 2\nConv 64": """
error[E0112]: a value is missing after `n =`
  --> net.arch:1:1
   |
 1 | n =
   | ^^^
""",
    "n = 3 - \nConv 64": """
error[E0112]: a value is missing after `-`
  --> net.arch:1:7
   |
 1 | n = 3 -
   |       ^
""",
    "Conv k=(BB 3)": """
error[E0112]: a value is missing after `k =`
  --> net.arch:1:6
   |
 1 | Conv k=(BB 3)
   |      ^^
""",
    "Conv -64": """
error[E0114]: a sign stands only directly after `=` and inside `[ ]`
  --> net.arch:1:6
   |
 1 | Conv -64
   |      ^
""",
    "Conv 2*-1": """
error[E0114]: a sign stands only directly after `=` and inside `[ ]`
  --> net.arch:1:8
   |
 1 | Conv 2*-1
   |        ^
""",
    "Conv [--1]": """
error[E0114]: a sign stands only directly after `=` and inside `[ ]`
  --> net.arch:1:8
   |
 1 | Conv [--1]
   |        ^
""",
    "Conv 64 k=+1": """
error[E0114]: a value has no `+` before it
  --> net.arch:1:11
   |
 1 | Conv 64 k=+1
   |           ^
""",
    "drop_path -0.5 Conv 64": """
error[E0113]: `drop_path` takes no negative number
  --> net.arch:1:11
   |
 1 | drop_path -0.5 Conv 64
   |           ^
""",
    "Conv 64 act=Relu": """
error[E0108]: a value is lower case: `act=relu`
  --> net.arch:1:13
   |
 1 | Conv 64 act=Relu
   |             ^^^^
""",
    "= 3 Conv 64": """
error[E0112]: a name is missing before `=`
  --> net.arch:1:1
   |
 1 | = 3 Conv 64
   | ^
""",
    "N = 9\nConv 64": """
error[E0108]: a parameter is lower case: `n =`
  --> net.arch:1:1
   |
 1 | N = 9
   | ^^^
""",
    "Conv []": """
error[E0116]: the list is empty
  --> net.arch:1:6
   |
 1 | Conv []
   |      ^^
""",
    "Conv [1 2]": """
error[E0116]: a `,` is missing between `1` and `2`
  --> net.arch:1:9
   |
 1 | Conv [1 2]
   |         ^
""",
    "Conv [1,,2]": """
error[E0116]: a value is missing before `,`
  --> net.arch:1:9
   |
 1 | Conv [1,,2]
   |         ^
""",
    "Conv [1,2,]": """
error[E0116]: a value is missing before `]`
  --> net.arch:1:11
   |
 1 | Conv [1,2,]
   |           ^
""",
    "Conv [1,2;3]": """
error[E0116]: the values of a list have `,` between them, not `;`
  --> net.arch:1:10
   |
 1 | Conv [1,2;3]
   |          ^
""",
    "Conv [Conv 64]": """
error[E0116]: a list holds values, not layers such as `Conv`
  --> net.arch:1:7
   |
 1 | Conv [Conv 64]
   |       ^^^^
   = help: layers are grouped by round brackets: `(Conv 64)x2`
""",
    "Conv k=[1, k=3]": """
error[E0116]: a list holds values, not options such as `k=`
  --> net.arch:1:12
   |
 1 | Conv k=[1, k=3]
   |            ^^
""",
    "Conv k=(1, 2)": """
error[E0116]: a list stands in square brackets: `[64, 128]`
  --> net.arch:1:10
   |
 1 | Conv k=(1, 2)
   |          ^
   = help: a size is written with `x`: `3x5`
""",
    "n = (3 4) Conv n": """
error[E0102]: an operator is missing between `3` and `4`
  --> net.arch:1:8
   |
 1 | n = (3 4) Conv n
   |        ^
""",
    "Conv [1, 2] ) + 3": """
error[E0103]: `)` closes nothing
  --> net.arch:1:13
   |
 1 | Conv [1, 2] ) + 3
   |             ^
""",
    "Conv 64 act=LeakyReLU": """
error[E0108]: a value is lower case: `act=leaky_relu`
  --> net.arch:1:13
   |
 1 | Conv 64 act=LeakyReLU
   |             ^^^^^^^^^
""",
    "Conv 64 norm=BatchNorm2d": """
error[E0108]: a value is lower case: `norm=batch`
  --> net.arch:1:14
   |
 1 | Conv 64 norm=BatchNorm2d
   |              ^^^^^^^^^^^
""",
    "Conv 64 norm=False": """
error[E0108]: a value is lower case: `norm=none`
  --> net.arch:1:14
   |
 1 | Conv 64 norm=False
   |              ^^^^^
""",
    "Conv 64 act=ReLU6 Max 2": """
error[E0108]: a value is lower case: `act=relu6`
  --> net.arch:1:13
   |
 1 | Conv 64 act=ReLU6 Max 2
   |             ^^^^^
""",
    "BB 512* Max 2": """
error[E0112]: a value is missing after `*`
  --> net.arch:1:7
   |
 1 | BB 512* Max 2
   |       ^
   = help: delete it, or write a repeat as in `(Conv 64)x2`
""",
    "GAP FC01": """
error[E0109]: a number begins with no `0`: write `1`, if that is meant
  --> net.arch:1:7
   |
 1 | GAP FC01
   |       ^^
""",
    "Conv 64 k03s2 :64x08x8 LayerScale 1e-06 Dropout 0.05": """
error[E0109]: a number begins with no `0`: write `3`, if that is meant
  --> net.arch:1:10
   |
 1 | Conv 64 k03s2 :64x08x8 LayerScale 1e-06 Dropout 0.05
   |          ^^

error[E0109]: a number begins with no `0`: write `64x8x8`, if that is meant
  --> net.arch:1:16
   |
 1 | Conv 64 k03s2 :64x08x8 LayerScale 1e-06 Dropout 0.05
   |                ^^^^^^^
""",
    "(BB 512)×2*": """
error[E0112]: a number is missing after `*`
  --> net.arch:1:11
   |
 1 | (BB 512)×2*
   |           ^
   = help: delete it, or write a repeat as in `(Conv 64)x2`
""",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistake_is_told_in_these_words(text: str) -> None:
    with pytest.raises(NetDSLError) as error:
        parse(text, "net.arch")
    assert str(error.value) == MISTAKES[text].strip("\n")


@pytest.mark.parametrize(
    ("text", "written", "meant"),
    [
        ("input 3x64x64a\nConv 64", "3x64x64a", "3x64x64"),
        ("input 3x64xx64\nConv 64", "3x64xx64", "3x64x64"),
        ("Conv 64 3bx3", "3bx3", "3x3"),
        ("Conv 3xx3 64", "3xx3", "3x3"),
        ("Conv 64 3x5b s2", "3x5b", "3x5"),
        ("Conv 64 k=3x5b", "3x5b", "3x5"),
    ],
)
def test_a_slip_in_a_size_is_told_with_the_size(text: str, written: str, meant: str) -> None:
    with pytest.raises(NetDSLError) as caught:
        netdsl.parse(text, input=None if "input" in text else (3, 9, 9))
    (found,) = caught.value.diagnostics
    assert found.message == f"`{written}` is no size; did you mean `{meant}`?"
    assert found.span is not None
    assert found.span.text == written


@pytest.mark.parametrize("options", ["7x7s2", "7x7act=gelu", "k7x7s2", "3x5bias"])
def test_options_behind_a_size_are_no_slips_in_it(options: str) -> None:
    with pytest.raises(NetDSLError) as caught:
        netdsl.parse(f"Conv 64 {options} 5", input=(3, 32, 32))
    assert [found.code for found in caught.value.diagnostics] == ["E0205"]
