"""Every shipped architecture and variant, residual and plain, against torch and as printed source."""

import json
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import netdsl
from netdsl.shelf import shipped, variants

NAMES = sorted({*shipped(), *variants()})
CASES = [(name, plain) for name in NAMES for plain in (False, True)]

CHILD = """
import importlib.util, json, sys
from pathlib import Path

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "netdsl":
            raise ImportError("netdsl is out of bounds")

sys.meta_path.insert(0, Blocked())
import torch
torch.set_num_threads(1)
for case in sorted(Path(sys.argv[1]).glob("*.py")):
    spec = importlib.util.spec_from_file_location(case.stem, case)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = getattr(module, module.__all__[0])().eval()
    saved = torch.load(case.with_suffix(".pt"))
    network.load_state_dict(saved["state"], strict=True)
    with torch.no_grad():
        same = torch.equal(network(saved["x"]), saved["y"])
    print(json.dumps([case.stem, same]))
"""


def load(name: str, plain: bool) -> netdsl.Network:
    return netdsl.load(name, plain=plain or None)


@pytest.mark.parametrize(("name", "plain"), CASES)
def test_torch_counts_the_same_parameters_and_macs(name: str, plain: bool) -> None:
    net = load(name, plain)
    model = net.module().to("meta").eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        y = model(torch.empty(1, *net.input_shape, device="meta"))
    assert net.params == sum(p.numel() for p in model.parameters())
    assert 2 * net.macs == counter.get_total_flops()
    assert tuple(y.shape[1:]) == net.output_shape


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """Whether each printed file, run where netdsl cannot be imported, gives the same scores."""
    folder = tmp_path_factory.mktemp("printed")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the child: sums depend on how they are shared out
    for name, plain in CASES:
        net = load(name, plain)
        model = net.module(seed=1)
        randomise_norms(model)
        x = torch.randn(1, *net.input_shape)
        with torch.no_grad():
            y = model.eval()(x)
        assert y.isfinite().all()
        path = folder / f"{name.replace('-', '_')}_{plain}.py"
        path.write_text(net.source(), encoding="utf-8")
        torch.save({"state": model.state_dict(), "x": x, "y": y}, path.with_suffix(".pt"))
    torch.set_num_threads(threads)
    done = subprocess.run(
        [sys.executable, "-I", "-c", CHILD, str(folder)], check=True, capture_output=True, text=True
    )
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize(("name", "plain"), CASES)
def test_printed_source_gives_the_same_scores(
    name: str, plain: bool, printed: dict[str, bool]
) -> None:
    assert printed[f"{name.replace('-', '_')}_{plain}"] is True


@pytest.mark.parametrize(("name", "plain"), CASES)
def test_canonical_text_and_names_are_stable(name: str, plain: bool) -> None:
    net = load(name, plain)
    again = netdsl.parse(str(net), plain=plain or None, scale=net.overrides.scale)
    assert list(again.checked) == list(net.checked)


def randomise_norms(model: nn.Module) -> None:
    torch.manual_seed(2)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for value in (module.weight, module.running_var):
                assert isinstance(value, torch.Tensor)
                nn.init.uniform_(value, 0.5, 1.5)
            for value in (module.bias, module.running_mean):
                assert isinstance(value, torch.Tensor)
                nn.init.uniform_(value, -0.5, 0.5)
