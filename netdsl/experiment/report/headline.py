"""Results to the sentences at the head of the page: what was compared, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netdsl.amounts import counted, part
from netdsl.experiment.report.basis import cut, cuts
from netdsl.experiment.report.notes import seeds_of
from netdsl.experiment.report.outcome import Outcome
from netdsl.experiment.report.results import Difference, Results
from netdsl.experiment.report.spread import LEVEL
from netdsl.experiment.report.words import interval, points, recipe
from netdsl.train import ExitCode

_FEW = 4  # differences, each of which has its sentence


def summary(results: Results) -> str:
    """Say in a sentence what was compared, on what, how."""
    plan = results.plan
    what = f"{len(results.rows)} variants of a network" if plan.is_ablation else _networks(results)
    seeds = counted(len({run.job.seed for run in results.runs}), "seed")
    found = cut(cuts(results))
    tail = f", cut to {found}" if found else ""
    return f"{what}, on {plan.data}, with {seeds} each{_recipes(results)}{tail}."


def _recipes(results: Results) -> str:
    """Say by which recipes the rows were trained, and whether some were by none."""
    names = {row.job.recipe for row in results.rows}
    recipes = sorted({recipe(name) for name in names if name})
    if not recipes:
        return ""
    the = "the recipe " if len(recipes) == 1 else ""
    return f", trained by {the}{', '.join(recipes)}{' or by none' if '' in names else ''}"


def _networks(results: Results) -> str:
    """Say how many networks there are, and how many of them are compared with their plain twins."""
    twins = {found.other.number for found in results.differences}
    number, both = len(results.rows) - len(twins), len(results.differences)
    networks = counted(number, "network")
    if both in (0, number):
        return f"{networks}, residual and plain" if both else networks
    return (
        f"{networks}, {both} of them with {'its plain twin' if both == 1 else 'their plain twins'}"
    )


def findings(results: Results) -> tuple[str, ...]:
    """Say what came of each comparison, in validation; of many, of those that say something."""
    found = results.differences
    telling = [one for one in found if len(found) <= _FEW or one.is_clear]
    rest = [one for one in found if one not in telling]
    said = (_finding(one, results) for one in telling)
    return (*said, *_clear_of_all(found), *_in_short(rest))


def _clear_of_all(found: Sequence[Difference]) -> Iterator[str]:
    """Yield how many of several intervals are clear of zero, and how many chance alone makes so."""
    values = [value for one in found if (value := one.measure("val"))]
    intervals = sum(value.interval is not None for value in values)
    if intervals > 1:
        clear = sum(value.is_clear for value in values)
        yield (
            f"{part(clear, intervals, 'interval')} clear of zero; by chance alone about "
            f"{(1 - LEVEL) * intervals:.1f} would be."
        )


def _in_short(rest: Sequence[Difference]) -> Iterator[str]:
    """Yield how many differences have no interval."""
    if alike := sum(len(one.pairs) > 1 and not one.has_interval for one in rest):
        verb = "is" if alike == 1 else "are"
        yield f"{counted(alike, 'difference')} {verb} alike in all seeds, with no interval."
    if unknown := sum(len(one.pairs) < 2 for one in rest):
        verb = "has" if unknown == 1 else "have"
        yield f"{counted(unknown, 'difference')} {verb} fewer than two pairs, and no interval."


def _finding(found: Difference, results: Results) -> str:
    diverged = [
        f"{row.name}, {seeds_of(runs)}"
        for row in (found.result, found.other)
        if (runs := [run for run in row.runs if _has_diverged(run)])
    ]
    tail = f" Diverged: {'; '.join(diverged)}." if diverged else ""
    return f"{_compared(found, results)}{tail}"


def _has_diverged(run: Outcome) -> bool:
    return run.failure is not None and run.failure.exit_code == ExitCode.DIVERGED


def _compared(found: Difference, results: Results) -> str:
    value = found.measure("val")
    subject = subject_of(found, results)
    if value is None:
        return f"{subject}: no seed is finished in both."
    text = f"{subject}: {points(value)} points in validation"
    if value.n == 1:
        return f"{text}; one seed says nothing of chance."
    if value.interval is None:
        return f"{text}, alike in {counted(value.n, 'seed')}, which says nothing of chance."
    verdict = "clear of zero" if value.is_clear else "zero lies within, it may be chance"
    return f"{text}, 95 % interval {interval(value)}, {counted(value.n, 'seed')}: {verdict}."


def subject_of(found: Difference, results: Results) -> str:
    """Return what a sentence on a difference is about."""
    return found.name if results.plan.is_ablation else f"{found.name}, residual − plain"
