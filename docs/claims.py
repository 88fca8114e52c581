"""Claims of the reports to a table: differences of rows that were run, with their intervals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from results import anchor, kept, markdown

from netdsl.experiment.report.results import Difference
from netdsl.experiment.report.spread import Spread
from netdsl.experiment.report.words import interval, points

if TYPE_CHECKING:
    from items import Claim, Example

TITLE = "## The claims"
WITHIN = 0.02  # what differs by no more is alike
ABOUT = f"""
    Differences in validation accuracy, or in the gap from it to training accuracy, in points,
    between runs of the same seeds. A claim holds where the 95 % interval lies on its side of zero,
    and is refuted where it lies on the other. Two are alike, by our measure, that differ by at most
    {100 * WITHIN:g} points: that holds where the interval lies within them, and is refuted where it
    lies outside. All else is open. About one in twenty such intervals misses. These are small
    budgets: how far each was run stands with its table, which a claim leads to. Claims that a
    report was written for are bold."""
_SIDES = {"val": ("better", "worse"), "gap": ("larger", "smaller")}
_HEAD = ["report", "claim", "here", "difference", "95 % interval", "seeds"]


def table(examples: Iterable[Example]) -> str:
    """Return the claims of all reports, and whether they hold."""
    lines = [_line(example, claim) for example in examples for claim in example.claims]
    return markdown([_HEAD, *lines], texts=3)


def _line(example: Example, claim: Claim) -> list[str]:
    number = example.folder.name.partition("-")[0]
    says = f"**{claim.says}**" if claim.central else claim.says
    for item in [item for item in example.items if item.experiment == claim.experiment][:1]:
        says = f"[{says}](#{anchor(item.heading)})"
    found = _measured(example, claim)
    if found is None:
        return [number, says, "not run", "", "", ""]
    said = "" if found.interval is None else interval(found)
    return [number, says, verdict(found, claim), points(found), said, str(found.n)]


def _measured(example: Example, claim: Claim) -> Spread | None:
    results = kept(example, claim.experiment)
    if results is None:
        return None
    rows = {row.job.label: row for row in results.rows} | {row.name: row for row in results.rows}
    return Difference(claim.says, rows[claim.row], rows[claim.than]).measure(claim.measure)


def verdict(value: Spread, claim: Claim) -> str:
    """Say whether a difference is what was expected, as far as chance lets one say."""
    if value.interval is None:
        return "open: one seed"
    low, high = value.interval
    above, below = _SIDES[claim.measure]
    if claim.expected == "alike" and low >= -WITHIN and high <= WITHIN:
        return "holds"
    within = WITHIN if claim.expected == "alike" else 0
    if low <= within and high >= -within:
        return "open"
    found = above if low > 0 else below
    return "holds" if found == claim.expected else f"refuted: {found}"
