"""Results to one page that needs no other file: tables, curves, figures, networks, origins."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from netdsl.experiment.report import headline, notes
from netdsl.experiment.report.chart import chart_data
from netdsl.experiment.report.figures import Drawn
from netdsl.experiment.report.networks import commits_of, shown_networks
from netdsl.experiment.report.origins import origins_of, shared_settings
from netdsl.experiment.report.results import Results
from netdsl.experiment.report.table import Table, raw_text

_HERE = "netdsl.experiment.report"


def to_html(table: Table) -> str:
    """Return a table as HTML, to be put into a page."""
    return _environment().get_template("table.html").render(table=table, linked=False) + "\n"


def to_page(
    results: Results, tables: Sequence[Table], figures: Sequence[Drawn], beside: dict[str, str]
) -> str:
    """Return the page; `beside` are the texts of files that a reader may take from it."""
    style, script = (asset(name) for name in ("style.css", "page.js"))
    return _environment().get_template("page.html").render(
        plan=results.plan, summary=headline.summary(results), progress=notes.progress(results),
        findings=headline.findings(results), curve_notes=notes.loss_notes(results),
        tables={table.name: table for table in tables},
        chart=chart_data(results), figures=figures, networks=shown_networks(results),
        origins=origins_of(results), shared=shared_settings(results),
        commits=commits_of(results.runs), beside=beside,
        style=Markup(style), script=Markup(script), script_hash=_digest(script),
    ) + "\n"  # fmt: skip


def _environment() -> Environment:
    """Return what fills templates in; whatever comes from outside is escaped."""
    found = Environment(
        loader=PackageLoader(_HERE, "page"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    found.filters |= {"raw": raw_text, "data_url": _data_url, "as_json": _as_json}
    return found


def asset(name: str) -> str:
    """Return the text of a file that the page is made of."""
    return (files(_HERE) / "page" / name).read_text("utf-8")


def _digest(script: str) -> str:
    """Return how the page names the one script that may run in it."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _data_url(content: str | bytes, kind: str) -> str:
    data = content.encode() if isinstance(content, str) else content
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _as_json(value: object) -> Markup:
    """Return JSON that no text in it can end: `</script>` has a `<`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))
