"""A table to Markdown, CSV, LaTeX and plain text."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Callable, Sequence

from netdsl.excerpt import width
from netdsl.experiment.report.table import Column, Line, Table, raw_text

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"{\char34}",
    "±": r"$\pm$", "−": r"$-$", "–": "--", "×": r"$\times$",
}  # fmt: skip


def to_csv(table: Table) -> str:
    """Return the raw numbers: accuracies between 0 and 1, bytes, seconds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    failed = ("failed_seed", "failure") if table.has_failures else ()
    writer.writerow([*(key for column in table.columns for key in column.keys), *failed])
    for line in table.lines:
        raw = [raw_text(value) for cell in line.cells for value in cell.raw]
        missing = sum(len(column.keys) for column in table.columns) - len(raw)
        why = [raw_text(line.seed), line.failure] if line.failure else ["", ""]
        writer.writerow([*raw, *[""] * missing, *(why if failed else [])])
    return text.getvalue()


def to_markdown(table: Table) -> str:
    """Return the table as GitHub's Markdown has it; why a run failed stands in a last column."""
    heads = [*(column.heading for column in table.columns), *_remarks(table)]
    rules = ["---" if column.is_text else "---:" for column in table.columns]
    lines = [heads, [*rules, *("---" for _ in _remarks(table))]]
    for line in table.lines:
        cells = _texts(line, table)
        lines.append([*cells, line.failure] if table.has_failures else cells)
    rows = ["| " + " | ".join(_markdown(cell) for cell in row) + " |" for row in lines]
    notes = [f"{_markdown(note)}  " for note in table.notes]
    return "\n".join([f"**{_markdown(table.caption)}**", "", *rows, "", *notes]).rstrip() + "\n"


def to_latex(table: Table) -> str:
    r"""Return a `table` of booktabs, which `\usepackage{booktabs}` suffices for."""
    ends = r" \\"
    head = " & ".join(_latex(column.heading) for column in table.columns)
    layout = "".join("l" if column.is_text else "r" for column in table.columns)
    rows = [_latex_line(line, table) + ends for line in table.lines]
    notes = [_latex(note) for note in table.notes]
    return "\n".join([
        r"\begin{table}", r"  \centering", rf"  \caption{{{_latex(table.caption)}}}",
        rf"  \begin{{tabular}}{{{layout}}}", r"    \toprule", f"    {head}{ends}",
        r"    \midrule", *(f"    {row}" for row in rows), r"    \bottomrule", r"  \end{tabular}",
        *([r"  \par\smallskip", rf"  \footnotesize {' '.join(notes)}"] if notes else []),
        r"\end{table}", "",
    ])  # fmt: skip


def to_text(table: Table) -> str:
    """Return the table in aligned columns, for a terminal."""
    heads = [column.heading for column in table.columns]
    whole = [_texts(line, table) for line in table.lines if not line.failure]
    widths = [max(map(width, column)) for column in zip(heads, *whole, strict=True)]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    aligned = [
        f"  {line.cells[0].text}: {line.failure}"
        if line.failure
        else _aligned(_texts(line, table), widths, table.columns)
        for line in table.lines
    ]
    head = _aligned(heads, widths, table.columns)
    notes = [textwrap.fill(note, max(len(rule), 60)) for note in table.notes]
    return "\n".join([table.caption, "", head, rule, *aligned, rule, *notes, ""])


TEXTS: dict[str, Callable[[Table], str]] = {"md": to_markdown, "tex": to_latex}


def _texts(line: Line, table: Table) -> list[str]:
    texts = [cell.text for cell in line.cells]
    return [*texts, *[""] * (len(table.columns) - len(texts))]


def _remarks(table: Table) -> tuple[str, ...]:
    return ("remark",) if table.has_failures else ()


def _aligned(cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    blanks = [" " * (most - width(cell)) for cell, most in zip(cells, widths, strict=True)]
    return "  ".join(
        cell + blank if column.is_text else blank + cell
        for cell, blank, column in zip(cells, blanks, columns, strict=True)
    ).rstrip()


def _markdown(text: str) -> str:
    r"""Return a text that Markdown shows as it stands.

    >>> print(_markdown("a|b <i> *c*"))
    a\|b \<i> \*c\*
    """
    return re.sub(r"([\\`*_|<\[\]~])", r"\\\1", " ".join(text.split()))


def _latex(text: str) -> str:
    r"""Return a text that LaTeX sets as it stands, in any of its encodings.

    >>> print(_latex("50 % of a_b ± 1"), _latex("--retry"))
    50 \% of a\_b $\pm$ 1 -{}-retry
    """
    parts = re.split("-(?=-)", " ".join(text.split()))  # two hyphens would be set as a dash
    return "-{}".join("".join(_LATEX.get(letter, letter) for letter in part) for part in parts)


def _latex_line(line: Line, table: Table) -> str:
    first, *others = (_latex(cell.text) for cell in line.cells)
    if first.startswith(("[", "*")):
        first = f"{{}}{first}"  # behind the end of a row it would be the option, or the star, of it
    if not line.failure:
        return " & ".join([first, *others])
    span = len(table.columns) - 1
    why = rf"\multicolumn{{{span}}}{{p{{0.6\linewidth}}}}{{{_latex(line.failure)}}}"
    return f"{first} & {why}"
