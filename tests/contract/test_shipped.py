"""Every shipped architecture and variant, residual and plain, against torch and as printed source."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import netdsl
from netdsl.shelf import shipped, variants
from tests.contract.test_zoo import TOO_LARGE
from tests.printed import record, run_apart, without_memory

HOMES = shipped() | variants()
ZOO = {n for n, path in HOMES.items() if path.parent.name in ("classics", "torchvision")}
# The networks of reports but the largest, and those that differ little from others, are printed and
# run every time, a few of the zoo, on small images.
FEW = {
    "mobilenet_0_25",
    "densenet_bc_100_12",
    "densenet121",
    "efficientnet_b0",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "shufflenet_v2_x0_5",
}
LARGE = {
    "cifar100_resnet18_new_wide", "cifar100_resnet18_wide", "net1_after_conv", "net5", "resnet-tiny",
    "resnet110", "resresnet110", "tiny_resnet101", "tiny_resnet152", "tiny_resnet34_b",
    "tiny_resnet34_d", "tiny_resnet50", "tiny_resnet50_c", "tiny_resnet50_e", "wrn", "wrn28_10",
}  # fmt: skip
SOME = [name for name in sorted(HOMES) if (name not in ZOO and name not in LARGE) or name in FEW]
OTHERS = [name for name in sorted(HOMES) if name not in SOME and name != TOO_LARGE]


def load(name: str, plain: bool, *, small: bool = False) -> netdsl.Network:
    side = 96 if name.startswith("inception") else 64
    shape = (3, side, side) if small and name in ZOO else None
    return netdsl.load(name, plain=plain or None, input=shape)


def twins(names: list[str]) -> list[tuple[str, bool]]:
    return [(name, plain) for name in names for plain in (False, True)]


@pytest.mark.parametrize(("name", "plain"), twins(sorted(HOMES)))
def test_torch_counts_the_same_parameters_and_macs(name: str, plain: bool) -> None:
    net = load(name, plain)
    model = without_memory(net.checked).eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        y = model(torch.empty(1, *net.input_shape, device="meta"))
    assert net.params == sum(p.numel() for p in model.parameters())
    assert 2 * net.macs == counter.get_total_flops()
    assert tuple(y.shape[1:]) == net.output_shape


@pytest.mark.parametrize(("name", "plain"), twins(sorted(HOMES)))
def test_canonical_text_and_names_are_stable(name: str, plain: bool) -> None:
    net = load(name, plain)
    again = netdsl.parse(str(net), plain=plain or None, scale=net.overrides.scale)
    assert list(again.checked) == list(net.checked)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """How each printed file, run where netdsl cannot be imported, compares with the compiled."""
    return compare(SOME, tmp_path_factory.mktemp("printed"))


@pytest.mark.parametrize(("name", "plain"), twins(SOME))
def test_printed_source_gives_the_same_scores(
    name: str, plain: bool, printed: dict[str, str]
) -> None:
    assert printed[stem(name, plain)] == "the same"


@pytest.mark.slow
def test_printed_source_of_all_others_gives_the_same_scores(tmp_path: Path) -> None:
    found = compare(OTHERS, tmp_path)
    assert len(found) == 2 * len(OTHERS) > 0
    assert {name: result for name, result in found.items() if result != "the same"} == {}


def compare(names: list[str], folder: Path) -> dict[str, str]:
    for name, plain in twins(names):
        net = load(name, plain, small=True)
        record(net, folder / f"{stem(name, plain)}.py", images=1, steps=0)
    return run_apart(folder)


def stem(name: str, plain: bool) -> str:
    return f"{name.replace('-', '_')}_{plain}"
