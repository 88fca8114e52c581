"""What a dataclass of arguments looks like from outside: name, type and limits of each field."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from functools import cache
from types import MappingProxyType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from netdsl.ir import Shape, Size

Kind = Literal["int", "float", "bool", "size", "word", "text", "shape"]
Needs = tuple[str, tuple[object, ...]]  # another field, and the values of it

_KINDS: dict[Any, Kind] = {
    int: "int", float: "float", bool: "bool", Size: "size", str: "text", Shape: "shape"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Argument:
    """One field: its name, what kind of value it takes, its default (`...` if there is none).

    It changes something only where another field has one of the values that it `needs`. `help` is
    shown with the error of a value that it does not take.
    """

    name: str
    kind: Kind
    choices: tuple[str, ...]
    default: Any
    least: float | None
    most: float | None
    below: float | None
    odd: bool
    setting: str
    scaled: bool
    words: MappingProxyType[str, object]
    needs: Needs | None
    help: str | None

    @property
    def takes(self) -> str:
        """What a value has to be, in the words of a message."""
        if self.kind == "word":
            return (
                ", ".join(self.choices[:-1]) + " or " * (len(self.choices) > 1) + self.choices[-1]
            )
        return {
            "int": "a whole number", "float": "a number", "bool": "on or off",
            "size": "a whole number or a size such as 3x5", "text": "a text in quotes",
            "shape": "a shape such as 3x32x32",
        }[self.kind]  # fmt: skip


@cache
def arguments(cls: Any) -> MappingProxyType[str, Argument]:
    """Return the arguments of a layer class, or of the settings, by name, in order.

    >>> from netdsl.ir import Settings
    >>> arguments(Settings)["head"].takes
    'flatten or gap'
    """
    hints = get_type_hints(cls)
    return MappingProxyType({f.name: _describe(f, hints[f.name]) for f in fields(cls)})


def settings_of(cls: Any) -> frozenset[str]:
    """Return the settings of a network that stand in for arguments of a layer class.

    >>> from netdsl.ops.dense import FullyConnected
    >>> sorted(settings_of(FullyConnected))
    ['bias', 'head']
    """
    return frozenset(name for f in fields(cls) if (name := f.metadata.get("setting")))


def _describe(field: Any, hint: Any) -> Argument:
    if get_origin(hint) in (Union, UnionType):
        (hint,) = [part for part in get_args(hint) if part is not type(None)]
    word = get_origin(hint) is Literal
    note = field.metadata
    return Argument(
        name=field.name,
        kind="word" if word else _KINDS[hint],
        choices=get_args(hint) if word else (),
        default=... if field.default is MISSING else field.default,
        least=note.get("least"),
        most=note.get("most"),
        below=note.get("below"),
        odd=note.get("odd", False),
        setting=note.get("setting", ""),
        scaled=note.get("scaled", False),
        words=MappingProxyType(dict(note.get("words", {}))),
        needs=note.get("needs"),
        help=note.get("help"),
    )
