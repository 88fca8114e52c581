"""Every convolutional classifier of torchvision, as its file says it, against the original."""

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models
from torchvision.models.regnet import BlockParams

import netdsl
from netdsl.shelf import shipped, variants
from netdsl.transfer import Transfer
from netdsl.transfer.verify import randomise

NO_CONVNETS = ("maxvit", "swin", "vit")
NAMES = [n for n in models.list_models(module=models) if not n.startswith(NO_CONVNETS)]
# One variant of each family is tested in every run, the smallest; the others are slow.
FIRST = {
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet",
    "inception_v3", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf",
    "regnet_y_400mf", "resnet18", "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_1",
    "vgg11_bn",
}  # fmt: skip
CASES = [n if n in FIRST else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]
# Those of 133 million parameters in float64 take longest by far.
LARGE = {"alexnet", "convnext_tiny", "efficientnet_v2_s", "inception_v3", "vgg11_bn"}
GRADIENTS = [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in sorted(FIRST)]
# The others have a fully connected layer where we have a convolution of 1x1.
BITWISE = [n for n in NAMES if not n.startswith("convnext")]
TOO_LARGE = "regnet_y_128gf"  # 645 million parameters
OPTIONS = {
    "googlenet": {"aux_logits": False, "init_weights": False, "transform_input": False},
    "inception_v3": {"aux_logits": False, "init_weights": False, "transform_input": False},
}


def original(name: str) -> nn.Module:
    model: nn.Module = models.get_model(name, **OPTIONS.get(name, {}))
    return model


def regnet_parameters(
    *args: object, compute: Any = BlockParams.from_init_params, **options: object
) -> Any:
    """What RegNet computes with tensors that it reads, which those on meta cannot be."""
    with torch.device("cpu"):
        return compute(*args, **options)


def small(name: str) -> netdsl.Network:
    """The network on a small image: what its file says but for the size."""
    side = 96 if name == "inception_v3" else 64
    return netdsl.load(name, input=(3, side, side))


def image(net: netdsl.Network, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(2, *net.input_shape, dtype=dtype)


@pytest.fixture(scope="module")
def done(request: pytest.FixtureRequest) -> tuple[netdsl.Network, nn.Module, Transfer]:
    """Ours with the weights of the original, whose numbers are all drawn at random."""
    net, theirs = small(request.param), original(request.param).eval()
    randomise(theirs, image(net))
    return net, theirs, net.transfer(theirs)


ALL_BUT_ONE = [c for c in CASES if c != TOO_LARGE and getattr(c, "values", ("",))[0] != TOO_LARGE]
transferred = pytest.mark.parametrize("done", ALL_BUT_ONE, indirect=True, scope="module")


def test_every_convnet_of_torchvision_is_a_shipped_variant() -> None:
    assert set(NAMES) <= {*shipped(), *variants()}
    assert len(NAMES) >= 68


@pytest.mark.parametrize("name", CASES)
def test_parameters_and_macs_are_those_of_the_original(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = netdsl.load(name)
    monkeypatch.setattr(BlockParams, "from_init_params", staticmethod(regnet_parameters))
    with torch.device("meta"):
        theirs = original(name).eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        theirs(torch.empty(1, *net.input_shape, device="meta"))
    assert net.params == sum(p.numel() for p in theirs.parameters())
    assert 2 * net.macs == counter.get_total_flops()


@transferred
def test_logits_are_equal_with_every_number_random(
    done: tuple[netdsl.Network, nn.Module, Transfer], request: pytest.FixtureRequest
) -> None:
    net, theirs, found = done
    x = image(net)
    with torch.no_grad():
        mine, expected = found.module.eval()(x), theirs(x)
    assert expected.isfinite().all()
    assert float(expected.std()) > 0.1
    if any(f"[{name}]" in request.node.name for name in BITWISE):
        assert torch.equal(mine, expected)
    assert float((mine - expected).abs().max()) <= 1e-5 * float(expected.abs().max())


@transferred
def test_all_numbers_of_the_original_are_used(
    done: tuple[netdsl.Network, nn.Module, Transfer],
) -> None:
    net, _, found = done
    assert (found.initialised, found.unused, found.params) == ((), (), net.params)


@transferred
def test_strides_groups_eps_and_momentum_are_equal(
    done: tuple[netdsl.Network, nn.Module, Transfer],
) -> None:
    _, theirs, found = done
    for pair in found.pairs:
        mine = found.module.get_submodule(pair.ours.name)
        other = theirs.get_submodule(pair.theirs.name)
        for name in ("stride", "padding", "groups", "dilation", "eps", "momentum"):
            if hasattr(other, name) and hasattr(mine, name):
                # the original computes a momentum as 1 - 0.9997
                assert getattr(mine, name) == pytest.approx(getattr(other, name), rel=1e-12)


@transferred
def test_dropout_rates_are_equal(done: tuple[netdsl.Network, nn.Module, Transfer]) -> None:
    _, theirs, found = done
    rates = [
        [m.p for m in model.modules() if isinstance(m, nn.Dropout) and m.p]
        for model in (found.module, theirs)
    ]
    if isinstance(theirs, models.DenseNet | models.GoogLeNet):
        rates[1] = rates[1][: len(rates[0])]
    assert rates[0] == rates[1]


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_of_a_training_step_in_float64_are_equal(name: str) -> None:
    net, theirs = small(name), original(name).eval()
    randomise(theirs, image(net))
    found = net.transfer(theirs)
    x = image(net, torch.float64)
    target = torch.tensor([3, 998])
    for model in (found.module.double(), theirs.double()):
        without_chance(model.train())
        nn.functional.cross_entropy(model(x), target).backward()
    for pair in found.pairs:
        mine = found.module.get_submodule(pair.ours.name)
        other = theirs.get_submodule(pair.theirs.name)
        for p, q in zip(
            mine.parameters(recurse=False), other.parameters(recurse=False), strict=True
        ):
            assert p.grad is not None
            assert q.grad is not None
            expected = q.grad.reshape(p.grad.shape)
            torch.testing.assert_close(
                p.grad, expected, rtol=1e-9, atol=1e-9 * float(expected.abs().max())
            )


def without_chance(model: nn.Module) -> None:
    """Let dropout and stochastic depth, which torchvision trains with, keep everything."""
    for module in model.modules():
        if isinstance(module, nn.Dropout) or type(module).__name__ == "StochasticDepth":
            module.p = 0.0
    assert not any(isinstance(m, nn.Dropout) and m.p for m in model.modules())


def test_regnet_by_order_alone_would_get_the_wrong_weights() -> None:
    """Its projection runs before the branch, and has the shape of the branch's first layer."""
    from netdsl.transfer.pairs import pair_by_order
    from netdsl.transfer.verify import difference
    from netdsl.transfer.weighted import executed

    net = small("regnet_x_400mf")
    theirs = original("regnet_x_400mf").eval()
    x = image(net)
    layers, _ = randomise(theirs, x)
    module = net.module().eval()
    pairs = pair_by_order(executed(module, x), layers)
    wrong = [p for p in pairs if p.fits and p.ours.role != p.theirs.role]
    assert wrong
    assert net.transfer(copy.deepcopy(theirs)).matched == "role"
    assert difference(module, theirs, x, None) > 0.1
