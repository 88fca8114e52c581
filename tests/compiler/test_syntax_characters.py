"""Characters, strings and numbers: what is told of each mistake, to the letter."""

from __future__ import annotations

import pytest

from netdsl.errors import NetDSLError
from netdsl.syntax import parse

MISTAKES = {
    "Conv 64 & BB 3": """
error[E0101]: unexpected character `&`
  --> net.arch:1:9
   |
 1 | Conv 64 & BB 3
   |         ^
""",
    "Conv ６４": """
error[E0101]: unexpected characters `６４`
  --> net.arch:1:6
   |
 1 | Conv ６４
   |      ^^^^
   = help: write `64`
""",
    "drop_path 1e−6 Conv 3": """
error[E0101]: unexpected character `−`
  --> net.arch:1:13
   |
 1 | drop_path 1e−6 Conv 3
   |             ^
   = help: write `-`
""",
    "Conv 64 => FC 10": """
error[E0101]: unexpected characters `=>`
  --> net.arch:1:9
   |
 1 | Conv 64 => FC 10
   |         ^^
   = help: write `->`
""",
    "Conv 64 ➔ FC 10": """
error[E0101]: unexpected character `➔`
  --> net.arch:1:9
   |
 1 | Conv 64 ➔ FC 10
   |         ^
   = help: write `->`
""",
    "name “net” Conv 64": """
error[E0101]: unexpected character `“`
  --> net.arch:1:6
   |
 1 | name “net” Conv 64
   |      ^
   = help: write `"`

error[E0101]: unexpected character `”`
  --> net.arch:1:10
   |
 1 | name “net” Conv 64
   |          ^
   = help: write `"`
""",
    "（Conv 64)x2": """
error[E0101]: unexpected character `（`
  --> net.arch:1:1
   |
 1 | （Conv 64)x2
   | ^^
   = help: write `(`
""",
    "Conv 64 .5": """
error[E0101]: unexpected character `.`
  --> net.arch:1:9
   |
 1 | Conv 64 .5
   |         ^
   = help: write `0.5`
""",
    "Conv 5.": """
error[E0101]: unexpected character `.`
  --> net.arch:1:7
   |
 1 | Conv 5.
   |       ^
""",
    "Conv 1.2.3": """
error[E0101]: unexpected character `.`
  --> net.arch:1:9
   |
 1 | Conv 1.2.3
   |         ^
""",
    "Conv 64 \x07 BB 3": """
error[E0101]: unexpected character U+0007
  --> net.arch:1:9
   |
 1 | Conv 64 ␇ BB 3
   |         ^
""",
    "inpuﬁt 3x32x32 Conv 3": """
error[E0101]: unexpected character `ﬁ`
  --> net.arch:1:5
   |
 1 | inpuﬁt 3x32x32 Conv 3
   |     ^
   = help: write `fi`
""",
    "Conv 64\t& BB 3": """
error[E0101]: unexpected character `&`
  --> net.arch:1:9
   |
 1 | Conv 64\t& BB 3
   |        \t^
""",
    'name "日本🙂e\u0301" & Conv': """
error[E0101]: unexpected character `&`
  --> net.arch:1:14
   |
 1 | name "日本🙂e\u0301" & Conv
   |                ^
""",
    'name "\x1b[31m\x07\u202e" Conv 3 \x7f': """
error[E0101]: unexpected character U+007F
  --> net.arch:1:23
   |
 1 | name "␛[31m␇�" Conv 3 ␡
   |                       ^
""",
    'name "net\nConv 64': """
error[E0115]: the string is not closed
  --> net.arch:1:6
   |
 1 | name "net
   |      ^^^^
   = help: a text ends on the line that it begins on
""",
    'name "a\nb" Conv 64': """
error[E0115]: the string is not closed
  --> net.arch:1:6
   |
 1 | name "a
   |      ^^
   = help: a text ends on the line that it begins on
""",
    "Conv 1234567890123456": """
error[E0109]: a number has at most 15 digits, this one has 16
  --> net.arch:1:6
   |
 1 | Conv 1234567890123456
   |      ^^^^^^^^^^^^^^^^
""",
    "Conv k1234567890123456": """
error[E0109]: a number has at most 15 digits, this one has 16
  --> net.arch:1:7
   |
 1 | Conv k1234567890123456
   |       ^^^^^^^^^^^^^^^^
""",
    "Conv 1e-1000": """
error[E0109]: an exponent has at most 2 digits
  --> net.arch:1:7
   |
 1 | Conv 1e-1000
   |       ^^^^^^
""",
    "_conv 64": """
error[E0101]: unexpected character `_`
  --> net.arch:1:1
   |
 1 | _conv 64
   | ^
""",
    "Conv − 64": """
error[E0101]: unexpected character `−`
  --> net.arch:1:6
   |
 1 | Conv − 64
   |      ^
   = help: write a space
""",
    "Dropout 0·5": """
error[E0101]: unexpected character `·`
  --> net.arch:1:10
   |
 1 | Dropout 0·5
   |          ^
   = help: write `.`
""",
    "Conv 2·8": """
error[E0101]: unexpected character `·`
  --> net.arch:1:7
   |
 1 | Conv 2·8
   |       ^
   = help: write `*`
""",
    "BB 512†": """
error[E0101]: unexpected character `†`
  --> net.arch:1:7
   |
 1 | BB 512†
   |       ^
   = help: delete it, or write a repeat as in `(Conv 64)x2`
""",
    "• Conv 64": """
error[E0101]: unexpected character `•`
  --> net.arch:1:1
   |
 1 | • Conv 64
   | ^
   = help: delete it
""",
    "Conv 64 >< Max 2": """
error[E0101]: unexpected characters `><`
  --> net.arch:1:9
   |
 1 | Conv 64 >< Max 2
   |         ^^
""",
    r"Conv 64 \textbf Max 2": r"""
error[E0101]: unexpected character `\`
  --> net.arch:1:9
   |
 1 | Conv 64 \textbf Max 2
   |         ^
   = help: write what LaTeX makes of it
""",
    "(Conv 64)⨉2": """
error[E0101]: unexpected character `⨉`
  --> net.arch:1:10
   |
 1 | (Conv 64)⨉2
   |          ^
   = help: write `×`
""",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistake_is_told_in_these_words(text: str) -> None:
    with pytest.raises(NetDSLError) as error:
        parse(text, "net.arch")
    assert str(error.value) == MISTAKES[text].strip("\n")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x85", "\u2028", "\u2029"])
def test_lines_end_and_comments_with_them_however_a_system_ends_them(end: str) -> None:
    assert len(parse(f"Conv 4 # a{end}FC 3").body) == 2
    lines = ["input 3x32x32", "Conv 16 # comment", "# more", "Conv 16 &", "FC 10", ""]
    with pytest.raises(NetDSLError) as caught:
        parse(end.join(lines), "net.arch")
    (found,) = caught.value.diagnostics
    assert found.show().split("\n")[1:] == [
        "  --> net.arch:4:9",
        "   |",
        " 4 | Conv 16 &",
        "   |         ^",
    ]
