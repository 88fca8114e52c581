"""Results to the data of the curves on the page, whose lines can be switched on and off."""

from __future__ import annotations

from netdsl.experiment.report.networks import drawn_together
from netdsl.experiment.report.results import Result, Results
from netdsl.experiment.report.style import COLOURS

_MEASURES = {
    "val_accuracy": "validation accuracy",
    "sample_accuracy": "training accuracy, evaluated",
    "train_accuracy": "training accuracy, as it ran",
    "val_loss": "validation loss",
    "train_loss": "training loss",
    "val_top5": "validation top-5 accuracy",
    "lr": "learning rate",
    "gradient_norm": "gradient norm",
}
# The first of each, then those where there are more networks than colours.
_DASHES = {False: ("none", "2 3", "10 3 2 3"), True: ("6 3", "6 9", "6 3 6 3 2 3")}  # plain: True


def chart_data(results: Results) -> dict[str, object]:
    """Return what the page draws: every run that has an epoch, finished or not."""
    groups = {row.number: number for number, (_, rows) in enumerate(drawn_together(results))
              for row in rows}  # fmt: skip
    top5 = (epoch.val_top5 for row in results.rows for run in row.runs for epoch in run.epochs)
    needless = {"val_top5"} if all(value == 1 for value in top5) else set()  # of 5 classes or fewer
    return {
        "measures": [
            {"key": key, "name": name, "percent": "accuracy" in name}
            for key, name in _MEASURES.items() if key not in needless
        ],
        "rows": [
            _row(row, groups[row.number]) for row in results.rows
            if any(run.epochs for run in row.runs)
        ],
    }  # fmt: skip


def _row(row: Result, group: int) -> dict[str, object]:
    dashes = _DASHES[row.job.plain]
    return {
        "name": row.name,
        "colour": COLOURS[group % len(COLOURS)],
        "dash": dashes[group // len(COLOURS) % len(dashes)],
        "runs": [
            {
                "seed": run.job.seed, "state": run.state,
                **{key: [getattr(epoch, key) for epoch in run.epochs] for key in _MEASURES},
            }
            for run in row.runs if run.epochs
        ],
    }  # fmt: skip
