"""An error analysis to a folder: figures, tables, the gallery, a page, the numbers as JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from netdsl.experiment.analysis.error_figures import (
    draw_calibration,
    draw_classes,
    draw_confusion,
    shown_order,
)
from netdsl.experiment.analysis.errors import Errors
from netdsl.experiment.analysis.gallery import draw_gallery
from netdsl.experiment.analysis.page import make_page
from netdsl.experiment.analysis.record import (
    CLASS_COLUMNS,
    PAIR_COLUMNS,
    About,
    class_rows,
    pair_rows,
    record,
)
from netdsl.experiment.analysis.table import to_csv
from netdsl.train import DataSet
from netdsl.train.files import make_folder, to_json, write_file


def write_errors(found: Errors, data: DataSet, about: About, folder: Path) -> Path:
    """Write all of an analysis; return its page, which is written last."""
    make_folder(folder)
    figures = {
        "confusion": draw_confusion(found),
        "classes": draw_classes(found),
        "calibration": draw_calibration(found.calibration),
    }
    files = {
        f"{name}.{kind}": part for name, kinds in figures.items() for kind, part in kinds.items()
    }
    files |= tables(found) | {
        "gallery.png": draw_gallery(found, data),
        "errors.json": _json(record(found, about)),
    }
    for name, content in files.items():
        write_file(folder / name, content)
    svgs = {name: kinds["svg"] for name, kinds in figures.items()}
    page = folder / "errors.html"
    write_file(page, make_page(found, data, about, svgs).encode(errors="replace"))
    return page


def tables(found: Errors) -> dict[str, bytes]:
    """Return the tables as CSV, by the names of their files."""
    order, names = shown_order(found), found.classes
    counts = ((names[i], *(int(found.confusion[i, j]) for j in order)) for i in order)
    bins = found.calibration.bins
    return {
        "confusion.csv": to_csv(("class", *(names[i] for i in order)), counts),
        "classes.csv": to_csv(CLASS_COLUMNS, (list(row.values()) for row in class_rows(found))),
        "confused.csv": to_csv(PAIR_COLUMNS, (list(row.values()) for row in pair_rows(found))),
        "calibration.csv": to_csv(list(asdict(bins[0])), (list(asdict(b).values()) for b in bins)),
    }


def _json(content: dict[str, object]) -> bytes:
    return f"{to_json(content, 2)}\n".encode()
