"""Claims of the reports to a table: differences of rows that were run, with their intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
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
    computed in different precision. A claim that one difference is larger than another is of the
    difference of the two. About one in twenty such intervals misses. They are over seeds,
    with the same validation images each time (for instance 500 for 10 classes of Tiny ImageNet,
    1,000 for 5,000 training images of CIFAR-10): other images would add to them. These are small
    budgets: how far each was run stands with its table, which a claim leads to. Claims that a
    report was written for are bold; those that no report makes say that they are ours, and those
    that were added when their runs had been looked at say so too."""
_COUNTED = {"holds": "held up", "refuted": "refuted", "open": "open", "not run": "not run"}
_SIDES = {"val": ("better", "worse"), "gap": ("larger", "smaller")}
_HEAD = ["report", "claim", "here", "difference", "95 % interval", "seeds"]


def table(examples: Iterable[Example]) -> str:
    """Return the claims of all reports, and whether they hold."""
    lines = [_line(example, claim) for example in examples for claim in example.claims]
    return markdown([_HEAD, *lines], texts=3)


def counts(examples: Sequence[Example]) -> str:
    """Say of each report how many of its claims hold, are refuted, open and not run.

    Of each number it is told how many are of claims that the report does not make, or that were
    added when their runs had been looked at.
    """
    said = []
    for example in examples:
        found, others = Counter[str](), Counter[str]()
        for claim in example.claims:
            one = _verdict(example, claim).partition(":")[0]
            found[one] += 1
            others[one] += claim.ours or claim.afterwards
        each = ", ".join(
            f"{found[one]} {word}{f' ({others[one]})' if others[one] else ''}"
            for one, word in _COUNTED.items()
            if found[one]
        )
        place = f", on {example.stands_in}" if example.stands_in else ""
        said.append(f"{_number(example)}{place}: {each}")
    any_others = any(claim.ours or claim.afterwards for one in examples for claim in one.claims)
    told = " In brackets: how many of these are ours or were added after the runs." * any_others
    return f"{'; '.join(said)}.{told}"


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
    if claim.remarks:
        says += f" ({', '.join(claim.remarks)})"
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
    less = found.pop() if claim.beyond and found else dict.fromkeys(seeds, 0.0)
    return spread([fmean(each[seed] for each in found) - less[seed] for seed in seeds])


def _differences(example: Example, claim: Claim) -> list[Difference]:
    """Return the pairs of rows of a claim, the one it is beyond at the end; none where not run."""
    ours, others = (_kept(example, one) for one in _experiments(claim))
    if ours is None or others is None:
        return []
    pairs = (*claim.pairs, claim.beyond) if claim.beyond else claim.pairs
    return [Difference(claim.says, _row(ours, row), _row(others, than)) for row, than in pairs]


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
