"""The names of torch, Keras and papers, against torch and against the language itself."""

from __future__ import annotations

from dataclasses import fields

import pytest
from torch import nn

import netdsl
from netdsl.ir import Settings
from netdsl.lower.convert import SWITCH
from netdsl.lower.names import WORDS
from netdsl.ops import CATALOGUE, arguments
from netdsl.shelf import find
from netdsl.syntax import foreign
from netdsl.train.settings import Settings as Training


@pytest.mark.parametrize("name", foreign._OF_TORCH)
def test_what_is_called_a_class_of_torch_is_one(name: str) -> None:
    assert issubclass(getattr(nn, name), nn.Module)


def test_what_is_meant_is_in_the_language() -> None:
    layers = {ours.split()[0] for ours in foreign._LAYERS}
    assert layers <= {*CATALOGUE, "Res", "Add", "Cat", "Mul"}
    assert foreign._VALUES.keys() <= WORDS
    for key, values in foreign._CHOICES.items():
        known = arguments(Settings)[key]
        assert {*values} <= {
            *known.choices,
            *known.words,
            *(SWITCH if known.kind == "bool" else ()),
        }
    assert {*foreign.SETTINGS_HERE.values()} <= arguments(Settings).keys()


def test_what_is_said_to_be_of_training_is_no_setting_of_a_network() -> None:
    known = {field.name for field in fields(Training)}
    assert {*foreign.OF_TRAINING} <= known - arguments(Settings).keys()


def test_no_name_of_the_language_is_told_to_be_another() -> None:
    known = {name.lower() for name in CATALOGUE}
    assert known.isdisjoint({*foreign._MEANT, *foreign._HELPED})
    for word in WORDS:
        assert foreign.value_here(word.upper(), WORDS) == word


@pytest.mark.parametrize("name", foreign.SHOWN_BY)
def test_a_network_that_shows_a_block_comes_along_and_defines_one(name: str) -> None:
    path, _ = find(name)
    assert "\ndef " in path.read_text("utf-8")


@pytest.mark.parametrize("ours", [ours for ours in foreign._LAYERS if ours[-1].isdigit()])
def test_what_is_meant_with_its_numbers_can_be_written(ours: str) -> None:
    assert netdsl.parse(ours, input=(64, 12, 8)).warnings == ()
