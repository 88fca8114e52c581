"""Claims of the reports to a table: differences of rows that were run, with their intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from statistics import fmean
from typing import TYPE_CHECKING

from results import anchor, kept, markdown

from netdsl.amounts import counted
from netdsl.experiment.report.notes import precision_of
from netdsl.experiment.report.outcome import MEASURES
from netdsl.experiment.report.results import Difference, Result, Results
from netdsl.experiment.report.spread import Spread, spread
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
    lies outside. All else is open; where two that should be alike clearly differ, but perhaps by
    less than {100 * WITHIN:g} points, it says so, and so it does where the two runs of a pair were
    computed in different precision. About one in twenty such intervals misses. They are over seeds,
    with the same validation images each time (for instance 500 for 10 classes of Tiny ImageNet,
    1,000 for 5,000 training images of CIFAR-10): other images would add to them. These are small
    budgets: how far each was run stands with its table, which a claim leads to. Claims that a
    report was written for are bold; those that were added when their runs had been looked at say
    so."""
_COUNTED = {"holds": "held up", "refuted": "refuted", "open": "open", "not run": "not run"}
_AFTERWARDS = "(added after the runs)"
_SIDES = {"val": ("better", "worse"), "gap": ("larger", "smaller")}
_HEAD = ["report", "claim", "here", "difference", "95 % interval", "seeds"]


def table(examples: Iterable[Example]) -> str:
    """Return the claims of all reports, and whether they hold."""
    lines = [_line(example, claim) for example in examples for claim in example.claims]
    return markdown([_HEAD, *lines], texts=3)


def counts(examples: Iterable[Example]) -> str:
    """Say of each report how many of its claims hold, are refuted, open and not run."""
    said = []
    for example in examples:
        found = Counter(_verdict(example, claim).partition(":")[0] for claim in example.claims)
        each = ", ".join(f"{found[one]} {word}" for one, word in _COUNTED.items() if found[one])
        said.append(f"{_number(example)}: {each}")
    return f"{'; '.join(said)}."


def _verdict(example: Example, claim: Claim) -> str:
    found = _measured(example, claim)
    if found is None:
        return "not run"
    return _with_precision(verdict(found, claim), _differences(example, claim))


def _with_precision(said: str, differences: Iterable[Difference]) -> str:
    """Return a verdict that says in how many pairs of runs precision differs, if in any."""
    pairs = [pair for found in differences for pair in found.pairs]
    differ = sum(precision_of(one) != precision_of(other) for one, other in pairs)
    if not differ:
        return said
    told = f"precision differs in {differ} of {counted(len(pairs), 'pair')}"
    return f"{said}; {told}" if ":" in said else f"{said}: {told}"


def _number(example: Example) -> str:
    return example.folder.name.partition("-")[0]


def _line(example: Example, claim: Claim) -> list[str]:
    says = f"**{claim.says}**" if claim.central else claim.says
    for item in [item for item in example.items if item.experiment == claim.experiment][:1]:
        says = f"[{says}](#{anchor(item.heading)})"
    if claim.afterwards:
        says += f" {_AFTERWARDS}"
    found = _measured(example, claim)
    if found is None:
        return [_number(example), says, "not run", "", "", ""]
    said = "" if found.interval is None else interval(found)
    told = _verdict(example, claim)
    return [_number(example), says, told, points(found), said, str(found.n)]


def _measured(example: Example, claim: Claim) -> Spread | None:
    """Return what a claim is about, the mean over its pairs of rows, by the seeds that all have."""
    take = MEASURES[claim.measure]
    found = [
        {one.job.seed: take(one) - take(other) for one, other in difference.pairs}
        for difference in _differences(example, claim)
    ]
    seeds = [seed for seed in (found[0] if found else ()) if all(seed in each for each in found)]
    return spread([fmean(each[seed] for each in found) for seed in seeds])


def _differences(example: Example, claim: Claim) -> list[Difference]:
    """Return the pairs of rows of a claim; none where an experiment was not run."""
    ours, others = (_kept(example, one) for one in _experiments(claim))
    if ours is None or others is None:
        return []
    return [
        Difference(claim.says, _row(ours, row), _row(others, than)) for row, than in claim.pairs
    ]


@cache
def _kept(example: Example, experiment: str) -> Results | None:
    return kept(example, experiment)  # many claims are of one experiment


def _experiments(claim: Claim) -> tuple[str, str]:
    return claim.experiment, claim.than_in or claim.experiment


def _row(results: Results, name: str) -> Result:
    rows = {row.job.label: row for row in results.rows} | {row.name: row for row in results.rows}
    return rows[name]


def verdict(value: Spread, claim: Claim) -> str:
    """Say whether a difference is what was expected, as far as chance lets one say."""
    if value.n == 1:
        return "open: one seed"
    if value.interval is None:
        return f"open: the same in {counted(value.n, 'seed')}"
    low, high = value.interval
    above, below = _SIDES[claim.measure]
    if claim.expected == "alike" and low >= -WITHIN and high <= WITHIN:
        return "holds"
    within = WITHIN if claim.expected == "alike" else 0
    found = above if low > 0 else below
    if not value.is_clear:
        return "open"
    if low <= within and high >= -within:
        return f"open: {found}, perhaps by less than {100 * WITHIN:g}"
    return "holds" if found == claim.expected else f"refuted: {found}"
