"""Networks printed as Python files and run where netdsl cannot be imported, beside the compiled."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

import netdsl
from netdsl.backends import layers
from netdsl.backends.pytorch import Network
from netdsl.ir import Call, Graph
from netdsl.plan import plan

SEED = 3


def scramble(model: nn.Module) -> nn.Module:
    """Draw every parameter and statistic at random: fresh ones hide swapped norms."""
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.ndim > 1 and value.numel() > max(value.shape):
                bound = (6 / value[0].numel()) ** 0.5  # He et al. 2015, uniform
                value.uniform_(-bound, bound, generator=random)
            elif value.is_floating_point():
                low = -0.5 if name.endswith(("bias", "mean")) else 0.5
                value.uniform_(low, low + 1, generator=random)
            else:
                value.zero_()
    return model


def measure(model: nn.Module, x: torch.Tensor, steps: int) -> list[torch.Tensor]:
    """What a network with scrambled numbers gives, and what its first steps of training give."""
    model = scramble(model)
    with torch.no_grad():
        found = [model.eval()(x.clone())]
        model.train()
        if hasattr(model, "random"):
            model.random.seed(3)
        torch.manual_seed(3)
        return found + [model(x.clone()) for _ in range(steps)]


CHILD = f"""
import importlib.util, json, sys, traceback
from pathlib import Path

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "netdsl":
            raise ImportError("netdsl is out of bounds")

sys.meta_path.insert(0, Blocked())
import torch
from torch import nn
torch.set_num_threads(1)

{inspect.getsource(scramble)}

{inspect.getsource(measure)}

def run(case):
    spec = importlib.util.spec_from_file_location(case.stem, case)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with torch.device("meta"):
        network = getattr(module, module.__all__[0])()
    network.to_empty(device="cpu")
    saved = torch.load(case.with_suffix(".pt"))
    assert list(network.state_dict()) == saved["names"], "other names"
    found = measure(network, saved["x"], len(saved["y"]) - 1)
    for i, (y, expected) in enumerate(zip(found, saved["y"], strict=True)):
        assert torch.equal(y, expected), f"another output, step {{i}}"

for case in sorted(Path(sys.argv[1]).glob("*.py")):
    try:
        run(case)
        result = "the same"
    except BaseException:
        result = traceback.format_exc()
    print(json.dumps([case.stem, result]))
"""


class Blank:
    """Makes modules that have shapes but no memory, on torch's meta device."""

    def make(self, call: Call, path: str) -> nn.Module:
        home = nn if call.target.startswith("nn.") else layers
        values = list(call.arguments.items())
        bare = [value for _, value in values[: call.positional]]
        with torch.device("meta"):
            module: nn.Module = getattr(home, call.target.removeprefix("nn."))(
                *bare, **dict(values[call.positional :])
            )
        return module


def without_memory(graph: Graph) -> Network:
    """Return a network as a module on torch's meta device, to count and to compare with."""
    return Network(plan(graph), Blank(), 0, graph.input.shape.dims)  # type: ignore[arg-type]


def record(net: netdsl.Network, path: Path, *, images: int, steps: int) -> None:
    """Print a network into a file, with what the compiled one gives beside it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the child: sums depend on how they are shared out
    path.write_text(net.source(), encoding="utf-8")
    model = without_memory(net.checked)
    model.to_empty(device="cpu")  # all its numbers are drawn below
    x = torch.randn(images, *net.input_shape, generator=torch.Generator().manual_seed(SEED))
    y = measure(model, x, steps)
    assert all(value.isfinite().all() for value in y)
    torch.save({"names": list(model.state_dict()), "x": x, "y": y}, path.with_suffix(".pt"))
    torch.set_num_threads(threads)


def run_apart(folder: Path) -> dict[str, str]:
    """Run every printed file of a folder; return `the same` or what went wrong, by its stem."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", CHILD, str(folder)], check=True, capture_output=True, text=True
    )
    return dict(json.loads(line) for line in done.stdout.splitlines())
