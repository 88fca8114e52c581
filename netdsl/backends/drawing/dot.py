"""Graphs to a drawing: DOT text, SVG, or a file; several networks stand side by side."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise
from operator import or_
from pathlib import Path

from graphviz import Digraph

from netdsl.backends.drawing import fonts
from netdsl.backends.drawing.figure import Box, Frame, Joint, Member, Pen, Split, flat
from netdsl.backends.drawing.file import FORMATS, render
from netdsl.backends.drawing.labels import FONTS, Labels
from netdsl.backends.drawing.lanes import spread
from netdsl.backends.drawing.layout import Layout, Place, stack
from netdsl.backends.drawing.routes import route, spline
from netdsl.backends.drawing.rows import draw_rows
from netdsl.disk import write_out
from netdsl.errors import NetDSLWarning, fail
from netdsl.ir import Graph

MEMBERS = 20_000  # more than so many boxes and joints are not laid out in a minute

GRAPH = {"layout": "nop2", "pad": "0.15", "margin": "0", "bgcolor": "white", "fontname": FONTS}
NODE = {"fontname": FONTS, "penwidth": "1.2", "fixedsize": "true", "margin": "0"}
EDGE = {"fontname": FONTS, "penwidth": "1.2", "arrowsize": "0.6"}
APART = 40.0  # between two networks, in points


def to_dot(networks: Sequence[tuple[str, Graph]], *, expand: bool = False) -> str:
    """Return the drawing as DOT text, each network under its title.

    What has the same name in two networks stands in the same row: so a plain twin can be compared.
    """
    return _source(networks, expand=expand)[0]


def to_svg(networks: Sequence[tuple[str, Graph]], *, expand: bool = False) -> str:
    """Return the drawing as SVG text."""
    source, labels = _source(networks, expand=expand)
    return render(source, "svg", labels).decode("utf-8")


def draw(networks: Sequence[tuple[str, Graph]], path: Path, *, expand: bool = False) -> Path:
    """Draw into a file: svg, png, pdf or dot, by its suffix.

    Warns (`NetDSLWarning`) of letters that a png or pdf has no font for.
    """
    format = path.suffix.removeprefix(".").lower()
    if format not in (*FORMATS, "dot"):
        message = f"cannot draw `{path.name}`: a drawing ends in .svg, .png, .pdf or .dot"
        raise fail("E0604", message)
    source, labels = _source(networks, expand=expand)
    data = source.encode("utf-8") if format == "dot" else render(source, format, labels)
    try:
        write_out(path, data)
    except OSError as error:
        raise fail("E0606", f"cannot write {path}: {error.strerror}") from None
    unknown = fonts.missing("".join(labels)) if format in ("png", "pdf") else ""
    if unknown:
        warnings.warn(_boxed(unknown, path), NetDSLWarning, stacklevel=3)
    return path


def _boxed(letters: str, path: Path) -> str:
    """What is said of letters without a font."""
    are = "are boxes" if len(letters) > 1 else "is a box"
    advice = "draw an .svg, or install a font that has"
    what = "them" if len(letters) > 1 else "it"
    return f"no font here has {', '.join(letters)}, which {are} in {path.name}: {advice} {what}"


def _source(networks: Sequence[tuple[str, Graph]], *, expand: bool) -> tuple[str, list[str]]:
    """Return the DOT text, and every label that must be found in what is made of it."""
    pens = [draw_rows(graph, expand=expand) for _, graph in networks]
    members = [member for pen in pens for member in flat(pen.members)]
    if len(members) > MEMBERS:
        message = f"{len(members):,} boxes and joints exceed the limit of {MEMBERS:,} for a drawing"
        raise fail("E0605", message, help="draw it folded" if expand else None)
    on_wires = [wire.box for pen in pens for wire in pen.wires]
    boxes = (box for box in (*members, *on_wires) if isinstance(box, Box))
    labels = Labels(boxes, reduce(or_, (pen.sides for pen in pens), Counter()))
    dot = Digraph("network", graph_attr=GRAPH, node_attr=NODE, edge_attr=EDGE)
    x = 0.0
    layouts = stack(pens, labels)
    titles = [labels.title_size(*network) for network in networks]
    high = max((size[1] for size in titles), default=0.0)
    for i, (network, pen, layout) in enumerate(zip(networks, pens, layouts, strict=True)):
        block = spread(pen, layout, labels)
        wide, own = titles[i]
        x -= min(block.left, -wide / 2)
        block.move(x)
        title, text = Place(x, -high / 2, wide, high), labels.title(*network, below=high - own)
        dot.node(f"{i} title", text, shape="plaintext", **_where(title))
        _add_members(dot, pen.members, layout, labels, i)
        _add_wires(dot, pen, layout, labels, i)
        x += max(block.right, wide / 2) + APART
    return dot.source, labels.written


def _add_members(
    dot: Digraph, members: Iterable[Member], layout: Layout, labels: Labels, column: int
) -> None:
    for member in members:
        if isinstance(member, Split):
            for branch in member.branches:
                _add_members(dot, branch, layout, labels, column)
        elif isinstance(member, Frame):
            with dot.subgraph(name=f"cluster {column} {member.name}") as frame:
                frame.attr(**_frame(member, layout.frames[member.name], labels))
                _add_members(frame, member.members, layout, labels, column)
        else:
            look = labels.box(member) if isinstance(member, Box) else labels.joint(member)
            dot.node(f"{column} {member.name}", **look, **_where(layout.members[member.name]))


def _frame(frame: Frame, place: Place, labels: Labels) -> dict[str, str]:
    corners = (place.left, -place.bottom, place.right, -place.top)
    look = {"style": "rounded", "color": "#b0b0b0", "bb": ",".join(f"{n:.2f}" for n in corners)}
    if not frame.text:
        return look
    w, h = labels.heading_size(frame.text)
    middle = f"{place.right - 6 - w / 2:.2f},{-(place.top + 2.5 + h / 2):.2f}"
    return {**look, "label": labels.heading(frame.text), "lp": middle}


def _add_wires(dot: Digraph, pen: Pen, layout: Layout, labels: Labels, column: int) -> None:
    points = {m.name for m in flat(pen.members) if isinstance(m, Joint) and not m.sign}
    for i, (wire, lines) in enumerate(zip(pen.wires, route(layout, pen.wires), strict=True)):
        look = labels.wire(wire)
        if i in layout.labels:
            look["lp"] = _at(layout.labels[i])
        stops = [f"{column} {wire.tail}", f"{column} {wire.head}"]
        if wire.box is not None:
            stops.insert(1, f"{column} {wire.box.name}")
            dot.node(stops[1], **labels.box(wire.box), **_where(layout.lanes[i][-1]))
        for (tail, head), line in zip(pairwise(stops), lines, strict=True):
            arrow = wire.head not in points
            ending = {} if arrow else {"arrowhead": "none"}
            dot.edge(tail, head, pos=spline(line, arrow=arrow), **look, **ending)


def _where(place: Place) -> dict[str, str]:
    size = {"width": f"{place.width / 72:.3f}", "height": f"{place.height / 72:.3f}"}
    return {"pos": _at(place), **size}


def _at(place: Place) -> str:
    return f"{place.x:.2f},{-place.y:.2f}"
