"""An error analysis to one page that needs no other file and no network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from netdsl.amounts import counted
from netdsl.experiment.analysis.error_figures import BARS, NUMBERED, shown_order
from netdsl.experiment.analysis.errors import Errors, Mistake
from netdsl.experiment.analysis.gallery import captions, draw_tile
from netdsl.experiment.analysis.record import About, class_rows
from netdsl.train import DataSet
from netdsl.train.evaluation import tells_top5
from netdsl.train.synonyms import short_names

_STYLE = """
:root { color-scheme: light }
body { font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1a1a1a; background: #fff;
  max-width: 60rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0 }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem }
p { max-width: 44rem }
.quiet { color: #555 }
code { overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .75rem }
dl div { border: 1px solid #ddd; border-radius: .4rem; padding: .5rem .75rem }
dt { color: #555; font-size: .85rem }
dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums }
.scroll { overflow-x: auto }
img { display: block; height: auto; max-width: 100% }
.wide img { width: 100%; max-width: var(--most); min-width: var(--least) }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top }
td { border-bottom: 1px solid #e3e3e3 }
th { border-bottom: 2px solid #888 }
.n { text-align: right }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 1rem }
figure { margin: 0; overflow-wrap: anywhere }
figcaption { font-size: .85rem; line-height: 1.35 }
.gallery img { width: 100%; max-width: 128px; image-rendering: pixelated }
summary { cursor: pointer }
@media print {
  body { max-width: none; padding: 0 }
  figure, tr, .wide { break-inside: avoid }
}
"""


def make_page(found: Errors, data: DataSet, about: About, svgs: Mapping[str, bytes]) -> str:
    """Return the page as HTML, with the figures and the images inside."""
    title = f"Errors of {about.network} on {about.data}"
    parts = (
        f"<h1>{escape(title)}</h1>",
        *_numbers(found, about),
        *_confusion(found, svgs["confusion"]),
        *_pairs(found),
        *_classes(found, svgs["classes"]),
        *_gallery(found, data),
        *_calibration(found, svgs["calibration"]),
        *_class_table(found),
    )
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _numbers(found: Errors, about: About) -> Iterator[str]:
    yield (
        f'<p class="quiet">{escape(about.weights.capitalize())} weights of the run '
        f"<code>{escape(about.run)}</code>, {counted(found.images, 'validation image')} of "
        f"{counted(len(found.classes), 'class')}.</p>"
    )
    if about.note:
        yield f"<p>{escape(about.note[0].upper() + about.note[1:])}.</p>"
    top5 = [("top-5", f"{found.top5:.2%}")] if tells_top5(len(found.classes)) else []
    shown = [
        ("right", f"{found.accuracy:.2%}"),
        *top5,
        ("loss", f"{found.loss:.4f}"),
        ("calibration error", f"{100 * found.calibration.error:.1f} points"),
    ]
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in shown)
    yield f"<dl>{cells}</dl>"


def _confusion(found: Errors, svg: bytes) -> Iterator[str]:
    order = "in their own order"
    if shown_order(found) != tuple(range(len(found.classes))):
        order = "ordered so that those that the network mixes up are neighbours"
    yield "<h2>What is taken for what</h2>"
    yield (
        "<p>A row is a class, a column what its images are taken for; the diagonal is right. "
        f"The classes are {order}. Counts are in confusion.csv.</p>"
    )
    classes = len(found.classes)
    least = f"{14 + 1.6 * classes:g}rem" if classes <= NUMBERED else "60rem"
    yield _figure(svg, "confusion matrix", least=least, most="60rem")


def _pairs(found: Errors) -> Iterator[str]:
    yield "<h2>Most confused</h2>"
    if not found.confused:
        yield "<p>No image is taken for another class.</p>"
        return
    names = short_names(found.classes)
    rows = [
        (names[p.true], names[p.predicted], f"{p.images:,}", f"{p.part:.0%}")
        for p in found.confused
    ]
    yield _table(("class", "taken for", "images", "of the class"), rows)


def _classes(found: Errors, svg: bytes) -> Iterator[str]:
    shown = f", {BARS // 2} of each" if len(found.classes) > BARS else ""
    yield "<h2>Class by class</h2>"
    yield (
        f"<p>From the worst to the best{shown}. The lines are 95&nbsp;% intervals (Wilson): a few "
        "images say little of a class.</p>"
    )
    yield _figure(svg, "accuracy of each class", least="22rem", most="34rem")


def _gallery(found: Errors, data: DataSet) -> Iterator[str]:
    yield "<h2>Most confident errors</h2>"
    yield (
        "<p>With the probability of what an image is taken for, against that of what it is.</p>"
        if found.gallery
        else "<p>There is no error.</p>"
    )
    tiles = "\n".join(_tile(mistake, found, data) for mistake in found.gallery)
    yield f'<div class="gallery">\n{tiles}\n</div>'


def _tile(mistake: Mistake, found: Errors, data: DataSet) -> str:
    name, taken, sure = map(escape, captions(mistake, found))
    return (
        f'<figure><img alt="" src="{_inside("png", draw_tile(mistake, data))}">'
        f'<figcaption><b>{name}</b><br>{taken}<br><span class="quiet">{sure}</span></figcaption>'
        "</figure>"
    )


def _calibration(found: Errors, svg: bytes) -> Iterator[str]:
    yield "<h2>Is it as right as it is sure?</h2>"
    yield (
        f"<p>Images are sorted into {len(found.calibration.bins)} bins by the probability of what "
        "they are taken for. Below the dashed line the network is too sure. The expected "
        "calibration error (Guo et al. 2017) is the mean distance from that line over all images."
        "</p>"
    )
    yield _figure(svg, "reliability diagram", least="16rem", most="28rem")


def _class_table(found: Errors) -> Iterator[str]:
    rows = [
        (
            str(row["class"]), f"{row['images']:,}", _percent(row["accuracy"]),
            f"{_percent(row['low'])} to {_percent(row['high'])}", _percent(row["precision"]),
        )
        for row in class_rows(found)
    ]  # fmt: skip
    head = ("class", "images", "right", "95 % interval", "right of what is taken for it")
    yield f"<h2>All classes</h2>\n<details><summary>{len(rows)} classes</summary>"
    yield f"{_table(head, rows)}\n</details>"


def _percent(part: object) -> str:
    return f"{part:.1%}" if isinstance(part, float) else "–"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table; what begins with a digit stands at the right."""

    def cell(text: str, tag: str, number: bool) -> str:
        return f"<{tag}{' class=n' if number else ''}>{escape(text)}</{tag}>"

    numeric = [all(row[i][:1].isdigit() or row[i] == "–" for row in rows) for i in range(len(head))]
    lines = [
        "<tr>" + "".join(cell(t, tag, n) for t, n in zip(row, numeric, strict=True)) + "</tr>"
        for tag, row in (("th", head), *(("td", row) for row in rows))
    ]
    return '<div class="scroll"><table>\n' + "\n".join(lines) + "\n</table></div>"


def _figure(svg: bytes, alt: str, *, least: str, most: str) -> str:
    """Return a picture as wide as the page; where that is too narrow to read, it scrolls."""
    return (
        f'<div class="scroll wide" style="--least:{least};--most:{most}">'
        f'<img alt="{alt}" src="{_inside("svg+xml", svg)}"></div>'
    )


def _inside(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"
