"""Probes to a table for people and to one for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from netdsl.experiment.analysis.probe import Probe, Reading
from netdsl.experiment.analysis.spots import Spot
from netdsl.experiment.analysis.table import to_csv

ROWS = 20  # of spots, unless all are asked for
CSV = ("network", "seed", "spot", "kind", "depth", "activation", "gradient", "weight",
       "weight_gradient")  # fmt: skip
_SHOWN = ("activation", "gradient", "pull")


def probe_csv(probes: Sequence[Probe]) -> bytes:
    """Return every reading as CSV."""
    return to_csv(
        CSV,
        (
            (p.twin, p.seed, r.spot.name, r.spot.kind, r.spot.depth, r.activation, r.gradient,
             r.weight, r.weight_gradient)
            for p in probes for r in p.readings
        ),
    )  # fmt: skip


def probe_text(probes: Sequence[Probe], *, expand: bool = False) -> str:
    """Return medians over seeds, a line a spot: some of them where they are many; and the ratio."""
    twins = by_twin(probes)
    spots = [reading.spot for reading in probes[0].readings]
    shown = spots if expand else some(spots)
    rows = [*_header(tuple(twins)), *(_row(spot, twins) for spot in shown)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    rule = "─" * max(map(len, lines))
    top = len(rows) - len(shown)
    notes = _notes(probes, twins, spots, shown)
    return "\n".join([*lines[:top], rule, *lines[top:], rule, *notes])


def by_twin(probes: Sequence[Probe]) -> dict[str, list[Probe]]:
    """Return the probes of each twin, in the order in which they come."""
    found: dict[str, list[Probe]] = {}
    for probe in probes:
        found.setdefault(probe.twin, []).append(probe)
    return found


def readings_of(probes: Sequence[Probe], name: str) -> list[Reading]:
    """Return what the probes read at a spot; nothing where it is not."""
    return [r for probe in probes for r in probe.readings if r.spot.name == name]


def some(spots: Sequence[Spot], most: int = ROWS) -> list[Spot]:
    """Return the spots, or so many of them at equal distances, with the ends of the blocks."""
    if len(spots) <= most:
        return list(spots)
    blocks = [i for i, spot in enumerate(spots) if spot.kind == "block"]
    ends = {0, len(spots) - 1, *blocks[:1], *blocks[-1:]}
    left, right = (blocks[0], blocks[-1]) if blocks else (0, len(spots) - 1)
    count = most - len(ends) + 1
    kept = ends | {left + round(k * (right - left) / count) for k in range(1, count)}
    return [spots[i] for i in sorted(kept)]


def _header(twins: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return what is measured, and below it for which twin, where there are two."""
    what = ("activation", "gradient", "by weights")
    if len(twins) == 1:
        return [("", "depth", *what)]
    blanks = [""] * (len(twins) - 1)
    above = [cell for word in what for cell in (word, *blanks)]
    return [("", "", *above), ("", "depth", *twins * len(what))]


def _row(spot: Spot, twins: dict[str, list[Probe]]) -> tuple[str, ...]:
    cells = []
    for what in _SHOWN:
        for probes in twins.values():
            values = [float(getattr(r, what)) for r in readings_of(probes, spot.name)]
            cells.append(_number(median(values)) if values else "")
    return spot.name, str(spot.depth), *cells


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers = row
    cells = [cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True)]
    return "  ".join([name.ljust(widths[0]), *cells]).rstrip()


def _number(value: float) -> str:
    """Write three digits.

    >>> _number(1.2345), _number(0.012), _number(2.5e-9), _number(34567.8), _number(0)
    ('1.23', '0.012', '2.5e-09', '3.46e+04', '0')
    """
    return f"{value:.3g}"


def _notes(
    probes: Sequence[Probe], twins: dict[str, list[Probe]], spots: list[Spot], shown: list[Spot]
) -> Iterator[str]:
    seeds = len({probe.seed for probe in probes})
    what = "block" if any(spot.kind == "block" for spot in spots) else "layer"
    names = {twin: f"{twin} " if len(twins) > 1 else "" for twin in twins}
    found = [f"{names[twin]}{_spread([probe.ratio for probe in of])}" for twin, of in twins.items()]
    yield f"gradient at the first {what} / at the last: {', '.join(found)}"
    if len(shown) < len(spots):
        yield f"{len(shown)} of {len(spots)} blocks and layers are shown; --expand shows all"
    if seeds > 1:
        yield f"medians over {seeds} initialisations"


def _spread(ratios: list[float]) -> str:
    if len(ratios) == 1:
        return _number(ratios[0])
    return f"{_number(median(ratios))} ({_number(min(ratios))} to {_number(max(ratios))})"
