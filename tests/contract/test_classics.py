"""Networks of papers that torchvision lacks, against its own networks changed and against torch.

ResNet-D, SE-ResNet, MobileNet, Darknet-53 and Xception were also compared with timm 1.0.31, whose
weights give the same logits to the last bit (MobileNet with ReLU6, Darknet-53 with a slope of 0.01).
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models import densenet
from torchvision.ops import SqueezeExcitation

import netdsl
from netdsl.shelf import shipped, variants

ROOT = Path(__file__).parents[2]


def assert_equal(name: str, theirs: nn.Module, shape: tuple[int, int, int]) -> None:
    """Compare parameters and scores of a network that comes along with those of another."""
    generator = torch.Generator().manual_seed(0)
    for tensor in theirs.state_dict().values():
        if tensor.is_floating_point() and tensor.dim() == 1:  # norms and biases begin alike
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    net = netdsl.load(name, input=shape)
    ours = net.transfer(theirs).module.eval()
    assert net.params == sum(p.numel() for p in theirs.parameters())
    x = torch.randn(2, *shape, generator=generator)
    with torch.no_grad():
        scores, expected = ours(x), theirs.eval()(x)
    assert expected.std() > 0.01
    torch.testing.assert_close(scores, expected, rtol=1e-5, atol=1e-5)


def conv(c: int, out: int, k: int, s: int = 1) -> nn.Conv2d:
    return nn.Conv2d(c, out, k, s, k // 2, bias=False)


def test_resnet_d_is_the_resnet_of_torchvision_with_its_two_changes() -> None:
    theirs = models.resnet50()
    norms = [nn.BatchNorm2d(32), nn.ReLU(), nn.BatchNorm2d(32), nn.ReLU()]
    theirs.conv1 = nn.Sequential(  # type: ignore[assignment]
        conv(3, 32, 3, 2), *norms[:2], conv(32, 32, 3), *norms[2:], conv(32, 64, 3)
    )
    for stage in (theirs.layer2, theirs.layer3, theirs.layer4):
        projection, norm = stage[0].downsample
        c, out = projection.in_channels, projection.out_channels
        stage[0].downsample = nn.Sequential(nn.AvgPool2d(2), conv(c, out, 1), norm)
    assert_equal("resnet50d", theirs, (3, 64, 64))


def test_se_resnet_is_the_resnet_of_torchvision_with_gates() -> None:
    theirs = models.resnet50()
    for stage in (theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4):
        for block in stage:
            c = block.bn3.num_features
            block.bn3 = nn.Sequential(block.bn3, SqueezeExcitation(c, c // 16))
    assert_equal("se_resnet50", theirs, (3, 64, 64))


def test_densenet_bc_is_the_densenet_of_torchvision_with_another_stem() -> None:
    theirs = densenet.DenseNet(12, (16, 16, 16), 24, num_classes=10)
    theirs.features.conv0 = conv(3, 24, 3)
    for name in ("norm0", "relu0", "pool0"):
        delattr(theirs.features, name)
    assert_equal("densenet_bc_100_12", theirs, (3, 32, 32))


class Widening(nn.Module):
    """The residual block of PyramidNet: its shortcut carries zeros for the channels it lacks."""

    def __init__(self, c: int, out: int, s: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.BatchNorm2d(c), conv(c, out, 3, s),
            nn.BatchNorm2d(out), nn.ReLU(), conv(out, out, 3), nn.BatchNorm2d(out),
        )  # fmt: skip
        self.pool = nn.AvgPool2d(2) if s == 2 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y, shortcut = self.branch(x), self.pool(x)
        zeros = y.new_zeros(len(y), y.shape[1] - x.shape[1], *y.shape[2:])
        return y + torch.cat([shortcut, zeros], 1)


def pyramidnet110(widened: int) -> nn.Sequential:
    """Return PyramidNet-110, whose width grows by a fraction a block and is rounded (its authors)."""
    width, c = 16.0, 16
    blocks = list[nn.Module]()
    for i in range(54):
        width += widened / 54
        blocks.append(Widening(c, round(width), 2 if i in (18, 36) else 1))
        c = round(width)
    end = [nn.BatchNorm2d(c), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10)]
    return nn.Sequential(conv(3, 16, 3), nn.BatchNorm2d(16), *blocks, *end)


@pytest.mark.parametrize(
    "widened", [48, *(pytest.param(more, marks=pytest.mark.slow) for more in (84, 270))]
)
def test_pyramidnet_is_one_written_by_hand(widened: int) -> None:
    assert_equal(f"pyramidnet110_a{widened}", pyramidnet110(widened), (3, 32, 32))


class UNet(nn.Module):
    """The U-Net of many repositories: transposed convolutions, padding, batch norm."""

    def __init__(self) -> None:
        super().__init__()
        widths = (64, 128, 256, 512, 1024)
        self.down = nn.ModuleList(
            twice(c, out) for c, out in zip((3, *widths), widths, strict=False)
        )
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * c, c, 2, 2) for c in (512, 256, 128, 64))
        self.after = nn.ModuleList(twice(2 * c, c) for c in (512, 256, 128, 64))
        self.last = nn.Conv2d(64, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = [x := self.down[0](x)]
        for layer in self.down[1:]:
            x = layer(nn.functional.max_pool2d(x, 2))
            kept += [x]
        kept.pop()
        for up, after in zip(self.up, self.after, strict=True):
            x = after(torch.cat([kept.pop(), up(x)], 1))
        return self.last(x)


def twice(c: int, out: int) -> nn.Sequential:
    layers = [(conv(a, out, 3), nn.BatchNorm2d(out), nn.ReLU()) for a in (c, out)]
    return nn.Sequential(*layers[0], *layers[1])


def test_the_unet_is_one_written_by_hand() -> None:
    theirs = UNet()
    order = [*theirs.down]  # as they are run
    for up, after in zip(theirs.up, theirs.after, strict=True):
        order += [up, after]
    assert netdsl.load("unet").params == sum(p.numel() for p in theirs.parameters())
    net = netdsl.load("unet", input=(3, 32, 48))
    ours = net.module().eval()
    state = [t for part in (*order, theirs.last) for t in part.state_dict().values()]
    ours.load_state_dict(dict(zip(ours.state_dict(), state, strict=True)))
    x = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs.eval()(x))
    assert net.output_shape == (2, 32, 48)


def test_lenet_is_one_written_by_hand() -> None:
    maps = [nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)]
    full = [nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)]
    pooled = [(layer, nn.Sigmoid(), nn.AvgPool2d(2)) for layer in maps]
    theirs = nn.Sequential(
        *pooled[0], *pooled[1], nn.Flatten(),
        full[0], nn.Sigmoid(), full[1], nn.Sigmoid(), full[2],
    )  # fmt: skip
    assert_equal("lenet5", theirs, (1, 28, 28))


class Darknet(nn.Sequential):
    """Darknet-53 by its table."""

    def __init__(self) -> None:
        layers: list[nn.Module] = [self.layer(3, 32, 3)]
        for c, times in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
            layers += [self.layer(c // 2, c, 3, 2), *(self.Around(c) for _ in range(times))]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000))

    @staticmethod
    def layer(c: int, out: int, k: int, s: int = 1) -> nn.Sequential:
        return nn.Sequential(conv(c, out, k, s), nn.BatchNorm2d(out), nn.LeakyReLU(0.1))

    class Around(nn.Sequential):
        """A residual block."""

        def __init__(self, c: int) -> None:
            super().__init__(Darknet.layer(c, c // 2, 1), Darknet.layer(c // 2, c, 3))

        def forward(self, x: Tensor) -> Tensor:
            return x + super().forward(x)


def test_darknet_is_one_written_by_hand() -> None:
    assert_equal("darknet53", Darknet(), (3, 64, 64))


@pytest.mark.parametrize(
    ("name", "millions", "mult_adds"),
    [
        # Howard et al. 2017, table 6
        ("mobilenet_1_0", 4.2, 569e6), ("mobilenet_0_75", 2.6, 325e6),
        ("mobilenet_0_5", 1.3, 149e6), ("mobilenet_0_25", 0.5, 41e6),
        # Huang et al. 2017, table 2
        ("densenet_bc_100_12", 0.8, None), ("densenet_bc_190_40", 25.6, None),
        # He et al. 2019, table 5: 25 M, which are 25.6, and 4.3 GFLOPs, which are multiply-adds
        ("resnet50d", 25.6, 4.3e9),
    ],
)  # fmt: skip
def test_counts_are_those_of_the_papers(
    name: str, millions: float, mult_adds: float | None
) -> None:
    net = netdsl.load(name)
    assert round(net.params / 1e6, 1) == millions
    if mult_adds is not None:
        assert net.macs == pytest.approx(mult_adds, rel=0.01)


def test_the_page_tells_of_every_classic_what_it_was_compared_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    told = importlib.import_module("zoo").COMPARED
    files = {name: path for name, path in shipped().items() if path.parent.name == "classics"}
    homes = {name: path for name, path in variants().items() if path in files.values()}
    alone = files.keys() - {path.stem for path in homes.values()}
    assert told.keys() == {*homes, *alone}
