"""Choices that change nothing beside the others are told, and those that do are not."""

from __future__ import annotations

import pytest

from netdsl.train import resolve
from netdsl.train.idle import idle
from netdsl.train.recipe import read_recipe, recipes
from netdsl.train.settings import Choices

CASES: list[tuple[Choices, list[str]]] = [
    ({"optimiser": "adam", "nesterov": True}, ["nesterov changes nothing: optimiser is adam"]),
    ({"optimiser": "adamw", "nesterov": False}, []),
    ({"nesterov": True}, []),
    (
        {"milestones": (3.0,), "gamma": 0.2},
        [
            "milestones changes nothing: schedule is one_cycle",
            "gamma changes nothing: schedule is one_cycle",
        ],
    ),
    ({"schedule": "cosine", "milestones": ()}, []),
    ({"schedule": "step", "milestones": (3.0,), "gamma": 0.2, "unit": "iterations"}, []),
    (
        {"unit": "iterations"},
        ["unit changes nothing: there are no milestones, and warmup is a part of the training"],
    ),
    ({"unit": "iterations", "warmup": 100.0}, []),
    ({"unit": "epochs"}, []),
    (
        {"weight_decay": 0.0, "decay_norms": False},
        ["decay_norms changes nothing: weight_decay is 0.0"],
    ),
    ({"decay_norms": False}, []),
    ({"epochs": 5, "patience": 5}, ["patience changes nothing: the training has 5 epochs"]),
    ({"epochs": 5, "patience": 4}, []),
    ({"epochs": 5, "patience": 0}, []),
]


@pytest.mark.parametrize(("said", "told"), CASES)
def test_what_changes_nothing_is_told_with_its_reason(said: Choices, told: list[str]) -> None:
    assert list(idle(said, resolve(said))) == told


@pytest.mark.parametrize("name", recipes())
def test_no_shipped_recipe_says_what_changes_nothing(name: str) -> None:
    recipe = read_recipe(name)
    for train in [stage.train for stage in recipe.stages] or [recipe.train]:
        assert list(idle(train, resolve(train, images=50_000))) == []
