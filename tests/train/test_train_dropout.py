"""Dropout from bytes: what it draws, what it leaves behind, and that a network is as it was."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from math import sqrt
from types import MethodType

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from netdsl.train import DataSet, RunFolder, Settings, train
from netdsl.train.dropout import fast_dropout, has_near, threshold
from netdsl.train.memory import count

N = 2**20
PLAIN = Settings()


def _dropped(module: nn.Dropout, x: Tensor) -> Tensor:
    torch.manual_seed(5)
    with fast_dropout(module, PLAIN):
        return module(x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.05, 0.1, 0.25, 0.3, 0.5, 0.9])
def test_mean_and_variance_are_those_of_a_byte_below_a_threshold(
    p: float, dtype: torch.dtype
) -> None:
    y = _dropped(nn.Dropout(p), torch.ones(N, dtype=dtype)).double()
    kept = 1 - threshold(p) / 256
    scale = float(torch.tensor(1 / kept, dtype=dtype))
    assert set(y.unique().tolist()) == {0.0, scale}
    assert abs((y > 0).double().mean().item() - kept) < 5 * sqrt(kept * (1 - kept) / N)
    assert abs(y.mean().item() - 1) < 5 * sqrt((1 / kept - 1) / N) + abs(scale * kept - 1)
    assert y.var().item() == pytest.approx(1 / kept - 1, rel=0.02)


def test_where_one_byte_alone_is_kept_the_others_are_larger_for_all_that_are_dropped() -> None:
    y = _dropped(nn.Dropout(255 / 256), torch.ones(N))
    assert set(y.unique().tolist()) == {0.0, 256.0}


def test_every_bit_of_a_byte_and_every_place_are_drawn_alike() -> None:
    many = torch.stack([_fresh(seed) for seed in range(400)]).double()
    assert (many.mean(0) - 0.5).abs().max() < 5 * 0.5 / sqrt(400)


def _fresh(seed: int) -> Tensor:
    torch.manual_seed(seed)
    module = nn.Dropout(0.5)
    with fast_dropout(module, PLAIN):
        return module(torch.ones(19)) > 0


@pytest.mark.parametrize("p", [0.3, 0.5])
def test_a_gradient_goes_where_its_element_went(p: float) -> None:
    x = torch.randn(3, 5, 7, 9).requires_grad_()
    y = _dropped(nn.Dropout(p), x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(gradient * x.detach(), y.detach())
    assert 0 < (gradient == 0).sum() < x.numel()


@pytest.mark.parametrize("format", [torch.contiguous_format, torch.channels_last])
def test_elements_lie_in_memory_as_they_did(format: torch.memory_format) -> None:
    x = torch.randn(2, 5, 3, 7).contiguous(memory_format=format).requires_grad_()
    y = _dropped(nn.Dropout(0.5), x)
    (gradient,) = torch.autograd.grad(y, x, torch.ones_like(y))
    assert y.stride() == x.stride() == gradient.stride()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.permutations(range(4)))
def test_any_layout_gets_a_mask_of_its_own_elements(sizes: list[int], order: list[int]) -> None:
    places = [place for place in order if place < len(sizes)]
    x = torch.ones([sizes[place] for place in places]).permute(places)
    for view in (x, x[..., ::2], x[:1].expand(4, *x.shape[1:])):
        y = _dropped(nn.Dropout(0.5), view)
        assert y.shape == view.shape
        assert set(y.unique().tolist()) <= {0.0, 2.0}


def test_a_mask_takes_a_byte_an_element() -> None:
    sizes: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        sizes.append(tensor.untyped_storage().nbytes())
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        _dropped(nn.Dropout(0.5), torch.ones(800, requires_grad=True))
    assert sizes == [800]


def test_the_memory_of_a_mask_is_counted(settings: Settings) -> None:
    with_mask = nn.Sequential(nn.Conv2d(1, 6, 3), nn.Dropout(0.5), nn.Flatten())
    with fast_dropout(with_mask, settings):
        need = count(with_mask, (1, 8, 8), settings).image
    image, mask = 8 * 8 * 4, 6 * 6 * 6
    assert need == image + mask + 2 * image


def test_in_evaluation_nothing_is_dropped() -> None:
    x = torch.randn(9)
    assert torch.equal(_dropped(nn.Dropout(0.5).eval(), x), x)


def test_numbers_are_drawn_from_those_of_torch() -> None:
    x = torch.ones(1000)
    first, again = (_dropped(nn.Dropout(0.5), x) for _ in range(2))
    assert torch.equal(first, again)


class Own(nn.Dropout):
    """Somebody's own."""


@pytest.mark.parametrize(
    ("module", "is_near"),
    [
        (nn.Dropout(0.5), True), (nn.Dropout(0.02), True), (nn.Dropout(0.98), True),
        (nn.Dropout(0.001), False), (nn.Dropout(0.01), False), (nn.Dropout(0.99), False),
        (nn.Dropout(0.0), False), (nn.Dropout(1.0), False),
        (Own(0.5), False), (nn.Dropout2d(0.5), False),
    ],
)  # fmt: skip
def test_only_plain_dropout_of_a_probability_that_bytes_come_near_is_changed(
    module: nn.Module, is_near: bool
) -> None:
    assert has_near(module) == is_near


@pytest.mark.parametrize("change", [{"exact": True}, {"compile": True}, {"device": "cuda"}])
def test_a_network_keeps_its_own_where_that_is_wanted_or_as_fast(change: dict[str, object]) -> None:
    module = nn.Dropout(0.5)
    with fast_dropout(module, replace(PLAIN, **change)):
        assert "forward" not in vars(module)


def test_a_copy_made_meanwhile_has_a_mode_of_its_own() -> None:
    model = nn.Sequential(nn.Dropout(0.5))
    with fast_dropout(model, PLAIN):
        other = copy.deepcopy(model).eval()
        x = torch.ones(100)
        assert torch.equal(other(x), x)
        assert not torch.equal(model(x), x)


def test_a_network_is_given_back_as_it_was(
    make_run: Callable[..., RunFolder], digits: DataSet, settings: Settings
) -> None:
    drop = nn.Dropout(0.5)
    model = nn.Sequential(nn.Flatten(), drop, nn.Linear(64, 10))
    settings = replace(settings, epochs=1)
    train(model, digits, settings, make_run(settings))
    assert model[1] is drop
    assert "forward" not in vars(drop)


def test_a_forward_of_its_own_is_left_alone() -> None:
    drop, own = nn.Dropout(0.5), MethodType(lambda self, x: x + 1, nn.Dropout(0.5))
    drop.forward = own  # type: ignore[method-assign]
    with fast_dropout(nn.Sequential(drop), PLAIN):
        assert torch.equal(drop(torch.ones(9)), torch.full((9,), 2.0))
    assert vars(drop)["forward"] is own


def test_exact_training_draws_what_torch_draws(
    make_run: Callable[..., RunFolder], digits: DataSet, settings: Settings
) -> None:
    found = {}
    for exact in (True, False):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Dropout(0.5), nn.Linear(64, 10))
        names: list[str] = []
        model[2].register_forward_hook(lambda m, x, y, n=names: n.append(type(y.grad_fn).__name__))
        chosen = replace(settings, epochs=1, exact=exact)
        train(model, digits, chosen, make_run(chosen, str(exact)))
        found[exact] = set(names) - {"NoneType", "AddmmBackward0"}
    assert found == {True: {"MulBackward0"}, False: {"_DropoutBackward"}}
