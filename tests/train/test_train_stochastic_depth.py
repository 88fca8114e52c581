"""A training with stochastic depth computes as few branches as its formula says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import torch
from torch import nn

from netdsl.lower import make_overrides
from netdsl.network import build
from netdsl.shelf import open_arch
from netdsl.train import DataSet, RunFolder, Settings, train
from netdsl.train.data.dataset import Split

BLOCKS, LAST = 9, 0.5  # ResNet-20; the last block survives every other step
STEPS = 300


def test_a_training_computes_the_branches_that_the_formula_says(tmp_path: Path) -> None:
    said = make_overrides(None, None, None, None, {"drop_path": 1 - LAST, "input": (3, 8, 8)})
    model = build(*open_arch("resnet20").with_overrides(said)).module(seed=1)
    computed: Counter[str] = Counter()
    for name, module in model.named_modules():
        if name.endswith(".conv2"):
            module.register_forward_hook(_counting(computed, name))
    images = torch.randint(0, 256, (2 * STEPS, 3, 8, 8), dtype=torch.uint8)
    images = images.contiguous(memory_format=torch.channels_last)
    split = Split(images, torch.arange(2 * STEPS) % 10)
    val = Split(images[:2], split.labels[:2])
    data = DataSet("noise", tuple("0123456789"), split, val, (0.5,) * 3, (0.25,) * 3, (), {})
    settings = Settings(epochs=1, batch_size=2, lr=1e-3, sample=2)
    train(model, data, settings, RunFolder.create("", settings, {}, path=tmp_path / "run"))
    assert len(computed) == BLOCKS
    for number, name in enumerate(computed, start=1):
        expected = 1 - number / BLOCKS * (1 - LAST)  # Huang et al. 2016, equation 4
        assert (
            abs(computed[name] / STEPS - expected) < 4 * (expected * (1 - expected) / STEPS) ** 0.5
        )
    total = sum(computed.values()) / STEPS
    assert abs(total - (BLOCKS - (BLOCKS + 1) / 2 * (1 - LAST))) < 0.4


def _counting(computed: Counter[str], name: str):
    def hook(module: nn.Module, inputs: tuple[torch.Tensor], result: torch.Tensor) -> None:
        if module.training and torch.is_grad_enabled() and len(result) == 2:
            computed[name] += 1

    return hook
