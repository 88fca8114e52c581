"""resnet18, 34 and 50 against torchvision: every logit, and the gradients of one step."""

import pytest
import torch
import torchvision
from torch import Tensor, nn

import netdsl

NAMES = ("resnet18", "resnet34", "resnet50")
LAYERS = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)


def executed(model: nn.Module, x: Tensor) -> list[nn.Module]:
    """The layers with parameters, in the order in which they run."""
    order: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, *_: order.append(module))
        for module in model.modules()
        if isinstance(module, LAYERS)
    ]
    with torch.no_grad():
        model.eval()(x)
    for hook in hooks:
        hook.remove()
    return order


def randomise(model: nn.Module) -> None:
    """Draw everything: fresh norms are all alike and hide a swap."""
    for name, value in model.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif value.is_floating_point():
            value.mul_(torch.empty_like(value).uniform_(0.5, 1.5)).add_(
                torch.empty_like(value).uniform_(-0.02, 0.02)
            )


def pairs(name: str, dtype: torch.dtype = torch.float32) -> tuple[nn.Module, nn.Module, Tensor]:
    """The original with random values, and ours with the same, moved over by execution order.

    In a block torchvision runs the projection after the branch, and so do we.
    """
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name)().to(dtype)
    randomise(theirs)
    ours = netdsl.load(name).module().to(dtype)
    x = torch.randn(2, 3, 64, 64, dtype=dtype)
    mine, original = executed(ours, x), executed(theirs, x)
    assert [type(m) for m in mine] == [type(m) for m in original]
    for a, b in zip(mine, original, strict=True):
        a.load_state_dict(b.state_dict())
    return ours, theirs, x


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_equal_bit_for_bit(name: str) -> None:
    ours, theirs, x = pairs(name)
    with torch.no_grad():
        assert torch.equal(ours.eval()(x), theirs.eval()(x))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_one_step_in_float64_are_equal_bit_for_bit(name: str) -> None:
    ours, theirs, x = pairs(name, torch.float64)
    target = torch.tensor([3, 998])
    for model in (ours, theirs):
        nn.functional.cross_entropy(model.train()(x), target).backward()
    mine, original = executed(ours, x), executed(theirs, x)
    for a, b in zip(mine, original, strict=True):
        for p, q in zip(a.parameters(), b.parameters(), strict=True):
            assert p.grad is not None
            assert q.grad is not None
            assert torch.equal(p.grad, q.grad)
