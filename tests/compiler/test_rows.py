"""The rows that table and drawing share: what is folded, what is left out, what each row says."""

from __future__ import annotations

import pytest

from netdsl.api import parse
from netdsl.ir import Graph
from netdsl.rows import Group, Item, Row, rows
from netdsl.words import shortcuts

INPUT = (3, 16, 18)


def graph_of(text: str, *, plain: bool = False) -> Graph:
    return parse(text, input=INPUT, plain=plain).checked


def outline(item: Item) -> object:
    """A row as its text, with its number where it is folded; a group as kind, number, branches."""
    if isinstance(item, Row):
        return item.text if item.times == 1 else (item.text, item.times)
    return (item.kind, item.times, *[[outline(i) for i in b.items] for b in item.branches])


def outlines(text: str, *, plain: bool = False, expand: bool = False) -> list[object]:
    return [outline(item) for item in rows(graph_of(text, plain=plain), expand=expand)]


def test_a_repeat_of_one_layer_is_a_series_of_runs_that_are_equal() -> None:
    assert outlines("Conv 5 (BB 8 s=[2,1])x4") == [
        "Conv 5",
        ("series", 1, ["BB 8 s2", ("BB 8 s1", 3)]),
    ]


def test_repetitions_that_differ_in_their_parameters_are_not_folded() -> None:
    assert outlines("(Conv 7)x3") == [("series", 1, ["Conv 7", ("Conv 7", 2)])]


def test_equal_repetitions_of_several_layers_get_a_frame() -> None:
    assert outlines("(Conv 5 Max 3 s1)x4") == [
        "Conv 5",
        "Max 3 s1",
        ("repeat", 3, ["Conv 5", "Max 3 s1"]),
    ]


def test_repetitions_of_which_none_is_equal_to_its_neighbour_are_written_out() -> None:
    assert outlines("(Conv [4,6] Max 2)x2") == ["Conv 4", "Max 2", "Conv 6", "Max 2"]


def test_a_repeated_section_keeps_its_own_kind() -> None:
    assert outlines("Conv 6 (Res(Conv 6 Norm))x3") == ["Conv 6", ("res", 3, ["Conv 6", "Norm"])]


def test_a_repeat_of_repeats_is_folded_at_both_levels() -> None:
    assert outlines("Conv 6 ((Conv 6)x2)x3") == [
        "Conv 6",
        ("repeat", 3, [("series", 1, [("Conv 6", 2)])]),
    ]


def test_a_plain_res_of_residual_layers_is_folded_like_the_residual_one() -> None:
    assert outlines("Conv 6 Res(Res((BB 6)x2)x3)", plain=True) == [
        "Conv 6",
        ("repeat", 3, [("series", 1, [("BB 6", 2)])]),
    ]


def test_expanding_writes_every_repetition_out() -> None:
    assert outlines("(Conv 5)x2 (Res(BB 5))x2", expand=True) == [
        "Conv 5",
        "Conv 5",
        ("res", 1, ["BB 5"]),
        ("res", 1, ["BB 5"]),
    ]


def test_what_has_no_node_has_no_row() -> None:
    assert outlines("norm none Conv 4 Norm (Norm)x2 (BB 4)x0 Act") == ["Conv 4", "Act"]


def test_a_plain_res_with_an_activation_keeps_it() -> None:
    (res,) = rows(graph_of("Res act=relu ( Conv 3 )", plain=True))
    assert isinstance(res, Group)
    assert ([node.name for node in res.nodes], res.shortcut) == (["res1.act"], None)


def test_branches_say_where_they_start() -> None:
    _, _, cat = rows(graph_of("Conv 4 @a Conv 5 Cat( | @a Conv 6 | @a | Conv 7 )"))
    assert isinstance(cat, Group)
    found = [(branch.label, branch.source) for branch in cat.branches]
    assert found == [("", "conv2_act"), ("a", "conv1_act"), ("a", "conv1_act"), ("", "conv2_act")]


def test_a_branch_that_begins_with_a_section_starts_where_that_does() -> None:
    graph = graph_of("Conv 4 @a Conv 5 Add( Res(Cat( | @a )) Conv 5 | Conv 5 )")
    *_, add = rows(graph)
    assert isinstance(add, Group)
    assert [branch.source for branch in add.branches] == ["conv2_act", "conv2_act"]


def test_the_numbers_of_a_folded_row_are_those_of_all_its_layers() -> None:
    _, _, folded = rows(graph_of("Conv 5 Max 2 (Conv 5 bias)x3"))
    assert isinstance(folded, Group)
    one = 5 * 5 * 9 + 5 + 2 * 5
    assert (folded.cost.params, folded.cost.macs) == (3 * one, 3 * 5 * 5 * 9 * 8 * 9)
    assert (str(folded.shape), folded.field) == ("5x8x9", (16, 16))


def test_the_cost_of_a_section_has_that_of_its_shortcut() -> None:
    (res,) = rows(graph_of("Res shortcut=project ( Conv 5 norm=none )"))
    assert res.cost.params == (3 * 5 * 9 + 5) + 3 * 5 + 2 * 5


def test_every_kind_of_shortcut_has_its_word() -> None:
    text = (
        "Conv 4 BB 4 BB 6 BB 6 s2 BB 8 s2 BB 10 shortcut=pad BB 12 s2 shortcut=pad "
        "BB 12 s2 shortcut=pad BB 9 shortcut=project BB 9 s2 shortcut=project shortcut_kernel=3 "
        "BB 9 pre shortcut=always BB 9 shortcut=always shortcut_norm=before"
    )
    assert [(kind.form, kind.word) for kind in shortcuts(graph_of(text))] == [
        ("identity", "identity"),
        ("padding", "zero-pad"),
        ("padding", "avg-pool"),
        ("padding", "avg-pool + zero-pad"),
        ("padding", "zero-pad"),
        ("padding", "zero-pad"),
        ("padding", "subsample"),
        ("projection", "1×1"),
        ("projection", "3×3"),
        ("projection", "1×1"),
        ("projection", "1×1"),
    ]


def test_a_shortcut_that_the_policy_leaves_out_is_none() -> None:
    first, second = rows(graph_of("BB 6 shortcut=identity BB 6 shortcut=identity"))
    assert first.shortcut is None
    assert second.shortcut is not None


def test_different_layers_of_a_group_are_rows_of_their_own() -> None:
    assert outlines("((Conv 8)x[0,1] (BB 8)x[1,0])x2") == ["BB 8", "Conv 8"]


@pytest.mark.parametrize(
    "text",
    [
        "SE c=3", "SE r4", "AvgTo n=2", "LayerScale 1000000", "Dropout 0.12345671", "Conv 8 k3 s2",
        "(Dropout [0.12345671,0.12345679])x2", "LayerScale 1e-06",
    ],
)  # fmt: skip
def test_a_row_of_a_layer_reads_back(text: str) -> None:
    lines = parse(text, input=INPUT).table().splitlines()
    (written,) = (line.split("  ")[0] for line in lines if line.startswith(text[:4]))
    assert written == text
    assert list(graph_of(written)) == list(graph_of(text))
