"""Writes the generated parts of the manual and the README: `make docs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from inspect import getdoc
from pathlib import Path
from typing import Any

import performance
import reports
import results
import zoo
from click.testing import CliRunner

import netdsl
from netdsl.cli.build import command as build
from netdsl.codes import code_table
from netdsl.ops.manual import layer_table
from netdsl.train.recipe import read_recipe
from netdsl.train.recipe import recipes as recipes_shipped
from netdsl.train.settings import ABOUT, Settings
from netdsl.train.transforms import TRANSFORMS

ROOT = Path(__file__).parents[1]
PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "language.md",
    ROOT / "docs" / "training.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "examples").glob("0*/README.md")),
)
MISTAKE = "input 3x64x64\n(Conv 64)x2 Max2 Max16 Avg4 FC200"


def parts() -> dict[str, str]:
    """Return every generated part by the name of its marks."""
    try:
        netdsl.parse(MISTAKE, name="net.arch")
    except netdsl.NetDSLError as error:
        mistake = str(error)
    return {
        "build": f"```\n{CliRunner().invoke(build, ['net1']).stdout}```",
        "mistake": f"```\n{mistake}\n```",
        "layers": layer_table(),
        "codes": code_table(),
        "recipes": recipe_table(),
        "settings": settings_table(),
        "transforms": transform_table(),
        "hours": results.hours(results.examples()),
        **{
            f"experiments {example.folder.name}": results.experiments(example)
            for example in results.examples()
        },
    }


def recipe_table() -> str:
    """Return what comes along, as Markdown."""
    found = [read_recipe(name) for name in recipes_shipped()]
    rows = [f"| `{r.name}` | {r.about} | `{r.example}` |" for r in found]
    return "\n".join(["| recipe | what it is | for instance |", "| --- | --- | --- |", *rows])


def settings_table() -> str:
    """Return every key of `[train]` with its default, as Markdown."""
    usual = Settings().record() | dict.fromkeys(("device", "precision", "threads"), "the machine's")
    usual |= {"compile": "where it pays", "iterations": ""}
    rows = [f"| `{key}` | {_shown(usual[key])} | {about} |" for key, about in ABOUT.items()]
    return "\n".join(["| key | unless given | what it is |", "| --- | --- | --- |", *rows])


def transform_table() -> str:
    """Return every transform with its options, as Markdown."""
    rows = [
        f"| `{name}` | {_options(transform)} | {' '.join((getdoc(transform) or '').split())} |"
        for name, transform in TRANSFORMS.items()
    ]
    head = ["| transform | options, unless given | what it does |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows])


def _options(transform: type[Any]) -> str:
    return ", ".join(f"`{field.name}={field.default:g}`" for field in fields(transform))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value in ("", []) else str(value)


def generated(text: str, made: Mapping[str, str]) -> str:
    """Return a page with its generated parts as they are made now, by the name of their marks."""
    for name, part in made.items():
        head, start, rest = text.partition(f"<!-- {name} -->\n")
        if start:
            _, end, tail = rest.partition(f"<!-- end of {name} -->")
            assert end, f"no mark says where {name} ends"
            text = f"{head}{start}{part}\n{end}{tail}"
    return text


def pages() -> dict[Path, str]:
    """Return every page that has generated parts, by its path, as it should read."""
    of_pages = parts()
    texts = {page: generated(page.read_text("utf-8"), of_pages) for page in PAGES}
    made = {reports.PAGE: reports.page(), zoo.PAGE: zoo.page()}
    if performance.MEASURED.exists():  # `make bench` writes it
        made[performance.PAGE] = performance.page()
    return {**texts, **made}


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text, "utf-8")
    netdsl.load("net1").draw(ROOT / "docs" / "net1-twins.svg", twin=True)
