"""What the command line or the caller says in place of a file."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from numbers import Integral, Rational, Real
from typing import Any

from netdsl.errors import Diagnostic, fail
from netdsl.lower.convert import cast
from netdsl.lower.names import SETTINGS
from netdsl.lower.values import Quoted, Value, exact
from netdsl.syntax.slips import slip_in_zeros

_WHOLE, _PART = r"[0-9]{1,15}", r"[0-9]{1,17}"  # as many decimals as a float is written with
_NONE = 'the word for nothing is "none", as in norm="none"'


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line or the caller says in place of the file.

    `names` holds parameters and settings by name, as values or as their text. `said_by` names what
    says one of them where that is not the caller, as a recipe is. Numbers of other libraries become
    those of Python, which JSON can hold.
    """

    names: Mapping[str, object] = field(default_factory=dict)
    scale: str | None = None
    said_by: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = {name: _of_python(value) for name, value in self.names.items()}
        object.__setattr__(self, "names", own)

    def named(self, finding: Diagnostic, name: str) -> Diagnostic:
        """Return a finding about a name with what says it, unless that is the caller."""
        by = self.said_by.get(name)
        return replace(finding, message=f"{by}: {finding.message}") if by else finding

    def marked(self, finding: Diagnostic) -> Diagnostic:
        """Return a finding with what was said of the parameter that it points at, if anything."""
        text = finding.span.text if finding.span and not finding.mark else ""
        found = re.fullmatch(r"(?:x\s+)?(\w+)", text)  # a repeat count is marked with its x
        name = found[1] if found else ""
        if name not in self.names:
            return finding
        by = self.said_by.get(name)
        mark = f"given as `{name}={self.names[name]}`{f' by {by}' if by else ''}"
        return replace(finding, mark=mark)


def make_overrides(
    plain: bool | None,
    input: Sequence[int] | None,
    classes: int | None,
    scale: str | None,
    parameters: Mapping[str, object],
) -> Overrides:
    """Return what was said in place of the file; None says nothing."""
    truth = _of_python(plain)
    if truth is not None and not isinstance(truth, bool):
        raise fail("E0206", f"plain must be True or False, not {plain!r}")
    names = dict(parameters)
    said = {"residual": None if truth is None else not truth, "input": input, "classes": classes}
    for key, value in said.items():
        if value is not None and key in names:
            raise fail("E0207", f"`{key}` is given twice from outside")
        if value is not None:
            names[key] = value
    return Overrides(names, scale)


def given_setting(key: str, value: object) -> Any:
    """Return a setting that came from outside the file, as its kind has it."""
    return cast(SETTINGS[key], given_for(key, value), None, "")


def given_for(name: str, value: object) -> Value:
    """Return what came from outside for a setting, a parameter or an option, as a source has it."""
    found = given(value)
    if name in SETTINGS and SETTINGS[name].kind == "text" and isinstance(found, str):
        return Quoted(found.strip('"'))  # a shell may have taken the quotes away
    return found


def given(value: object) -> Value:
    """Return a value that came from outside the file, as text or as a Python object.

    >>> given("18"), given(0.5), given(True), given("relu")
    (18, Fraction(1, 2), 'on', 'relu')
    >>> given("0.30000000000000004") == given(0.1 + 0.2)
    True
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, Real) and (isinstance(value, Rational) or math.isfinite(value)):
        return _number(value)
    if isinstance(value, tuple | list) and all(isinstance(n, Integral) for n in value):
        return tuple(int(n) for n in value)
    message = f"{value!r} is neither a number, a word nor a shape of whole numbers"
    raise fail("E0206", message, help=_NONE if value is None else None)


def _number(value: Real) -> Value:
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Fraction) and abs(value) > sys.float_info.max:
        raise fail("E0206", "a fraction is larger than any `float`")
    return exact(value if isinstance(value, Fraction) else Fraction(str(value)))


def _of_python(value: object) -> object:
    """Return a number, an array or a tensor of another library as Python has it.

    >>> _of_python("18"), _of_python(0.5), _of_python([3, 8, 8])
    ('18', 0.5, [3, 8, 8])
    """
    if isinstance(value, bool | int | float | Fraction | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(str(value))  # the digits of a float32 are fewer than those of its `float`
    if isinstance(value, tuple | list):
        own = map(_of_python, value)
        return tuple(own) if isinstance(value, tuple) else list(own)
    listed = getattr(value, "tolist", None)
    return value if listed is None else listed()


def _parsed(text: str) -> Value:
    message = slip_in_zeros(text) if re.fullmatch("-?[0-9.x×]+(e-[0-9]+)?", text) else None
    if message:
        raise fail("E0109", f"`{text}` from outside: {message}")
    if re.fullmatch(rf"-?{_WHOLE}", text):
        return int(text)
    if re.fullmatch(rf"-?{_WHOLE}\.{_PART}|{_WHOLE}(\.{_PART})?e-[0-9]{{1,2}}", text):
        return exact(Fraction(text))
    if re.fullmatch(r"[0-9]{1,9}([x×][0-9]{1,9}){1,2}", text):
        return tuple(int(n) for n in re.split("[x×]", text))
    return text if re.fullmatch(r"[a-z][a-z0-9_]*", text) else Quoted(text)
