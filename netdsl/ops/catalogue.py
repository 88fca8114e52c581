"""The catalogue: looks layers up by the name they have in the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, ClassVar, Protocol, TypeVar

from netdsl.ir import Block, Family, Op


class Layer(Protocol):
    """What a class of the catalogue has beside its fields, which are its arguments.

    `positional` names the fields that bare numbers fill, in order; `size` the one that a bare `7x7`
    fills; `flags` what a bare word stands for. `examples` are run by the contract suite.
    """

    code: ClassVar[str]
    examples: ClassVar[tuple[str, ...]]
    family: ClassVar[Family]
    positional: ClassVar[tuple[str, ...]]
    size: ClassVar[str]
    flags: ClassVar[Mapping[str, tuple[str, object]]]


LayerType = Any  # a class that satisfies `Layer`
T = TypeVar("T", bound=type[Op] | type[Block])

CATALOGUE: dict[str, LayerType] = {}


def layer(
    code: str,
    *,
    examples: tuple[str, ...],
    positional: tuple[str, ...] = (),
    size: str = "",
    flags: Mapping[str, tuple[str, object]] | None = None,
) -> Callable[[T], T]:
    """Enter a class in the catalogue under `code`; see `Layer` for the rest.

    NOTE: stands above `@dataclass(slots=True)`, which makes a second class: registering from
    `__init_subclass__` would keep the first.
    """

    def enter(cls: T) -> T:
        assert code not in CATALOGUE, f"{code} is taken by {CATALOGUE[code].__name__}"
        assert cls.__doc__, f"{cls.__name__} needs a docstring: it is the reference manual"
        entry: LayerType = cls
        entry.code, entry.examples = code, examples
        entry.positional, entry.size, entry.flags = positional, size, flags or {}
        CATALOGUE[code] = cls
        return cls

    return enter


def arg(  # noqa: PLR0913
    default: Any = ...,
    *,
    least: float | None = None,
    most: float | None = None,
    below: float | None = None,
    odd: bool = False,
    setting: str = "",
    scaled: bool = False,
    words: Mapping[str, object] | None = None,
    needs: tuple[str, tuple[object, ...]] | None = None,
    help: str | None = None,
) -> Any:
    """One argument of a layer.

    `least`, `most`, `below` and `odd` bound a number, `setting` names the header's setting that
    stands in where the argument is not given, `scaled` marks channels that `width` multiplies,
    `words` are spellings accepted beside those of the type, and `needs` names another argument and
    the values of it without which this one changes nothing. `help` says what to write in place of
    a value that it does not take.
    """
    metadata = {
        "least": least, "most": most, "below": below, "odd": odd, "setting": setting,
        "scaled": scaled, "words": words or {}, "needs": needs, "help": help,
    }  # fmt: skip
    return field(metadata=metadata) if default is ... else field(default=default, metadata=metadata)
