"""Optimisers and clipping against torch's own, and against what a plain loop makes of them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Adam, AdamW, Optimizer

import netdsl
from netdsl.ops import CATALOGUE
from netdsl.ops.torch_layer import TorchLayer
from netdsl.train import Settings
from netdsl.train.optimiser import clip_gradients, make_optimiser, set_rate


class Network(nn.Module):
    """A convolution, a norm, a layer scale, and a last layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(3, 8, 3, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.scale = nn.Parameter(torch.full((8, 1, 1), 0.5))
        self.late = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor, late: bool = True) -> Tensor:
        x = self.norm(self.conv(x)).relu() * self.scale
        x = self.late(x) if late else x
        return self.head(x.mean((2, 3)))


def _settings(**chosen: object) -> Settings:
    return Settings(**{"lr": 0.05, "weight_decay": 1e-2, **chosen})  # type: ignore[arg-type]


def _plain(model: nn.Module, settings: Settings) -> Optimizer:
    """What somebody writes by hand."""
    options = {"lr": settings.lr, "weight_decay": settings.weight_decay}
    if settings.optimiser == "sgd":
        return SGD(
            model.parameters(),
            momentum=settings.momentum,
            nesterov=settings.settled_nesterov,
            **options,
        )
    adam = {"adam": Adam, "adamw": AdamW}[settings.optimiser]
    return adam(model.parameters(), betas=(settings.momentum, 0.999), **options)


def _learn(model: nn.Module, optimiser: Optimizer, settings: Settings, late_from: int = 0) -> None:
    generator = torch.Generator().manual_seed(0)
    for step in range(6):
        images = torch.randn(8, 3, 6, 6, generator=generator)
        images = images.to(memory_format=torch.channels_last)
        labels = torch.randint(0, 4, (8,), generator=generator)
        optimiser.zero_grad()
        cross_entropy(model(images, step >= late_from), labels).backward()
        optimiser.step()


CASES = [
    {"optimiser": "sgd"},
    {"optimiser": "sgd", "nesterov": False, "momentum": 0.8},
    {"optimiser": "sgd", "nesterov": False, "momentum": 0.0},
    {"optimiser": "adam", "momentum": 0.0},
    {"optimiser": "adam"},
    {"optimiser": "adamw"},
]


@pytest.mark.parametrize("chosen", CASES)
def test_exact_optimisers_equal_those_of_a_plain_loop_bit_for_bit(
    chosen: dict[str, object],
) -> None:
    settings = _settings(exact=True, **chosen)
    ours, plain = Network(), Network()
    _learn(ours, make_optimiser(ours, settings), settings)
    _learn(plain, _plain(plain, settings), settings)
    for name, tensor in plain.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor), name


@pytest.mark.parametrize("chosen", CASES)
@pytest.mark.parametrize("late_from", [0, 3])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_fused_optimisers_learn_the_same_where_a_gradient_comes_late(
    chosen: dict[str, object], late_from: int, memory_format: torch.memory_format
) -> None:
    settings = _settings(**chosen)
    ours, plain = (Network().to(memory_format=memory_format) for _ in range(2))
    optimiser = make_optimiser(ours, settings)
    assert all(group["fused"] for group in optimiser.param_groups)
    _learn(ours, optimiser, settings, late_from)
    _learn(plain, _plain(plain, settings), settings, late_from)
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], tensor, rtol=1e-4, atol=1e-6)


class Spectral(nn.Module):
    """A network with complex weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.weight = nn.Parameter(torch.randn(108, 4, dtype=torch.complex64) / 10)

    def forward(self, x: Tensor, late: bool = True) -> Tensor:
        return (torch.fft.fft2(x).flatten(1) @ self.weight).abs()


@pytest.mark.parametrize("chosen", CASES)
def test_complex_weights_learn_as_in_a_plain_loop(chosen: dict[str, object]) -> None:
    settings = _settings(**chosen)
    ours, plain = Spectral(), Spectral()
    _learn(ours, make_optimiser(ours, settings), settings)
    _learn(plain, _plain(plain, settings), settings)
    torch.testing.assert_close(ours.weight, plain.weight)


@pytest.mark.parametrize("chosen", CASES)
def test_all_state_is_there_before_the_first_step_as_the_weights_lie(
    chosen: dict[str, object],
) -> None:
    model = Network().to(memory_format=torch.channels_last)
    optimiser = make_optimiser(model, _settings(**chosen))
    before = {id(weight): set(optimiser.state[weight]) for weight in model.parameters()}
    for weight in model.parameters():
        for tensor in optimiser.state[weight].values():
            assert tensor.shape in ((), weight.shape)
            assert tensor.stride() in ((), weight.stride())
    _learn(model, optimiser, _settings())
    assert before == {id(weight): set(optimiser.state[weight]) for weight in model.parameters()}


def test_norms_biases_and_scales_can_be_spared_from_decay() -> None:
    model = Network()
    names = {id(weight): name for name, weight in model.named_parameters()}
    optimiser = make_optimiser(model, _settings(decay_norms=False))
    by_decay = {
        group["weight_decay"]: {names[id(weight)] for weight in group["params"]}
        for group in optimiser.param_groups
    }
    assert by_decay == {
        1e-2: {"conv.weight", "late.weight", "head.weight"},
        0.0: {"norm.weight", "norm.bias", "scale", "late.bias", "head.bias"},
    }
    _learn(model, optimiser, _settings())


def _spared(model: nn.Module) -> set[str]:
    """Return the names of what does not decay where norms and biases do not."""
    names = {id(weight): name for name, weight in model.named_parameters()}
    groups = make_optimiser(model, _settings(decay_norms=False)).param_groups
    assert {names[id(w)] for group in groups for w in group["params"]} == set(names.values())
    return {names[id(w)] for g in groups if not g["weight_decay"] for w in g["params"]}


@pytest.mark.parametrize(
    ("module", "spared"),
    [
        (nn.LayerNorm([4, 8, 8]), ["bias", "weight"]),
        (nn.LayerNorm([4, 1, 1]), ["bias", "weight"]),
        (nn.RMSNorm([4, 8]), ["weight"]),
        (nn.Conv1d(5, 5, 1, groups=5), ["bias"]),
        (nn.ConvTranspose1d(5, 1, 1), ["bias"]),
        (nn.Linear(4, 1), ["bias"]),
        (nn.PReLU(3), ["weight"]),
    ],
    ids=str,
)
def test_decay_spares_norms_and_biases_of_any_shape_and_no_convolution(
    module: nn.Module, spared: list[str]
) -> None:
    assert sorted(_spared(module)) == spared


OWN = [e for layer in CATALOGUE.values() if layer is not TorchLayer for e in layer.examples]


@pytest.mark.parametrize("source", OWN)
def test_of_the_layers_of_the_language_decay_spares_what_is_flat(source: str) -> None:
    head = "default Norm(groups=3) " if "group" in source else ""
    layer = netdsl.parse(f"{head}{source}", input=(6, 9, 8)).module()
    model = nn.Sequential(layer, nn.Linear(2, 2))  # since many have no weights
    flat = {
        name
        for name, weight in model.named_parameters()
        if weight.ndim < 2 or weight.shape[1:] == (1, 1)
    }
    assert _spared(model) == flat


def test_weights_that_do_not_learn_are_left_out() -> None:
    model = Network()
    model.conv.requires_grad_(False)
    before = model.conv.weight.clone()
    optimiser = make_optimiser(model, _settings(decay_norms=False))
    _learn(model, optimiser, _settings())
    assert torch.equal(model.conv.weight, before)
    assert sum(len(group["params"]) for group in optimiser.param_groups) == 7


def test_a_rate_holds_for_all_groups() -> None:
    optimiser = make_optimiser(Network(), _settings(decay_norms=False))
    set_rate(optimiser, 0.003)
    assert [group["lr"] for group in optimiser.param_groups] == [0.003, 0.003]


@pytest.mark.parametrize("clip", [0.01, 1e3])
def test_clipping_equals_torchs(clip: float) -> None:
    ours = Network()
    cross_entropy(ours(torch.randn(8, 3, 6, 6)), torch.arange(8) % 4).backward()
    ours.late.weight.grad = None
    theirs = Network()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        other.grad = None if mine.grad is None else mine.grad.clone()
    norm = clip_gradients(ours, _settings(clip=clip))
    assert torch.equal(norm, clip_grad_norm_(theirs.parameters(), clip))
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert (mine.grad is None) == (other.grad is None)
        assert mine.grad is None or torch.equal(mine.grad, other.grad)


def test_without_clipping_the_norm_is_told_and_nothing_changed() -> None:
    model = Network()
    cross_entropy(model(torch.randn(8, 3, 6, 6)), torch.arange(8) % 4).backward()
    before = [weight.grad.clone() for weight in model.parameters()]
    norm = clip_gradients(model, _settings())
    assert norm.item() == pytest.approx(sum(g.square().sum() for g in before).sqrt().item())
    assert all(torch.equal(w.grad, g) for w, g in zip(model.parameters(), before, strict=True))
