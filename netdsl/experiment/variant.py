"""What one row of a comparison is: a network and all that it is trained under."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, fields, replace

Value = str | int | float | bool
Detail = tuple[str, str]  # of what kind, and its name: ("params", "n")


@dataclass(frozen=True, slots=True)
class Variant:
    """A row of the comparison; all its seeds are trained alike.

    `params` is what `-D` takes, `set` what `--set` takes; `paper` holds the numbers that a paper
    gives, and `change` says in words what an ablation has changed, empty for what it began with.
    `budgets` is what it is cut to itself by the budgets of these names.
    """

    arch: str
    plain: bool = False
    scale: str = ""
    params: Mapping[str, Value] = field(default_factory=dict)
    input: str = ""
    classes: int | None = None
    data: str = "shapes"
    data_dir: str = ""
    limit: int | None = None
    holdout: float | None = None
    fit: bool = False
    weights: str = ""
    recipe: str = ""
    set: Mapping[str, object] = field(default_factory=dict)
    label: str = ""
    paper: Mapping[str, object] = field(default_factory=dict)
    change: str = ""
    budgets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def details(self) -> dict[Detail, str]:
        """Return what may tell this variant from others, but for the network and plain."""
        names = ("scale", "recipe", "data", "data_dir", "input", "classes", "limit", "holdout",
                  "fit", "weights")  # fmt: skip
        found = {("params", name): show(value) for name, value in self.params.items()}
        found |= {("set", name): show(value) for name, value in self.set.items()}
        said = {name: getattr(self, name) for name in names}
        return found | {
            ("field", k): show(v) for k, v in said.items() if v not in ("", None, False)
        }

    @property
    def identity(self) -> Hashable:
        """What equal variants, and no others, have alike, for sets and tables."""
        return tuple(_hashable(getattr(self, one.name)) for one in fields(self))

    @property
    def paper_numbers(self) -> Mapping[str, object]:
        """The numbers of the paper for this network or, where it has them apart, for its twin."""
        if self.plain and "plain" in self.paper:
            twin = self.paper["plain"]
            assert isinstance(twin, Mapping), twin
            return twin
        return {key: value for key, value in self.paper.items() if key != "plain"}

    def beside_twin(self) -> Variant:
        """Return it as one of two twins: numbers of a paper are of the one with shortcuts."""
        return replace(self, paper={"plain": {}, **self.paper} if self.paper else {})


def _hashable(value: object) -> Hashable:
    """Return what is equal for equal values; a list is no tuple, and a table has no order."""
    if isinstance(value, Mapping):
        return "table", frozenset((key, _hashable(one)) for key, one in value.items())
    if isinstance(value, list | tuple):
        return type(value), tuple(map(_hashable, value))
    assert isinstance(value, Hashable), value
    return value


def show(value: object) -> str:
    """Write a value as the command line takes it.

    >>> show(True), show(0.01), show(["flip", "blur"]), show(())
    ('true', '0.01', 'flip,blur', 'none')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(map(show, value)) or "none"
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
