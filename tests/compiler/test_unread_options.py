"""Options and settings that change nothing beside others are told, unless others may be chosen."""

import pytest

import netdsl

SHAPE = (3, 8, 8)


@pytest.mark.parametrize(
    "text",
    [
        "scale deep(shortcut=project) shortcut_kernel 3 BB 8",
        "scale deep(shortcut=project) BB 8 shortcut_kernel=3",
        "scale grouped(norm=group) default Norm(groups=4) Norm groups=4 Conv 8",
        "norm none Norm groups=4 Conv 8",
        "shortcut project shortcut_kernel 3 BB 8",
        "shortcut pad BB 8 shortcut=project shortcut_kernel=3",
        "residual off shortcut_kernel 3 shortcut project BB 3",
        "default BB(shortcut_kernel=3) BB 8 BB 8 shortcut=project",
    ],
)
def test_what_another_choice_reads_is_left_in_peace(text: str) -> None:
    assert netdsl.parse(text, input=SHAPE).warnings == ()


def test_a_choice_from_outside_means_the_file_for_both() -> None:
    for chosen in ("project", "pad"):
        found = netdsl.parse("BB 8 shortcut_kernel=3", input=SHAPE, shortcut=chosen)
        assert found.warnings == (), chosen


def test_a_setting_from_outside_that_changes_nothing_is_told_without_a_place() -> None:
    (warning,) = netdsl.parse("BB 8", input=SHAPE, shortcut_kernel=3).warnings
    told = "the setting `shortcut_kernel` is never used: no shortcut is a projection"
    assert (warning.code, warning.message, warning.span) == ("W0502", told, None)


def test_a_plain_twin_is_not_told_of_projections() -> None:
    assert netdsl.parse("BB 8", input=SHAPE, plain=True, shortcut_kernel=3).warnings == ()
