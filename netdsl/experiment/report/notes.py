"""Results to the sentences below tables and figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from netdsl.amounts import counted, duration, listed, part
from netdsl.experiment.plan import tell_stochastic_depth
from netdsl.experiment.report.basis import has_patience, is_cut, trained_on, validating
from netdsl.experiment.report.networks import settings_of, stages_settings
from netdsl.experiment.report.outcome import Outcome
from netdsl.experiment.report.results import Difference, Results
from netdsl.experiment.report.words import percent
from netdsl.train.guessing import HARDLY

_STATES = {
    "unfinished": "has begun and is not finished",
    "waiting": "has not begun",
    "failed": "failed",
}
_MANY = {"has begun and is not finished": "have begun and are not finished",
         "has not begun": "have not begun"}  # fmt: skip


def progress(results: Results) -> str:
    """Say how many of the runs are finished."""
    done, planned = results.count("finished"), len(results.distinct)
    parts = [f"{part(done, planned, 'run')} finished"]
    for state, words in _STATES.items():
        if number := results.count(state):
            parts.append(f"{number} {words if number == 1 else _MANY.get(words, words)}")
    return "; ".join(parts)


def accuracy_notes(results: Results) -> tuple[str, ...]:
    """Return how the numbers of the table of accuracies are to be read."""
    found = [
        trained_on(results),
        f"Accuracies are those of the last epoch: {_chosen(results)}. Best val is the highest of "
        "all epochs, and too high for that reason.",
        "Train is the accuracy on a fixed sample of the training images, evaluated as those of "
        "validation are; gap is train − val, in points.",
    ]
    seeds = {len(row.finished) for row in results.rows} - {0}
    if seeds - {1}:
        found.append("± is the standard deviation over seeds (n − 1 in its denominator).")
    if 1 in seeds:
        found.append("A row of one run has no deviation.")
    found += guessing_notes(results)
    found += pooling_notes(results)
    if any(row.job.paper for row in results.rows):
        whole = ", for its whole data and training: nothing there was cut to this"
        found.append(f"Paper is the number that the paper gives{whole if is_cut(results) else ''}.")
    if results.count("finished") < len(results.distinct):
        found.append(f"{progress(results)}; only finished runs are in the means.")
    return (*found, "1 MAC = 2 FLOPs.")


def _chosen(results: Results) -> str:
    """Say what of the runs was chosen by looking at validation."""
    rows = [row for row in results.rows if any(has_patience(run) for run in row.finished)]
    if not rows:
        return "nothing is chosen by looking at validation"
    which = "" if len(rows) == len(results.rows) else f" of {listed(row.name for row in rows)}"
    return f"which one that is{which} was chosen by looking at validation (patience)"


def curve_notes(results: Results) -> tuple[str, ...]:
    """Return where means over seeds end before some of the runs do."""
    uneven = any(len({len(run.epochs) for run in row.finished}) > 1 for row in results.rows)
    return ("Means end with the last epoch that all seeds have.",) if uneven else ()


def loss_notes(results: Results) -> tuple[str, ...]:
    """Return how curves of the loss are to be read, beside what holds for all curves."""
    rows = [row for row in results.rows if any(_has_soft_labels(run) for run in row.finished)]
    if not rows:
        return curve_notes(results)
    which = "" if len(rows) == len(results.rows) else f" of {listed(row.name for row in rows)}"
    soft = (
        f"Training loss{which} is of smoothed or mixed labels, validation loss is not: the two are "
        "not to be compared."
    )
    return (*curve_notes(results), soft)


def _has_soft_labels(run: Outcome) -> bool:
    """Say whether a run, or a stage of it, smooths labels or mixes images."""
    softens = ("label_smoothing", "mixup", "cutmix")
    return any(settings.get(name) for settings in stages_settings(run) for name in softens)


def guessing_notes(results: Results) -> tuple[str, ...]:
    """Return which runs were hardly better than guessing, if any were."""
    guessing = [
        f"{row.name}, {seeds_of(runs)}"
        for row in results.rows
        if (runs := [run for run in row.finished if run.guesses])
    ]
    if not guessing:
        return ()
    told = f"Hardly better than guessing at the end (losses {HARDLY}), which the means include"
    return (f"{told}: {'; '.join(guessing)}.",)


def seeds_of(runs: Sequence[Outcome]) -> str:
    """Name the seeds of runs, as in "seeds 0, 2"."""
    seeds = ", ".join(str(run.job.seed) for run in runs)
    return f"seed{'' if len(runs) == 1 else 's'} {seeds}"


def pooling_notes(results: Results, *, commits: bool = True) -> tuple[str, ...]:
    """Return on what finished runs were computed, where that was not the same for all.

    Without `commits` those of netdsl are left out, where they are told otherwise.
    """
    runs = [(run, settings_of(run)) for run in results.distinct if run.state == "finished"]
    kinds = {
        "in": Counter(str(one) for run, _ in runs if (one := precision_of(run))),
        "on": Counter(str(one) for _, settings in runs if (one := settings.get("device"))),
        "by torch": Counter(run.torch for run, _ in runs),
    }
    parts = [f"{word} {_each(found)}" for word, found in kinds.items() if len(found) > 1]
    of_netdsl = {settings.get("commit") for _, settings in runs}
    if commits and len(of_netdsl) > 1:
        number = "unknown" if None in of_netdsl else str(len(of_netdsl))
        parts.append(f"at {number} commits of netdsl")
    if not parts:
        return ()
    told = ", ".join(parts)
    return (f"Computed {told}: part of a difference between these may come from that.",)


def precision_of(run: Outcome) -> object:
    """Return what a run was computed in; None of one that is not finished."""
    return settings_of(run).get("precision") if run.state == "finished" else None


def _each(found: Counter[str]) -> str:
    """Name things with how many runs each has, as in "bf16 (2 runs) and fp32 (1 run)"."""
    return " and ".join(f"{name} ({counted(n, 'run')})" for name, n in found.items())


def difference_notes(results: Results) -> tuple[str, ...]:
    """Return how differences and intervals are to be read."""
    found = ["Differences are taken between runs of one seed, in points; intervals are Student's."]
    sizes = {len(difference.pairs) for difference in results.differences}
    if any(difference.has_interval for difference in results.differences):
        found.append(
            f"They are over seeds alone, each time on the same {validating(results)}: other images "
            "would add to them."
        )
    if 1 in sizes:
        found.append("One pair gives no interval.")
    if any(_is_alike(difference) for difference in results.differences):
        found.append("Differences that are alike in all seeds say nothing of chance.")
    if len(results.differences) > 1 and sizes - {0, 1}:
        shared = "; all share the base, so those that miss do it together"
        tail = shared if results.plan.is_ablation else ""
        found.append(f"Each interval stands for itself: of twenty, one misses by chance{tail}.")
    if any(difference.has_unpaired for difference in results.differences):
        found.append(
            "Where pairs are fewer than runs, the means above are of other seeds too, and their "
            "difference may be another one."
        )
    if results.plan.is_ablation:
        base = results.differences[0].other
        value = base.measure("val")
        none = "has no finished run, so nothing is compared with it"
        reached = none if value is None else f"reaches {percent(value)} % in validation"
        found.append(f"{base.name} {reached}.")
    if fact := tell_stochastic_depth(results.plan):
        found.append(f"{fact}.")
    return tuple(found)


def _is_alike(found: Difference) -> bool:
    """Say whether any of what is compared is the same in several pairs."""
    values = (found.measure(name) for name in ("val", "train", "gap"))
    return any(value is not None and value.deviation == 0 for value in values)


def speed_notes(results: Results) -> tuple[str, ...]:
    """Return how times are to be read."""
    total = sum(run.seconds for run in results.distinct)
    return (
        "Images/s are those of training; of each run the median over its epochs, then the mean "
        "over seeds. An epoch includes validation. Peak memory is the highest of all runs.",
        f"All finished runs together took {duration(total)}. Runs at the same time slow each "
        "other down.",
    )
