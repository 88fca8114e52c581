"""Pieces of Python to lines of text, laid out as `ruff format` lays them out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import wrap

WIDTH = 100
REMARK = 4  # lines of a comment
STEP = 4


@dataclass(frozen=True, slots=True)
class Brackets:
    """What stands between brackets, and around them: a call, a tuple, a signature.

    >>> print(Brackets("nn.Conv2d(", ("3", "64", "kernel_size=3")))
    nn.Conv2d(3, 64, kernel_size=3)
    """

    before: str
    items: tuple[str | Brackets, ...] = ()
    after: str = ")"

    def __str__(self) -> str:
        return f"{self.before}{', '.join(map(str, self.items))}{self.after}"


def fold(code: str | Brackets, indent: int) -> list[str]:
    """Return the code as lines: one if it fits, else what the brackets hold on lines of its own."""
    pad, inner = " " * indent, " " * (indent + STEP)
    line = f"{pad}{code}"
    if isinstance(code, str) or not code.items or fits(line):
        return [line]
    together = inner + ", ".join(map(str, code.items))
    if fits(together):
        body = [together]
    else:
        body = [x for item in code.items for x in fold(_with_comma(item), indent + STEP)]
    return [pad + code.before, *body, pad + code.after]


def fold_terms(before: str, terms: Sequence[str], sign: str, indent: int) -> list[str]:
    """Return `before a + b + c` as lines, in parentheses where it does not fit in one."""
    pad, inner = " " * indent, " " * (indent + STEP)
    line = f"{pad}{before}{f' {sign} '.join(terms)}"
    if fits(line):
        return [line]
    together = inner + f" {sign} ".join(terms)
    first, *others = terms
    body = (
        [together] if fits(together) else [inner + first, *(f"{inner}{sign} {x}" for x in others)]
    )
    return [f"{pad}{before}(", *body, f"{pad})"]


def fits(line: str) -> bool:
    """Whether a line is short enough to stay one."""
    return len(line) <= WIDTH


def comment(line: str, text: str) -> str:
    """Return the line with a comment behind it, if it has room for one."""
    noted = f"{line}  # {text}"
    return noted if text and fits(noted) else line


def remark(text: str, indent: int) -> list[str]:
    """Return a comment on lines of its own, a long one cut behind the last of `REMARK`."""
    start = f"{' ' * indent}# "
    return wrap(
        text, WIDTH, initial_indent=start, subsequent_indent=f"{start}  ", max_lines=REMARK,
        placeholder=" …", break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def literal(value: object) -> str:
    """Return a constant as Python writes it, with double quotes.

    >>> literal("bilinear"), literal((3, 5)), literal(1e-6)
    ('"bilinear"', '(3, 5)', '1e-06')
    """
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    return repr(value)


def prose(text: str) -> str:
    """Return text that may stand in a docstring: on one line, without quotes and escapes."""
    return " ".join(text.translate({ord('"'): "'", ord("\\"): "/"}).split())


def quoted(text: str) -> str:
    r"""Return text that a docstring gives back as it is.

    >>> print(quoted('Torch "nn.PReLU" \\ \a'))
    Torch "nn.PReLU" \\ \x07
    """
    kept = text.replace("\\", "\\\\")
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in kept
    )


def _with_comma(item: str | Brackets) -> str | Brackets:
    return f"{item}," if isinstance(item, str) else replace(item, after=f"{item.after},")
