"""Choices that change nothing beside the others are told, and those that do are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netdsl.train import Settings, resolve
from netdsl.train.idle import idle, idle_in_recipe, young_average
from netdsl.train.recipe import Recipe, read_recipe, recipes
from netdsl.train.resolve import Choices

STEPS: Choices = {"schedule": "step", "milestones": (40.0, 60.0)}
CASES: list[tuple[Choices, dict[str, str]]] = [
    ({"optimiser": "adam", "nesterov": True}, {"nesterov": "optimiser is adam"}),
    ({"optimiser": "adamw", "nesterov": False}, {}),
    ({"nesterov": True}, {}),
    (
        {"milestones": (3.0,), "gamma": 0.2},
        {"milestones": "schedule is one_cycle", "gamma": "schedule is one_cycle"},
    ),
    ({"schedule": "cosine", "milestones": ()}, {}),
    ({"schedule": "step", "milestones": (3.0,), "gamma": 0.2, "unit": "iterations"}, {}),
    (
        {"unit": "iterations"},
        {"unit": "there are no milestones, and warmup is a part of the training"},
    ),
    ({"unit": "iterations", "warmup": 100.0}, {}),
    ({"unit": "epochs"}, {}),
    (
        {"weight_decay": 0.0, "decay_norms": False},
        {"decay_norms": "weight_decay is 0.0"},
    ),
    ({"decay_norms": False}, {}),
    ({"epochs": 5, "patience": 5}, {"patience": "the training has 5 epochs"}),
    ({"epochs": 5, "patience": 4}, {"patience": "the training has 5 epochs"}),
    ({"epochs": 5, "patience": 3}, {}),
    ({"epochs": 1, "patience": 0}, {}),
    ({"epochs": 5, "patience": 0}, {}),
    ({"epochs": 1, "patience": 5}, {"patience": "the training has 1 epoch"}),
    ({**STEPS, "epochs": 3}, {"milestones": "the training has 3 epochs"}),
    ({**STEPS, "epochs": 40}, {"milestones": "the training has 40 epochs"}),
    ({**STEPS, "epochs": 41}, {"milestone 60": "the training has 41 epochs"}),
    ({**STEPS, "epochs": 60}, {"milestone 60": "the training has 60 epochs"}),
    ({**STEPS, "epochs": 61}, {}),
    (
        {**STEPS, "epochs": 41, "gamma": 1.0},
        {
            "milestones": "gamma is 1",
            "gamma": "the rate is multiplied by 1",
        },
    ),
    (
        {**STEPS, "epochs": 3, "gamma": 0.2},
        {
            "milestones": "the training has 3 epochs",
            "gamma": "the training has 3 epochs, and no milestone lies in them",
        },
    ),
    (
        {**STEPS, "epochs": 90, "gamma": 1.0},
        {"milestones": "gamma is 1", "gamma": "the rate is multiplied by 1"},
    ),
    ({**STEPS, "epochs": 3, "unit": "iterations"}, {}),  # nobody knows how many those are
]


def test_milestones_that_are_iterations_are_counted_where_the_images_are_known() -> None:
    said: Choices = {**STEPS, "epochs": 3, "batch_size": 10, "unit": "iterations"}
    settings = resolve(said)
    assert idle(said, settings, images=130) == {"milestones": "the training has 39 iterations"}
    assert idle(said, settings, images=140) == {"milestone 60": "the training has 42 iterations"}
    assert idle(said, settings, images=210) == {}


def test_steps_are_counted_as_so_many_processes_take_them() -> None:
    said: Choices = {
        "iterations": 1000, "batch_size": 100, "unit": "iterations", "average": 0.999,
        "schedule": "step", "milestones": (995.0, 1001.0),
    }  # fmt: skip
    alone, shared = (resolve(said, images=1003, processes=number) for number in (1, 4))
    assert (alone.epochs, shared.epochs) == (91, 100)  # of 11 steps, and of 10
    assert idle(said, alone, 1003) == {"milestone 1001": "the training has 1,001 iterations"}
    assert idle(said, shared, 1003, 4) == {"milestone 1001": "the training has 1,000 iterations"}
    assert young_average(replace(shared, epochs=91), 1003) == ""
    assert young_average(replace(shared, epochs=91), 1003, 4).startswith(
        "average 0.999 is over about 1,000 steps, and the training has 910: "
    )


def test_norms_of_one_process_are_synchronised_with_none() -> None:
    said, settings = Choices(sync_bn=True), Settings(device="cuda", sync_bn=True)
    assert idle(said, settings) == {"sync_bn": "there is one process"}
    assert idle(said, settings, processes=2) == {}
    assert idle({}, settings) == {}


def test_an_average_over_more_steps_than_there_are_is_told() -> None:
    settings = resolve({"average": 0.9999, "epochs": 2, "batch_size": 10})
    assert young_average(settings, images=40) == (
        "average 0.9999 is over about 10,000 steps, and the training has 8: "
        "the averaged network, which is evaluated, stays close to its first weights"
    )
    assert young_average(replace(settings, epochs=2500), images=40) == ""
    assert young_average(replace(settings, epochs=2499), images=40) != ""
    assert young_average(replace(settings, average=0.0), images=40) == ""


@pytest.mark.parametrize(("said", "told"), CASES)
def test_what_changes_nothing_is_told_with_its_reason(said: Choices, told: dict[str, str]) -> None:
    assert idle(said, resolve(said)) == told


@pytest.mark.parametrize("name", recipes())
def test_no_shipped_recipe_says_what_changes_nothing(name: str) -> None:
    recipe = read_recipe(name)
    for train in [stage.train for stage in recipe.stages] or [recipe.train]:
        settings = resolve(train, images=50_000)
        assert idle(train, settings) == {}
        assert young_average(settings, images=50_000) == ""


@pytest.mark.parametrize(
    ("own", "chosen", "told"),
    [
        ({"schedule": "step"}, {"milestones": (1.0,)}, {}),  # not whole by itself
        ({"device": "cuda:99"}, {"device": "cpu"}, {}),
        ({"epochs": 20, "warmup": 25.0, "schedule": "cosine"}, {"epochs": 30}, {}),
        ({"epochs": 5, "patience": 20}, {"epochs": 3}, {"patience": "the training has 3 epochs"}),
        ({"gamma": 0.2}, {"schedule": "step", "milestones": (1.0,)}, {}),
        ({**STEPS, "epochs": 90}, {"epochs": 1}, {}),
        ({**STEPS, "epochs": 90}, {"epochs": 50}, {}),
        ({**STEPS, "epochs": 50}, {}, {"milestone 60": "the training has 50 epochs"}),
        ({**STEPS, "epochs": 30}, {}, {"milestones": "the training has 30 epochs"}),
        (
            {**STEPS, "epochs": 3, "unit": "iterations", "batch_size": 100},
            {},
            {"milestones": "the training has 30 iterations"},
        ),
        ({"gamma": 0.2}, {"schedule": "cosine"}, {"gamma": "schedule is cosine"}),
        ({}, {"gamma": 0.2}, {}),
    ],
)
def test_a_recipe_is_told_what_changes_nothing_in_itself_and_as_it_is_used(
    own: Choices, chosen: Choices, told: dict[str, str]
) -> None:
    recipe = Recipe("mine", "", train=own, own=own)
    settings = resolve(own, chosen, images=1000)
    assert idle_in_recipe(recipe, settings, images=1000) == told
