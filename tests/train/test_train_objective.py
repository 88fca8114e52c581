"""The loss, mixing and averaging against torch's and torchvision's own."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot
from torchvision.transforms import v2

from netdsl.train import Settings
from netdsl.train.averaging import Average
from netdsl.train.mixing import Draw, Mixed, box, draw, mix
from netdsl.train.objective import loss_of

LOGITS = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 4, 2, 2, 1, 3])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_torchs_cross_entropy_bit_for_bit(smoothing: float) -> None:
    expected = cross_entropy(LOGITS, LABELS, label_smoothing=smoothing)
    assert torch.equal(loss_of(LOGITS, LABELS, Settings(label_smoothing=smoothing)), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_mixtures_is_that_of_mixed_labels(smoothing: float) -> None:
    target = Mixed(LABELS, LABELS.roll(1), 0.3)
    soft = 0.3 * one_hot(LABELS, 5) + 0.7 * one_hot(LABELS.roll(1), 5)
    found = loss_of(LOGITS, target, Settings(label_smoothing=smoothing))
    torch.testing.assert_close(found, cross_entropy(LOGITS, soft, label_smoothing=smoothing))


@pytest.mark.parametrize("part", [0.0, 0.37, 1.0])
def test_mixup_equals_torchvisions(part: float) -> None:
    images = torch.rand(6, 3, 8, 10)
    mixed, target = mix(images, LABELS, Draw(cut=False, part=part, y=0.0, x=0.0))
    reference = v2.MixUp(num_classes=5)
    labels = reference.transform(LABELS, {"lam": part, "labels": LABELS, "batch_size": 6})
    expected = reference.transform(images, {"lam": part, "labels": LABELS, "batch_size": 6})
    torch.testing.assert_close(mixed, expected)
    torch.testing.assert_close(_soft(target), labels)


@pytest.mark.parametrize("seed", range(8))
def test_cutmix_equals_torchvisions_with_the_same_box(seed: int) -> None:
    images = torch.rand(6, 3, 9, 14, generator=torch.Generator().manual_seed(seed))
    part, y, x = torch.rand(3, generator=torch.Generator().manual_seed(seed)).tolist()
    drawn = Draw(cut=True, part=part, y=y, x=x)
    top, bottom, left, right = box(drawn, 9, 14)
    weight = 1 - (bottom - top) * (right - left) / (9 * 14)
    params = {
        "box": (left, top, right, bottom), "lam_adjusted": weight, "labels": LABELS, "batch_size": 6,
    }  # fmt: skip
    mixed, target = mix(images, LABELS, drawn)
    reference = v2.CutMix(num_classes=5)
    assert torch.equal(mixed, reference.transform(images, params))
    torch.testing.assert_close(_soft(target), reference.transform(LABELS, params))


def _soft(target: Mixed) -> torch.Tensor:
    both = [one_hot(labels, 5) for labels in (target.labels, target.others)]
    return target.weight * both[0] + (1 - target.weight) * both[1]


def test_a_box_covers_the_part_that_is_not_to_stay_and_ends_at_the_border() -> None:
    assert box(Draw(cut=True, part=0.75, y=0.5, x=0.5), 32, 64) == (8, 24, 16, 48)
    assert box(Draw(cut=True, part=0.0, y=0.0, x=0.99), 32, 64) == (0, 16, 31, 64)


def test_parts_are_drawn_from_beta_and_either_mixing_has_an_even_chance() -> None:
    both = Settings(mixup=0.2, cutmix=1.0)
    drawn = [one for step in range(2000) if (one := draw(both, 1, step))]
    assert sum(one.cut for one in drawn) / 2000 == pytest.approx(0.5, abs=0.04)
    for cut, alpha in ((False, 0.2), (True, 1.0)):
        parts = torch.tensor([one.part for one in drawn if one.cut == cut], dtype=torch.float64)
        assert parts.mean().item() == pytest.approx(0.5, abs=0.05)
        assert parts.var().item() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


def test_nothing_is_mixed_unless_asked() -> None:
    assert draw(Settings(), 1, 0) is None


def _network() -> nn.Sequential:
    torch.manual_seed(2)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 3))


def _learn(model: nn.Module, steps: int) -> list[dict[str, torch.Tensor]]:
    """Change weights and buffers as a training does, and return each state."""
    states = []
    for _ in range(steps):
        model(torch.randn(5, 2, 4, 4))
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(torch.randn_like(weight))
        states.append(copy.deepcopy(model.state_dict()))
    return states


def test_the_average_is_the_recursion_of_its_definition_for_statistics_too() -> None:
    model = _network()
    average, expected = Average(model, 0.9), {}
    for state in (_learn(model, 1)[0] for _ in range(5)):
        average.update(model)
        expected = {
            name: state[name] if "num" in name or not expected
            else 0.9 * expected[name] + 0.1 * state[name]
            for name in state
        }  # fmt: skip
    found = average.model.state_dict()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor)


def test_a_buffer_that_is_no_statistic_is_that_of_the_last_step() -> None:
    model = _network()
    model.register_buffer("mask", torch.full((2,), -math.inf))
    average = Average(model, 0.9)
    for step in range(3):
        model.mask[0] = step
        average.update(model)
    assert average.model.mask.tolist() == [2.0, -math.inf]


def test_an_average_goes_on_from_its_state() -> None:
    model = _network()
    whole = Average(model, 0.8)
    _learn(model, 3)
    whole.update(model)
    again = Average(model, 0.8)
    again.load_state_dict(copy.deepcopy(whole.state_dict()))
    _learn(model, 1)
    for average in (whole, again):
        average.update(model)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_an_average_keeps_the_memory_format_and_does_not_learn() -> None:
    model = _network().to(memory_format=torch.channels_last)
    average = Average(model, 0.8)
    average.update(model)
    assert average.model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert not any(weight.requires_grad for weight in average.model.parameters())


def test_settings_can_ask_for_all_of_it_at_once() -> None:
    asked = replace(Settings(), mixup=0.2, cutmix=1.0, label_smoothing=0.1, average=0.99)
    assert draw(asked, 3, 7) == draw(asked, 3, 7) != draw(asked, 3, 8)


def test_what_cutmix_pastes_reaches_the_border() -> None:
    assert box(Draw(cut=True, part=0.0, y=0.99, x=0.0), 8, 6) == (3, 8, 0, 3)


@pytest.mark.parametrize("cut", [False, True])
def test_images_ahead_are_mixed_in_and_left_out(cut: bool) -> None:
    images = torch.rand(6, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    drawn = Draw(cut, 0.3, 0.5, 0.5)
    (whole, both), (part, mixed) = mix(images, LABELS, drawn), mix(images, LABELS, drawn, ahead=2)
    assert torch.equal(part, whole[2:])
    assert mixed.labels.tolist() == LABELS[2:].tolist()
    assert mixed.others.tolist() == LABELS[1:5].tolist() == both.others[2:].tolist()
