"""Every mistake about the meaning of a network, by the whole text that a person sees.

`diagnostics.txt` holds pairs: a source behind `=== `, and below it all that is said of it.
"""

from pathlib import Path

import pytest

import netdsl
from netdsl.errors import Diagnostic, Label, Source, Span

PAIRS = [
    tuple(pair.split("\n", 1))
    for pair in Path(__file__).with_name("diagnostics.txt").read_text("utf-8").split("=== ")[1:]
]


def said(source: str) -> str:
    """What is said of a source, errors and warnings, on images of 3x32x32."""
    try:
        own = source.startswith("input")
        net = netdsl.parse(source, name="net.arch", **({} if own else {"input": (3, 32, 32)}))
    except netdsl.NetDSLError as error:
        return str(error)
    return "\n\n".join(warning.show() for warning in net.warnings)


@pytest.mark.parametrize(("source", "expected"), PAIRS, ids=[source for source, _ in PAIRS])
def test_what_is_said(source: str, expected: str) -> None:
    assert said(source) == expected.strip("\n")


def test_a_label_inside_of_what_is_at_fault_leaves_its_marks_whole() -> None:
    source = Source("net.arch", "Conv 64 k=z")
    label = Label(Span(source, 8, 11), "this part")
    found = Diagnostic("E0206", "z is no size", Span(source, 0, 11), (label,))
    assert found.show().splitlines()[-2:] == [" 1 | Conv 64 k=z", "   | ^^^^^^^^^^^ this part"]


@pytest.mark.parametrize("sign", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_what_would_turn_a_line_around_is_shown_as_a_sign(sign: str) -> None:
    assert ' 1 | name "a\ufffdb" Cnov 3\n' in said(f'name "a{sign}b" Cnov 3')


@pytest.mark.parametrize(
    "comment",
    [
        "# Conv 8",
        "#2 Conv of the stem",
        "#2",
        "#2 Foo 3",
        "#64",
        "#2 Conv 64",
        "#2 Conv",
        "#2 Conv64",
    ],
)
def test_a_comment_that_is_one_is_left_alone(comment: str) -> None:
    assert said(f"Conv 64 {comment}\nGAP FC 10") == ""


@pytest.mark.parametrize("comment", ["#2 Conv 128", "#2 Conv 64 s2", "#2 GAP", "#2 Conv 64 GAP"])
def test_another_layer_behind_the_mark_of_a_note_is_told(comment: str) -> None:
    assert said(f"Conv 32 Conv 64 {comment}\nGAP FC 10").startswith(
        "warning[W0517]: `#2` begins a comment: the layers behind it are left out\n"
    )


def test_a_numbered_row_behind_others_is_no_layer() -> None:
    assert said("Conv 64\n#2 GAP\nFC 10").startswith(
        "warning[W0517]: `#2` begins a comment: the layers behind it are left out\n"
        "  --> net.arch:2:1\n"
    )


def test_places_far_apart_in_one_long_line_are_shown_one_by_one() -> None:
    text = said(f"Conv 8 @a {'Conv 8 ' * 160}Max 2 Add( | @a )")
    *_, first, under_first, second, under_second, remark = text.splitlines()
    assert first.startswith(" 1 | Conv 8 @a Conv 8 Conv 8")
    assert under_first == "   | ------ 8x32x32"
    assert second.endswith(" Conv 8 Max 2 Add( | @a )")
    at = second.index("Max 2")
    assert under_second == f"{'   |':{at}}----- ^^^"
    assert remark == f"{'   |':{at}}8x16x16"
