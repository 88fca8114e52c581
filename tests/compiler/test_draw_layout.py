"""Where things lie in a drawing, computed from the layout that Graphviz gives back: nothing overlaps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise
from typing import Any

import pytest

from netdsl.api import load, parse
from netdsl.backends.drawing.dot import to_dot
from netdsl.backends.drawing.file import render
from netdsl.network import Network
from netdsl.shelf import shipped

NET1 = (
    "default BB(dropout=0.5) (Conv 64)x2 Avg 2 BB 64 BB 128 Avg 2 BB 128 BB 256 Avg 2 BB 256 "
    "Avg 2 BB 512 Avg 2 FC 200"
)
NETWORKS = {
    "net 1": NET1,
    "resnet-20": (
        "shortcut pad def Stage(c, n, s=2) { (BB c s=[s,1])x n } "
        "Conv 16 Stage 16 3 s=1 Stage 32 3 Stage 64 3 GAP FC 10"
    ),
    "resnet-50": (
        "shortcut project Conv 64 7x7 s2 Max 3 s2 (Bott 256)x3 (Bott 512 s=[2,1])x4 "
        "(Bott 1024 s=[2,1])x6 (Bott 2048 s=[2,1])x3 GAP FC 1000"
    ),
    "inception": (
        "Conv 64 7x7 s2 Cat( Conv 64 1x1 | Conv 96 1x1 Conv 128 | Conv 16 1x1 Conv 32 5x5 "
        "| Max 3 s1 Conv 32 1x1 ) GAP FC 10"
    ),
    "residual of residual": "Conv 16 Res( Res( (BB 16)x2 )x3 ) Res(Res( (BB 24 s=[2,1])x2 )) GAP FC 10",
    "u-net": (
        "(Conv 16)x2 @a Max 2 (Conv 32)x2 @b Max 2 (Conv 64)x2 Deconv 32 s2 Cat( | @b ) (Conv 32)x2 "
        "Deconv 16 s2 Cat( | @a Conv 8 ) (Conv 16)x2 Conv 2 1x1 norm=none act=none"
    ),
    "squeeze and excitation": (
        "Conv 16 (Res( Conv 16 act=none SE r4 ) Act)x2 Res shortcut=project act=relu "
        "( Conv 24 s2 Conv 24 act=none SE r8 ) GAP FC 10"
    ),
    "dense": "Conv 16 (Cat( | Conv 12 ))x4 Avg 2 (Cat( | Conv 48 1x1 Conv 12 ))x3 GAP FC 10",
    "orders": (
        "shortcut always Conv 16 BB 16 pre BB 16 order=relu_pre BB 24 s2 order=bn_after_add "
        "shortcut_norm=before Bott 24 order=relu_before_add shortcut=identity Norm Act GAP FC 9 FC 10"
    ),
    "nested branches": (
        "Conv 16 Cat( Cat( Conv 8 1x1 | Conv 8 Conv 8 ) Conv 12 | Res( Conv 16 Conv 16 act=none ) "
        "| Add( | Conv 16 | ) | (BB 16)x3 ) GAP FC 10"
    ),
    "values read again": (
        "Conv 16 @a Conv 16 @b BB 16 @c Cat( | @a | @b Conv 4 | @c BB 16 | @a Cat( Conv 3 | Conv 5 ) ) "
        "Conv 16 Cat( | @a | @b | @c ) Cat( Conv 4 @d Conv 4 Cat( | @d | @a Conv 3 ) | Conv 8 ) FC 10"
    ),
    "many reads": (
        f"{' '.join(f'Conv 8 @a{i}' for i in range(12))} Cat( | {' | '.join(f'@a{i}' for i in range(12))} ) "
        f"{' '.join(f'Conv 8 @b{i}' for i in range(7))} Add( | {' | '.join(f'@b{i}' for i in range(7))} ) "
        "Add( | @b0 | @b1 | @b2 ) Mul( | @b0 | @b1 ) FC 10"
    ),
    "reads right below": (
        "Conv 16 @a Cat( Conv 8 Cat( | @a ) | Conv 8 ) Conv 16 @b Cat( Conv 8 Cat( Conv 4 Cat( | @b ) | Conv 8 ) "
        "| Conv 8 Add( Conv 16 | @b | @b ) | Cat( @b | Mul( | @b Conv 1 ) ) | Res( Conv 16 | @b ) ) @c Conv 16 Cat( @c Conv 4 | Conv 8 ) FC 10"
    ),
    "gates": (
        "Conv 16 @a Mul( | GAP Conv 4 1x1 Conv 16 1x1 act=sigmoid ) Mul( | Conv 1 7x7 act=sigmoid ) "
        "Res( Conv 16 Mul( Conv 16 act=tanh | Conv 16 act=sigmoid ) ) Mul( | @a | @a Conv 1 ) FC 10"
    ),
    "shortcuts that are written out": (
        "Conv 16 @a Res act=relu ( Conv 16 Conv 16 | Conv 16 1x1 act=none ) Res( BB 16 drop_path=0.2 | ) "
        "(Res( Conv 16 Cat( Conv 8 | Conv 8 ) | Max 3 s1 Conv 16 ))x2 Res( Conv 16 | @a ) FC 10"
    ),
    "repeated groups": (
        "def Pair(c) { Conv c 1x1 Conv c } (Conv 16 Max 3 s1 BB 16)x4 ((BB 16)x2 Avg 3 s1)x3 "
        "(Pair 16)x3 (Conv 16 @a Conv 16 Add( | @a ))x5 FC 10"
    ),
    "long texts": (
        "Conv 64 k=3x5 act=leaky_relu norm=none bias g1 d2 BB 64 shortcut=project dropout=0.5 "
        "order=relu_before_add shortcut_kernel=3 (Conv 1024 1x1)x128 FC 100000 act=relu FC 10"
    ),
    "one layer": "FC 10",
}
SLACK = 0.6  # Graphviz gives numbers back with five digits
WAYS = [(twin, expand) for twin in (False, True) for expand in (False, True)]
# Every shipped file too, as people draw it: with its repeats folded.
cases = pytest.mark.parametrize(
    ("name", "twin", "expand"),
    [(name, *way) for name in NETWORKS for way in WAYS]
    + [(name, twin, False) for name in sorted(shipped()) for twin in (False, True)],
    scope="module",  # all tests of a drawing one behind the other, in one process
)


@dataclass(frozen=True)
class Area:
    """A rectangle of the drawing, and what is in it."""

    name: str
    left: float
    low: float
    right: float
    high: float

    def meets(self, other: Area, slack: float = 0.1) -> bool:
        return (
            min(self.right, other.right) - max(self.left, other.left) > slack
            and min(self.high, other.high) - max(self.low, other.low) > slack
        )

    def holds(self, other: Area) -> bool:
        return (
            self.left <= other.left + 0.1
            and other.right <= self.right + 0.1
            and self.low <= other.low + 1
            and other.high <= self.high + 1
        )


@dataclass(frozen=True)
class Drawing:
    """The boxes and joints with the texts in them, frames, free labels, and pieces of lines."""

    members: dict[str, Area]
    inside: list[tuple[Area, Area]]
    frames: list[Area]
    labels: list[Area]
    lines: list[Area]
    tips: list[
        tuple[str, bool, float, float]
    ]  # what a line points at, whether it is round, and where


@cache
def network(name: str) -> Network:
    return parse(NETWORKS[name], input=(3, 32, 40)) if name in NETWORKS else load(name)


@cache
def drawing(name: str, twin: bool, expand: bool) -> Drawing:
    data = render(network(name).dot(twin=twin, expand=expand), "json", [])
    found = Drawing({}, [], [], [], [], [])
    layout = json.loads(data)
    for thing in layout["objects"]:
        if "bb" in thing:
            found.frames.append(Area(thing["name"], *map(float, thing["bb"].split(","))))
            found.labels.extend(texts(thing))
        else:
            area = found.members[thing["name"]] = member(thing)
            found.inside.extend((area, text) for text in texts(thing))
    for edge in layout["edges"]:
        found.labels.extend(texts(edge))
        found.lines.extend(pieces(edge))
        if edge["pos"].startswith("e,"):
            x, y = map(float, edge["pos"].split()[0].split(",")[1:])
            head = layout["objects"][edge["head"]]
            found.tips.append((head["name"], head.get("shape") == "circle", x, y))
    return found


def member(node: dict[str, Any]) -> Area:
    x, y = map(float, node["pos"].split(","))
    w, h = 36 * float(node["width"]), 36 * float(node["height"])
    return Area(node["name"], x - w, y - h, x + w, y + h)


def texts(thing: dict[str, Any]) -> Iterator[Area]:
    """The texts that were drawn, as wide as their letters are."""
    size = 0.0
    for step in thing.get("_ldraw_", ()):
        if step["op"] == "F":
            size = step["size"]
        elif step["op"] == "T" and step["text"].strip():
            x, y = step["pt"]
            x -= step["width"] * {"l": 0, "c": 0.5, "r": 1}[step["align"]]
            yield Area(step["text"], x, y - 0.2 * size, x + step["width"], y + 0.75 * size)


def pieces(edge: dict[str, Any]) -> Iterator[Area]:
    """The straight pieces of a line, one point thick; its corners are round."""
    for step in edge["_draw_"]:
        if step["op"] == "b":
            for (a, b), (c, d) in pairwise(step["points"]):
                low, high, left, right = min(b, d), max(b, d), min(a, c), max(a, c)
                if high - low < 0.02 or right - left < 0.02:
                    yield Area(str(edge), left - 0.5, low - 0.5, right + 0.5, high + 0.5)


@cases
def test_no_two_boxes_overlap(name: str, twin: bool, expand: bool) -> None:
    pairs = combinations(drawing(name, twin, expand).members.values(), 2)
    assert [(a.name, b.name) for a, b in pairs if a.meets(b)] == []


@cases
def test_every_text_lies_within_its_box(name: str, twin: bool, expand: bool) -> None:
    assert [text for box, text in drawing(name, twin, expand).inside if not box.holds(text)] == []


@cases
def test_no_label_lies_on_a_box_or_another_label(name: str, twin: bool, expand: bool) -> None:
    found = drawing(name, twin, expand)
    pairs = [*combinations(found.labels, 2)]
    pairs += [(label, box) for label in found.labels for box in found.members.values()]
    assert [(a.name, b.name) for a, b in pairs if a.meets(b)] == []


@cases
def test_no_line_runs_through_a_label(name: str, twin: bool, expand: bool) -> None:
    found = drawing(name, twin, expand)
    assert [b for a in found.lines for b in found.labels if a.meets(b)] == []


@cases
def test_no_line_runs_through_a_box(name: str, twin: bool, expand: bool) -> None:
    found = drawing(name, twin, expand)
    boxes = [box for box in found.members.values() if box.right - box.left > 30]
    assert [(a, b) for a in found.lines for b in boxes if a.meets(b, 1.1)] == []


@cases
def test_every_arrow_ends_at_what_it_points_at(name: str, twin: bool, expand: bool) -> None:
    found = drawing(name, twin, expand)
    for head, is_round, x, y in found.tips:
        area = found.members[head]
        assert area.left - SLACK <= x <= area.right + SLACK
        assert area.low - SLACK <= y <= area.high + SLACK
        if is_round:
            middle, radius = (area.left + area.right) / 2, (area.right - area.left) / 2
            distance = ((x - middle) ** 2 + (y - (area.low + area.high) / 2) ** 2) ** 0.5
            assert distance == pytest.approx(radius, abs=SLACK)


@cases
def test_frames_lie_within_one_another_or_apart(name: str, twin: bool, expand: bool) -> None:
    pairs = combinations(drawing(name, twin, expand).frames, 2)
    crossing = [(a, b) for a, b in pairs if a.meets(b) and not a.holds(b) and not b.holds(a)]
    assert crossing == []


@pytest.mark.parametrize("expand", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_twins_stand_row_by_row(name: str, expand: bool) -> None:
    members = drawing(name, True, expand).members
    pairs = [(members.get(f"0{key[1:]}"), area) for key, area in members.items() if key[0] == "1"]
    both = [(a, b) for a, b in pairs if a is not None]
    assert len(both) > 3
    assert [(a.name, b.name) for a, b in both if abs(a.low + a.high - b.low - b.high) > 0.1] == []


@pytest.mark.parametrize(
    "name", ["net 1", "resnet-20", "resnet-50", "residual of residual", "dense"]
)
def test_all_boxes_on_the_main_path_are_equally_wide(name: str) -> None:
    members = drawing(name, False, False).members.values()
    boxes = [a for a in members if a.right - a.left > 60 and a.name != "0 title"]
    assert len({round(box.right - box.left, 2) for box in boxes}) == 1
    assert len({round(box.right + box.left, 2) for box in boxes}) == 1


def test_networks_whose_rows_contradict_each_other_are_drawn_all_the_same() -> None:
    first = parse("Conv 4 Max 2 s1 p1 Avg 3 s1", input=(3, 9, 9))
    second = parse("Avg 3 s1 Max 2 s1 p1 Conv 4", input=(3, 9, 9))
    assert to_dot([("a", first.checked), ("b", second.checked)]).count("Max 2") == 2
