"""A network made fast: folded, in bf16, and what a plain loop gives all the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.prune import l1_unstructured

import netdsl
from netdsl.train import ExitCode, Settings, TrainError
from netdsl.train.inference import (
    fold,
    make_fast,
    predict,
)

DENSE = """
input 3x32x32 classes 10
k = 6
def Dense(k) { Cat( | Norm Act Conv 4*k 1x1 Conv k norm=none act=none bias=off) }
Conv 12 (Dense k)x3 Norm Act Conv 16 1x1 norm=none act=none Avg 2 (Dense k)x3 Norm Act GAP FC classes
"""
NETWORKS = {
    "resnet20": (lambda: netdsl.load("resnet20"), 19, 19),
    "net1": (lambda: netdsl.load("net1"), 14, 14),
    "mobilenet_v2": (lambda: netdsl.load("mobilenet_v2", input=(3, 33, 47), classes=5), 52, 52),
    "dense": (lambda: netdsl.parse(DENSE), 15, 7),
}


def scramble(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every batch norm statistics, scales and shifts as after a training."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for norm in model.modules():
            if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                norm.running_mean.normal_(0, 0.3, generator=random)
                norm.running_var.uniform_(0.5, 1.5, generator=random)
                norm.weight.uniform_(0.5, 1.5, generator=random)
                norm.bias.normal_(0, 0.2, generator=random)
    return model


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def far(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_folded_network_gives_the_same(name: str) -> None:
    make, norms, folded = NETWORKS[name]
    network = make()
    model = scramble(network.module())
    images = normal(3, *network.input_shape)
    found = fold(model)
    with torch.no_grad():
        expected = model.eval()(images)
        assert (found.norms, found.folded, found.reason) == (norms, folded, None)
        assert far(found.model(images), expected) < 1e-6
        left = sum(isinstance(module, nn.BatchNorm2d) for module in found.model.modules())
        assert left == norms - folded


@pytest.mark.parametrize("name", NETWORKS)
def test_bf16_stays_within_a_hundredth(name: str) -> None:
    network = NETWORKS[name][0]()
    model = scramble(network.module()).eval()
    images = normal(4, *network.input_shape)
    with torch.no_grad():
        expected = model(images)
        found = make_fast(model, Settings(precision="bf16"))(images)
    assert found.dtype == torch.float32
    assert float((found - expected).norm() / expected.norm()) < 1e-2


@pytest.mark.parametrize(("precision", "within"), [("bf16", 3e-2), ("fp32", 1e-6)])
def test_a_network_that_begins_with_a_norm_runs_in_the_precision_asked_for(
    precision: str, within: float
) -> None:
    network = netdsl.parse("input 1x9x7 classes 5\nNorm Conv 8 GAP FC classes")
    model, images = scramble(network.module()).eval(), normal(3, 1, 9, 7)
    fast = make_fast(model, Settings(precision=precision))
    assert (fast.norms, fast.folded) == (2, 1)
    with torch.no_grad():
        assert far(fast(images), model(images)) < within


class Spectral(nn.Conv2d):
    """A convolution, and complex weights of the spectrum that it gives."""

    def __init__(self) -> None:
        super().__init__(3, 2, 3, padding=1)
        self.spectral = nn.Parameter(torch.randn(70, 4, dtype=torch.complex64) / 10)

    def forward(self, x: Tensor) -> Tensor:
        return (torch.fft.fft2(super().forward(x)).flatten(1) @ self.spectral).abs()


@pytest.mark.parametrize("place", [0, 1])
def test_a_layer_or_a_norm_with_a_forward_of_its_own_stays(place: int) -> None:
    model = scramble(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten())).eval()
    of_class = model[place].forward
    model[place].forward = lambda x: 2 * of_class(x)
    images, fast = normal(2, 3, 5, 7), make_fast(model, Settings(precision="fp32"))
    assert (fast.norms, fast.folded) == (1, 0)
    with torch.no_grad():
        assert far(fast(images), model(images)) < 1e-6


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_complex_weights_keep_their_imaginary_parts(precision: str) -> None:
    torch.manual_seed(1)
    model, images = Spectral().eval(), normal(5, 3, 5, 7)
    fast = make_fast(model, Settings(precision=precision))
    with torch.no_grad():
        assert far(fast(images), model(images)) < 1e-6


def test_the_network_that_is_given_stays_as_it_is() -> None:
    model = scramble(netdsl.load("resnet20").module())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    strides = {name: tensor.stride() for name, tensor in model.state_dict().items()}
    make_fast(model, Settings(precision="bf16"))
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert all(tensor.stride() == strides[name] for name, tensor in after.items())
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


class Shared(nn.Module):
    """A convolution that runs twice, its norm once."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.conv(x)))


class ReadTwice(Shared):
    """A convolution whose output somebody else reads too."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return y + self.norm(y)


class OwnWeights(Shared):
    """A forward that reads the weights of the convolution by itself."""

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)) * self.conv.weight.mean()


class Scaled(nn.Conv2d):
    """A convolution that does something else."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).square()


class Flat(nn.Module):
    """A flatten that is no module of torch's."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.flatten(x, 1)


@pytest.mark.parametrize(
    "model",
    [
        Shared(),
        ReadTwice(),
        OwnWeights(),
        nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 3)),
        nn.Sequential(Scaled(4, 5, 3), nn.BatchNorm2d(5)),
        nn.Sequential(nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5, track_running_stats=False)),
    ],
    ids=["shared", "read twice", "own weights", "norm first", "subclass", "no statistics"],
)
def test_what_cannot_be_folded_is_left(model: nn.Module) -> None:
    if not any(getattr(m, "track_running_stats", True) is False for m in model.modules()):
        scramble(model)
    model.eval()
    images = normal(2, 4, 9, 7)
    found = fold(model)
    assert (found.norms, found.folded, found.reason) == (1, 0, None)
    assert torch.equal(found.model(images), model(images))


def hooked(before: nn.Module, after: nn.Module, place: int) -> nn.Module:
    """Let a hook change what the module at that place gives."""
    model = nn.Sequential(before, after)
    model[place].register_forward_hook(lambda module, x, y: y.clamp(0, 1))
    return model


def pruned() -> nn.Module:
    """Return a convolution whose weight a hook makes of others, before each forward."""
    layer = nn.Conv2d(4, 5, 3)
    with torch.no_grad():
        return l1_unstructured(layer, "weight", 0.5)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (hooked(nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), 0), (2, 4, 9, 7)),
        (hooked(nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), 1), (2, 4, 9, 7)),
        (nn.Sequential(pruned(), nn.BatchNorm2d(5)), (2, 4, 9, 7)),
        (nn.Sequential(weight_norm(nn.Conv2d(4, 5, 3)), nn.BatchNorm2d(5)), (2, 4, 9, 7)),
        (nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6)), (2, 6, 6)),
    ],
    ids=["hook of the layer", "hook of the norm", "pruned", "parametrized", "three dimensions"],
)
def test_what_would_compute_something_else_is_not_folded(
    model: nn.Module, shape: tuple[int, ...]
) -> None:
    images = normal(*shape)
    with torch.no_grad():
        found, expected = fold(scramble(model)), model.eval()(images)
        assert (found.norms, found.folded, found.reason) == (1, 0, None)
        assert torch.equal(found.model(images), expected)


def test_a_hook_of_the_whole_network_is_kept() -> None:
    model, images = (
        scramble(nn.Sequential(nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5))),
        normal(2, 4, 5, 7),
    )
    model.eval().register_forward_hook(lambda module, x, y: y.clamp(0, 1))
    found = fold(model)
    assert found.reason == "the network has hooks, which cannot be traced"
    assert torch.equal(found.model(images), model(images))


def test_a_network_whose_layers_cannot_be_fused_runs_as_it_is() -> None:
    conv = nn.Conv2d(4, 5, 3)
    model = scramble(nn.Sequential(conv, nn.BatchNorm2d(5))).eval()
    for name, weight in list(conv.named_parameters()):
        delattr(conv, name)
        conv.register_buffer(name, weight.detach())
    found, images = fold(model), normal(2, 4, 5, 7)
    assert (found.norms, found.folded, found.reason) == (1, 0, "StopIteration")
    assert torch.equal(found.model(images), model(images))


@pytest.mark.parametrize(
    "head",
    [
        [nn.Flatten(), nn.Linear(24, 5), nn.ReLU(), nn.Dropout(0.1), nn.Linear(5, 3)],
        [Flat(), nn.Linear(24, 3)],
    ],
)
def test_a_norm_behind_a_linear_layer_of_flat_images_is_folded(head: list[nn.Module]) -> None:
    model, images = scramble(nn.Sequential(*head, nn.BatchNorm1d(3))).eval(), normal(5, 2, 3, 4)
    found = fold(model)
    with torch.no_grad():
        assert (found.norms, found.folded, found.reason) == (1, 1, None)
        assert far(found.model(images), model(images)) < 1e-6


def test_norms_behind_linear_layers_and_groups_are_folded() -> None:
    model = scramble(
        nn.Sequential(
            nn.Conv2d(4, 6, 3, groups=2, bias=False, padding=1, padding_mode="reflect"),
            nn.BatchNorm2d(6, affine=True, eps=0.1), nn.ReLU(), nn.Flatten(),
            nn.Linear(6 * 5 * 7, 3), nn.BatchNorm1d(3),
        )
    ).eval()  # fmt: skip
    found, images = fold(model), normal(3, 4, 5, 7)
    assert (found.norms, found.folded) == (2, 2)
    with torch.no_grad():
        assert far(found.model(images), model(images)) < 1e-6


class Counting(nn.Module):
    """A forward that asks what it is given, which cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten())

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) if x.sum() > 0 else -self.net(x)


def test_a_network_that_cannot_be_traced_runs_as_it_is() -> None:
    model, images = scramble(Counting()).eval(), normal(2, 3, 5, 5)
    fast = make_fast(model, Settings(precision="fp32", channels_last=False))
    assert (fast.norms, fast.folded) == (1, 0)
    assert fast.reason == "symbolically traced variables cannot be used as inputs to control flow"
    assert torch.equal(fast(images), model(images))


def test_predict_gives_the_probabilities_of_a_plain_loop() -> None:
    torch.manual_seed(0)
    model = scramble(
        nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Flatten(), nn.Linear(6 * 3 * 5, 4))
    )
    images = torch.randint(0, 256, (7, 3, 5, 7), dtype=torch.uint8)
    mean, std = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]
    settings = Settings(batch_size=3, precision="fp32")
    found = predict(model, images, mean=mean, std=std, settings=settings)
    shape = (1, 3, 1, 1)
    plain = (images / 255 - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
    with torch.no_grad():
        expected = model.eval()(plain).softmax(1)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.sum(1), torch.ones(7))


def test_predict_takes_a_mean_of_each_pixel() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 5 * 7, 4)).eval()
    images = torch.randint(0, 256, (7, 3, 5, 7), dtype=torch.uint8)
    mean, std = torch.rand(5, 7, 3), [0.2, 0.25, 0.3]  # H, W, C, as files of weights hold it
    settings = Settings(batch_size=3, precision="fp32")
    found = predict(model, images, mean=mean.flatten().tolist(), std=std, settings=settings)
    plain = (images / 255 - mean.permute(2, 0, 1)) / torch.tensor(std).view(3, 1, 1)
    torch.testing.assert_close(found, model(plain).softmax(1).detach(), rtol=1e-5, atol=1e-6)


def test_no_images_come_to_no_rows_of_the_classes() -> None:
    none, channels = torch.zeros(0, 1, 2, 2, dtype=torch.uint8), {"mean": [0.5], "std": [0.5]}
    found = predict(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), none, **channels)
    assert (found.shape, found.dtype) == ((0, 3), torch.float32)


class Fourier(nn.Module):
    """The sizes of a spectrum, which torch computes in fp32 alone."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.rfft2(x).abs().flatten(1)


def test_what_torch_lacks_in_bf16_is_predicted_in_fp32() -> None:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), Fourier(), nn.Linear(32, 5))
    images = torch.randint(0, 256, (3, 3, 6, 5), dtype=torch.uint8)
    wide, narrow = (
        predict(model, images, mean=[0.5] * 3, std=[0.5] * 3, settings=Settings(precision=which))
        for which in ("fp32", "bf16")
    )
    assert torch.equal(narrow, wide)


class Viewing(nn.Conv2d):
    """A network that takes a view of what a convolution gives."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).view(x.size(0), -1)


def test_predict_names_the_setting_where_a_network_takes_the_other_memory_format() -> None:
    images, model = torch.zeros(5, 3, 4, 4, dtype=torch.uint8), Viewing(3, 2, 3)
    channels = {"mean": [0.5] * 3, "std": [0.5] * 3}
    for precision in ("fp32", "bf16"):
        with pytest.raises(TrainError) as caught:
            predict(model, images, settings=Settings(precision=precision), **channels)
        assert str(caught.value).startswith(
            "the network does not take 3×4×4 images in memory with their channels last: view size"
        )
        assert caught.value.help == (
            "try channels_last=false, or let it reshape where it takes a view"
        )
    fitting = Settings(precision="fp32", channels_last=False)
    assert predict(model, images, settings=fitting, **channels).shape == (5, 8)


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        (
            [0.5] * 3,
            (0, 0, 0),
            "std is (0, 0, 0), but must be a number above 0 for each of 3 channels",
        ),
        ([0.5] * 3, (0.2,), "std is (0.2,), but must be a number above 0 for each of 3 channels"),
        (
            [float("nan")] * 3,
            (1, 1, 1),
            "mean is (nan, nan, nan), but must be a number for each of 3 channels",
        ),
        ([], (1, 1, 1), "mean is (), but must be a number for each of 3 channels"),
    ],
)
def test_predict_refuses_what_normalises_nothing(mean: Any, std: Any, message: str) -> None:
    images = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    with pytest.raises(TrainError) as caught:
        predict(nn.Flatten(), images, mean=mean, std=std)
    assert (str(caught.value), caught.value.exit_code) == (message, ExitCode.USAGE)


def test_predict_refuses_images_that_are_normalised_already() -> None:
    with pytest.raises(TrainError, match=r"^images are uint8 \(N, C, H, W\), not torch\.float32"):
        predict(nn.Flatten(), torch.zeros(1, 3, 2, 2), mean=[0.5] * 3, std=[0.2] * 3)


def test_predict_refuses_what_is_no_tensor() -> None:
    images: Any = torch.zeros(1, 3, 2, 2, dtype=torch.uint8).numpy()
    with pytest.raises(TrainError) as caught:
        predict(nn.Flatten(), images, mean=[0.5] * 3, std=[0.2] * 3)
    assert str(caught.value) == "images are a tensor, not of type ndarray"
    assert caught.value.help == "`torch.from_numpy` makes one of an array"
