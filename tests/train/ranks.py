"""A process that has torch imported, and forks the processes of one training after the other.

It reads lines of JSON: a folder, how many processes, of what kind the network is, and what happens
to which process. An answer is the exit status of each and what it said.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

os.environ["TORCH_CPP_LOG_LEVEL"] = "ERROR"

import torch
import torch.distributed as dist
from torch import Tensor, nn

from netdsl.train import RunFolder, Settings, Silent, Start, TrainError, load, train

SETTINGS = Settings(
    epochs=6, batch_size=21, lr=0.02, sample=30, mixup=0.2, cutmix=0.5, label_smoothing=0.1, clip=1.0,
    augment=("pad_crop padding=1",), schedule="cosine", average=0.9,
)  # fmt: skip
DATA = load("digits", limit=97)  # 21 + 21 + 21 + 21 + 13: no two processes have equal parts


class Double(nn.Module):
    """In float64 and without norms: what it learns does not depend on who has which image."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, padding=1)
        self.branches = nn.ModuleList(nn.Conv2d(6, 6, 3, padding=1) for _ in range(3))
        self.head = nn.Linear(6 * 64, 10)
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x.double()).relu()
        for branch in self.branches:
            if self.keeps():
                x = (x + branch(x)).relu()
        return self.head(x.flatten(1))

    def keeps(self) -> bool:
        return True


class Stochastic(Double):
    """The same, and leaves branches out."""

    def __init__(self) -> None:
        super().__init__()
        self.random = Random(4)

    def keeps(self) -> bool:
        return not self.training or self.random.random() < 0.6


class Usual(nn.Sequential):
    """With batch norm and dropout, in float32."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3),
            nn.Flatten(), nn.Linear(8 * 36, 10),
        )  # fmt: skip


class Changes(Silent):
    """Says what has changed since the training was cut."""

    def started(self, start: Start) -> None:
        print(*start.changes, sep="\n", end="\n" if start.changes else "")


KINDS = {"double": Double, "stochastic": Stochastic, "usual": Usual}


def happen(model: nn.Module, what: str, when: int) -> None:
    """Let something happen to this process in the forward run of one of its training steps."""
    steps = 0

    def hook(module: nn.Module, inputs: tuple[Tensor], logits: Tensor) -> Tensor | None:
        nonlocal steps
        steps += (
            module.training and torch.is_grad_enabled() and len(inputs[0]) > 4
        )  # else tried out
        if not module.training or steps != when:
            return None
        if what == "nan":
            return logits * torch.nan
        if what == "raise":
            raise TrainError("something went wrong here")
        if what == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        else:
            os.kill(os.getpid(), getattr(signal, what))
        return None

    model.register_forward_hook(hook)


def go(order: dict[str, Any], rank: int, store: str) -> None:
    dist.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=order["size"]
    )
    settings, path = replace(SETTINGS, **order.get("set", {})), Path(order["folder"])
    if rank == 0 and not (path / "settings.json").is_file():
        RunFolder.create("Conv", settings, {}, data=DATA, path=path)
    dist.barrier()
    torch.manual_seed(rank)  # the network begins everywhere as it is in the first process
    model = KINDS[order["kind"]]()
    if order.get("rank") == rank:
        happen(model, order["what"], order["when"])
    run = RunFolder.open(path)
    train(model, DATA, settings, run, Changes(), save_minutes=order.get("save", 10))
    if hasattr(model, "random"):
        print("draws next", model.random.random())
    print("draws next", torch.rand(1).item())


def child(order: dict[str, Any], rank: int, store: str) -> None:
    os.dup2(os.open(f"{order['folder']}.{rank}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    code = 0
    try:
        go(order, rank, store)
    except TrainError as error:
        print(error)
        code = int(error.exit_code)
    except Exception as error:
        print(type(error), error)
        code = 1
    sys.stdout.flush()
    os._exit(code)


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:  # imports what torch imports late
        go({"folder": f"{folder}/run", "size": 1, "kind": "usual"}, 0, f"{folder}/store")
        dist.destroy_process_group()
    importlib.import_module("torch._dynamo")
    print(flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        with tempfile.TemporaryDirectory() as folder:
            pids = []
            for rank in range(order["size"]):
                pids.append(os.fork())
                if pids[-1] == 0:
                    child(order, rank, f"{folder}/store")
            codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        said = [Path(f"{order['folder']}.{rank}").read_text() for rank in range(order["size"])]
        print(json.dumps({"codes": codes, "said": said}), flush=True)


if __name__ == "__main__":
    main()
