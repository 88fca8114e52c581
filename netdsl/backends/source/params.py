"""Kinds to signatures: what the constructor of each class takes, and what it hands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from keyword import iskeyword
from typing import Any

from netdsl.backends.source.kinds import DEFAULTS, OTHER_DEFAULTS, Kind, Kinds, Run
from netdsl.backends.source.text import literal
from netdsl.ir import Call
from netdsl.ops.convolution import CONV_DEFAULTS
from netdsl.plan import ModulePlan

CHANNELS = (
    "in_channels", "out_channels", "num_features", "num_channels", "normalized_shape",
    "in_features", "out_features",
)  # fmt: skip
# Parameters of these families may be left out where they are 1.
ONE_BY_DEFAULT = ("stride", "groups", "dilation")
RESULTS = ("out_channels", "num_features", "num_channels", "normalized_shape", "channels")
# Names that say nothing of a module's inner channels where there are several.
COMMON = ("channels", "in_channels", "width")
RESERVED = ("self", "super", "i", "nn", "torch", "range", "getattr")

_ABSENT = object()


@dataclass(eq=False, slots=True)
class Parameter:
    """One argument of a class, with its value for every module of the kind.

    `part` and `key` say where it appears first; values of one `family` may share a parameter.
    """

    family: str
    part: str
    key: str
    values: tuple[Any, ...]
    name: str = ""

    @property
    def default(self) -> object:
        """What it is where it is not given; `_ABSENT` if it must be."""
        return 1 if self.family in ONE_BY_DEFAULT and 1 in self.values else _ABSENT

    @property
    def declaration(self) -> str:
        """How it stands in the signature."""
        types = dict.fromkeys(_type(value) for value in self.values)
        default = "" if self.default is _ABSENT else f" = {literal(self.default)}"
        return f"{self.name}: {' | '.join(types)}{default}"

    @property
    def positional(self) -> bool:
        """Whether calls give it without its name."""
        return self.family in ("channels", "count")


@dataclass(eq=False, slots=True)
class Column:
    """One argument that the class gives to a child, with its value for every module of the kind."""

    part: str
    key: str
    family: str
    values: tuple[Any, ...]
    positional: bool
    default: object = _ABSENT
    parameters: tuple[Parameter, ...] = ()
    formula: str = "{}"

    @property
    def text(self) -> str:
        """The argument as it is written; empty if it goes without saying."""
        if not self.parameters and self.default is not _ABSENT and self.default == self.values[0]:
            return ""
        names = [x.name for x in self.parameters] or [literal(self.values[0])]
        value = self.formula.format(*names)
        return value if self.positional else f"{self.key}={value}"


@dataclass(slots=True)
class Signature:
    """The parameters of a class; by child what it is given, by run the number of its last layer."""

    parameters: list[Parameter]
    columns: dict[str, list[Column]]
    counts: dict[str, Column]

    def arguments(self, part: str) -> tuple[str, ...]:
        """Return the arguments of the call that makes a child."""
        return tuple(filter(None, [column.text for column in self.columns[part]]))

    def last(self, run: Run) -> str:
        """Return the number of the last layer of a run."""
        return self.counts[run.base].text


def signatures(kinds: Kinds) -> dict[int, Signature]:
    """Return the signature of every kind by its number."""
    found: dict[int, Signature] = {}
    for kind in kinds.all:
        columns = dict(_columns(kind, kinds, found))
        counts = {run.base: _last(kind, r, run) for r, run in enumerate(kind.first.runs)}
        flat = [column for group in columns.values() for column in group]
        flat += counts.values()
        _share(flat)
        for group in columns.values():
            _derive_padding(group)
        _derive_padded_channels(flat)
        used = dict.fromkeys(x for column in flat for x in column.parameters)
        _name(list(used), flat, joins=_ends_in_cat(kind))
        found[kind.number] = Signature(sorted(used, key=_rank), columns, counts)
    return found


def _columns(
    kind: Kind, kinds: Kinds, found: Mapping[int, Signature]
) -> Iterator[tuple[str, list[Column]]]:
    """What each child is given."""
    for r, run in enumerate(kind.first.runs):
        for p, part in enumerate(run.layers[0]):
            same = [instance.runs[r].layers[0][p] for instance in kind.instances]
            if isinstance(part.child, Call):
                calls = [x.child for x in same if isinstance(x.child, Call)]
                yield part.name, _of_call(part.name, calls)
            else:
                inner = kinds.of[part.child.path][0]
                at = [kinds.of[x.child.path][1] for x in same if isinstance(x.child, ModulePlan)]
                yield part.name, _of_module(part.name, found[inner.number], at)


def _last(kind: Kind, r: int, run: Run) -> Column:
    last = tuple([instance.runs[r].last for instance in kind.instances])
    return Column(run.stem, "n", "count", last, positional=True)


def _of_call(part: str, children: list[Call]) -> list[Column]:
    target, given = children[0].target, children[0].positional
    defaults = DEFAULTS.get(target, OTHER_DEFAULTS)
    order = {key: i for i, key in enumerate(CONV_DEFAULTS) if target in DEFAULTS}
    keys = list(dict.fromkeys(key for child in children for key in child.arguments))
    named = sorted(keys[given:], key=lambda key: order.get(key, -1))
    columns: list[Column] = []
    for i, key in enumerate([*keys[:given], *named]):
        values = tuple([child.arguments.get(key, defaults.get(key)) for child in children])
        family = "channels" if key in CHANNELS else key
        if key == "groups" and columns and values == columns[0].values:
            family = "channels"  # depthwise
        if target in ("AveragePad", "ZeroPad") and key == "channels":
            family = "padded"
        columns.append(Column(part, key, family, values, positional=i < given))
    return columns


def _of_module(part: str, inner: Signature, at: list[int]) -> list[Column]:
    return [
        Column(
            part, x.name, x.family, tuple([x.values[i] for i in at]), x.positional, x.default
        )
        for x in inner.parameters
    ]  # fmt: skip


def _share(columns: list[Column]) -> None:
    """Give every argument that differs between modules a parameter; equal ones share it."""
    found: dict[object, Parameter] = {}
    for column in columns:
        texts = tuple([literal(value) for value in column.values])
        if any(text != texts[0] for text in texts):
            new = Parameter(column.family, column.part, column.key, column.values)
            column.parameters = (found.setdefault((column.family, texts), new),)


def _derive_padding(group: list[Column]) -> None:
    """Write the padding of one convolution as half of its kernel, where it is."""
    by_key = {column.key: column for column in group}
    kernel, padding = by_key.get("kernel_size"), by_key.get("padding")
    if kernel and padding and kernel.parameters and padding.parameters:
        halves = [k // 2 if isinstance(k, int) else k for k in kernel.values]
        if halves == list(padding.values):
            padding.parameters, padding.formula = kernel.parameters, "{} // 2"


def _derive_padded_channels(columns: list[Column]) -> None:
    """Write the zero channels of a shortcut as what goes out less what comes in."""
    channels = [x for x in columns if x.family == "channels" and x.parameters]
    for column in columns:
        if column.family == "padded" and column.parameters and channels:
            come, go = channels[0], channels[-1]
            gap = [after - before for after, before in zip(go.values, come.values, strict=True)]
            if gap == list(column.values):
                column.parameters, column.formula = go.parameters + come.parameters, "{} - {}"


def _name(parameters: list[Parameter], columns: list[Column], *, joins: bool) -> None:
    """Name parameters after what they are in torch; `channels` is what comes out of the module."""
    channels = [x for x in columns if x.family == "channels" and x.key != "groups"]
    ends = [x for x in channels if x.key in RESULTS]
    if ends and not joins:
        _entitle(ends[-1], "channels")
    if channels:
        _entitle(channels[0], "in_channels")
    taken = {*RESERVED, *(x.name for x in parameters)}
    inner = [x for x in parameters if not x.name and x.family == "channels"]
    for parameter in parameters:
        if not parameter.name:
            alone = len(inner) == 1 and not joins
            names = _candidates(parameter, "width" if alone else "")
            parameter.name = next(x for x in names if x not in taken and not iskeyword(x))
            taken.add(parameter.name)


def _entitle(column: Column, name: str) -> None:
    for parameter in column.parameters:
        parameter.name = parameter.name or name


def _candidates(parameter: Parameter, wish: str) -> Iterator[str]:
    own = parameter.key
    if parameter.family == "channels" and own in (*CHANNELS, *COMMON, "groups"):
        yield from filter(None, [wish])
        own = own if own in COMMON else "channels"
    elif parameter.family != "padded":
        yield own
    yield f"{parameter.part}_{own}"
    yield from (f"{parameter.part}_{own}{i}" for i in count(2))


def _rank(parameter: Parameter) -> int:
    """Channels first, then counts, then what is given by name, then what may be left out."""
    if parameter.positional:
        return 0 if parameter.family == "channels" else 1
    return 2 if parameter.default is _ABSENT else 3


def _ends_in_cat(kind: Kind) -> bool:
    last = [part.child for part in kind.parts()][-1:]
    return any(isinstance(child, Call) and child.target == "Cat" for child in last)


def _type(value: object) -> str:
    if isinstance(value, tuple):
        return f"tuple[{', '.join(map(_type, value))}]"
    return type(value).__name__
