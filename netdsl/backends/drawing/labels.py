"""How members and wires of a drawing look: colours, lines, and labels in Graphviz's HTML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from textwrap import wrap

from netdsl.amounts import counted, sized
from netdsl.backends.drawing.figure import Box, Form, Joint, Wire
from netdsl.backends.drawing.fonts import FAMILY, width
from netdsl.ir import Graph
from netdsl.measure import depth, total, training_step

FONTS = f"{FAMILY},Verdana,sans-serif"  # the others are for a browser that lacks the first
SIZE, SMALL = 12.0, 9.5  # of type, in points
FEW = 3  # lines that reach a joint from the side as it is; for more of them it grows
TITLE, UNDER = 15.0, 10.5  # the name of a network, and its numbers
MARGIN, GAP = 9.0, 14.0  # left and right in a box; between name and number
LONGEST = 40  # characters of a line in a box, if it can be broken
INK, GREY, RED, BLUE = "#404040", "#666666", "#c0322b", "#2f6aa3"

# Family: fill, border.
COLOURS = {
    "conv": ("#dce9f7", "#2f6aa3"),
    "pool": ("#fcefdd", "#c08a30"),
    "block": ("#ddf0e0", "#3c8d4f"),
    "dense": ("#e9e0f3", "#7548a3"),
    "norm": ("#dcf0ef", "#2f8f89"),
    "act": ("#f9f4d2", "#a3962c"),
    "regularise": ("#f6e1ea", "#b0527d"),
    "wiring": ("#f5f5f5", "#808080"),
    "input": ("#f5f5f5", "#808080"),
    "output": ("#ffffff", "#ffffff"),
}

# Shortcuts are red, and each kind has its own line, so that it can be told in black and white; one
# that is written out begins and ends with a red line.
WIRES: dict[Form, dict[str, str]] = {
    "spine": {"color": INK},
    "identity": {"color": RED},
    "padding": {"color": RED, "style": "dashed"},
    "projection": {"color": RED, "style": "dotted", "penwidth": "1.8"},
    "read": {"color": BLUE},
    "beside": {"color": INK},
}


class Labels:
    """Makes labels and says how large they are; keeps every text that it wrote.

    All boxes on the main path are equally wide, and so are all in branches. `sides` says how many
    lines reach a joint from the side: it is as high as they need.
    """

    def __init__(self, boxes: Iterable[Box], sides: Counter[str]) -> None:
        self.written: list[str] = []
        self.sides = sides
        self.widths = {True: 130.0, False: 70.0}
        for box in boxes:
            self.widths[box.main] = max(self.widths[box.main], _width(box))

    def size(self, member: Box | Joint) -> tuple[float, float]:
        """Width and height of a box or joint."""
        if isinstance(member, Box):
            name, *others = _lines(member)
            height = 14 * bool(name[0]) + 12 * len(others)
            return self.widths[member.main] + 2 * MARGIN, height + 8
        if not member.sign:
            return 2.4, 2.4
        if self._is_circle(member):
            return 13, 13
        wide = 13 if len(member.sign) == 1 else width(member.sign, SMALL) + 12
        lines = self.sides[member.name]
        return wide, 15.0 if lines <= FEW else apart(lines) * lines + 5

    def _is_circle(self, joint: Joint) -> bool:
        return len(joint.sign) == 1 and self.sides[joint.name] <= FEW

    def wire_size(self, wire: Wire) -> tuple[float, float]:
        """Width and height of what is written on a wire."""
        lines = [text for text, _ in _on_wire(wire)]
        return max(width(line, SMALL) for line in lines), 12.0 * len(lines)

    def heading_size(self, text: str) -> tuple[float, float]:
        """Width and height of the name of a frame."""
        return width(text, SMALL), 12.0

    def title_size(self, title: str, graph: Graph) -> tuple[float, float]:
        """Width and height of what stands over a network."""
        lines = _numbers(graph)
        under = max(width(line, UNDER) for line in lines)
        return max(width(title, TITLE, bold=True), under), 26.0 + 18.0 * len(lines)

    def title(self, title: str, graph: Graph, below: float) -> str:
        """The name of a network over its numbers, with room below, so that titles are flush."""
        lines = [self._bold(title, TITLE)] if title else []
        lines += [self._font(line, UNDER, GREY) for line in _numbers(graph)]
        rows = "".join([f"<TR><TD>{line}</TD></TR>" for line in lines])
        if below:
            rows += f'<TR><TD HEIGHT="{below:g}"></TD></TR>'
        return f'<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">{rows}</TABLE>>'

    def box(self, box: Box) -> dict[str, str]:
        """The attributes of a box: its text at the left, its parameters at the right."""
        if box.family == "output":
            return {"label": f"<{self._font(box.text, SMALL, GREY)}>", "shape": "plaintext"}
        fill, border = COLOURS[box.family]
        times = f" {self._font(f'×{box.times}', SIZE, border)}" if box.times > 1 else ""
        name, *others = _lines(box)
        lines = [(self._bold(name[0], SIZE) + times, name[1])] if name[0] else []
        lines += [(self._font(text, SMALL, INK), count) for text, count in others]
        return {
            "label": f"<{self._table(lines, self.widths[box.main])}>", "shape": "box",
            "style": "rounded,filled", "fillcolor": fill, "color": border,
        }  # fmt: skip

    def joint(self, joint: Joint) -> dict[str, str]:
        """The attributes of a joint: a point, a sign in a circle, or a word in a small box."""
        if not joint.sign:
            return {"label": "", "shape": "point", "color": INK}
        colour = RED if joint.of_shortcut else INK
        size = 11 if len(joint.sign) == 1 else SMALL
        label = f"<{self._font(joint.sign, size, colour)}>"
        if self._is_circle(joint):
            return {"label": label, "color": colour, "shape": "circle"}
        return {"label": label, "color": colour, "shape": "box", "style": "rounded"}

    def heading(self, text: str) -> str:
        """The name of a frame."""
        return f"<{self._font(text, SMALL, GREY)}>"

    def wire(self, wire: Wire) -> dict[str, str]:
        """The attributes of a wire, with what is written on it."""
        texts = _on_wire(wire)
        lines = [f'{self._font(text, SMALL, ink)}<BR ALIGN="LEFT"/>' for text, ink in texts]
        colour = {"color": RED} if wire.written else {}
        return WIRES[wire.form] | colour | ({"label": f"<{''.join(lines)}>"} if lines else {})

    def _table(self, lines: Sequence[tuple[str, int]], wide: float) -> str:
        """Texts flush left and numbers flush right, together `wide`."""
        right = _numbers_width(count for _, count in lines)
        rows = [self._row(text, count, wide - right, right) for text, count in lines]
        return f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="0">{"".join(rows)}</TABLE>'

    def _row(self, text: str, count: int, left: float, right: float) -> str:
        cell = f'<TD WIDTH="{left:.0f}" ALIGN="LEFT">{text}</TD>'
        if not right:
            return f"<TR>{cell}</TR>"
        number = self._font(params(count), SMALL, GREY) if count else ""
        return f'<TR>{cell}<TD WIDTH="{right:.0f}" ALIGN="RIGHT">{number}</TD></TR>'

    def _font(self, text: str, size: float, colour: str) -> str:
        return f'<FONT POINT-SIZE="{size:g}" COLOR="{colour}">{self._text(text)}</FONT>'

    def _bold(self, text: str, size: float) -> str:
        return f'<FONT POINT-SIZE="{size:g}"><B>{self._text(text)}</B></FONT>'

    def _text(self, text: str) -> str:
        """Escape a text for Graphviz, which gives backslashes a meaning too."""
        printable = "".join(c if c.isprintable() else " " for c in text)
        self.written.append(printable)
        return escape(printable).replace("\\", r"\\")


def apart(lines: int) -> float:
    """How far apart lines end at a joint, which grows where their arrowheads would meet."""
    return 4.0 if lines <= FEW else 6.0


def params(count: int) -> str:
    """Write a number of parameters short.

    >>> params(640), params(38_848), params(999_960), params(138_357_544)
    ('640', '38.8 k', '1.00 M', '138.36 M')
    >>> params(30_514_630_000)
    '30.51 G'
    """
    if count < 1000:
        return str(count)
    if count >= 10**9:
        return f"{count / 10**9:.2f} G"
    return f"{count / 10**3:.1f} k" if count < 999_950 else f"{count / 10**6:.2f} M"


def macs(count: int) -> str:
    """Write a number of multiply-adds short.

    >>> macs(29_250), macs(41_000_000), macs(893_600_000), macs(4_089_000_000)
    ('29.2 k', '41.00 M', '0.894 G', '4.09 G')
    """
    return f"{count / 10**9:.3f} G" if 10**8 <= count < 10**9 else params(count)


def _width(box: Box) -> float:
    """How wide a box must be inside, so that its texts and its numbers stand in two columns."""
    times = f" ×{box.times}" if box.times > 1 else ""
    (text, _), *others = lines = _lines(box)
    name = width(text, SIZE, bold=True) + width(times, SIZE)
    left = max(name, *[width(text, SMALL) for text, _ in others], 0.0)
    right = _numbers_width(count for _, count in lines)
    return left + (GAP + right if right else 0.0)


def _numbers_width(counts: Iterable[int]) -> float:
    return max(width(params(count), SMALL) if count else 0.0 for count in counts)


def _lines(box: Box) -> list[tuple[str, int]]:
    """The lines in a box with their numbers: its name, what of that is too long, then its parts."""
    return [
        line
        for text, count in ((box.text, box.params), *box.parts)
        for line in _broken(text, count)
    ]


def _broken(text: str, count: int) -> list[tuple[str, int]]:
    """A text in as many lines as it needs; the first has the number."""
    if len(text) <= LONGEST:
        return [(text, count)]
    first, *others = wrap(text, LONGEST, break_long_words=False, break_on_hyphens=False)
    return [(first, count), *((more, 0) for more in others)]


def _numbers(graph: Graph) -> list[str]:
    """The numbers of a network, and below them what stochastic depth leaves of it."""
    cost, kept = total(graph), training_step(graph).kept
    layers = counted(depth(graph), "layer")
    numbers = f"{layers} · {params(cost.params)} parameters · {macs(cost.macs)} MACs"
    return [numbers, *([f"stochastic depth: on average {kept} in training"] if kept else [])]


def _on_wire(wire: Wire) -> list[tuple[str, str]]:
    """What is written on a wire, line by line, and in which colour."""
    if wire.shape is not None:
        return [(sized(wire.shape.dims, "×"), GREY)]
    words = re.sub(r" \+ ", " +\n", wire.word).splitlines()
    lines = [(word, RED if wire.written else WIRES[wire.form]["color"]) for word in words]
    return [*lines, (params(wire.params), GREY)] if wire.params else lines
