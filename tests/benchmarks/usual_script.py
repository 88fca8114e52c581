"""The script that people write by hand for every paper: what `netdsl train` is measured against.

ImageFolder, Pillow and torchvision's transforms, a DataLoader, fp32, NCHW, `loss.item()`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import ImageFolder


def loader(
    folder: Path, size: int, batch_size: int, workers: int = 0, limit: int | None = None
) -> DataLoader:
    """Images of a folder, flipped and cropped as is usual at their size, normalised."""
    if size == 32:
        moved = [transforms.RandomCrop(32, padding=4)]
    else:
        crop = transforms.RandomResizedCrop(size, scale=(0.766, 0.766), ratio=(1, 1))
        moved = [transforms.RandomApply([crop], p=0.7)]
    steps = [
        *moved, transforms.RandomHorizontalFlip(), transforms.ToTensor(),
        transforms.Normalize((0.48, 0.448, 0.398), (0.277, 0.269, 0.282)),
    ]  # fmt: skip
    images = ImageFolder(str(folder), transforms.Compose(steps))
    every = max(1, len(images) // (limit or len(images)))
    some = Subset(images, range(len(images))[::every][:limit])
    return DataLoader(
        some, batch_size, shuffle=True, num_workers=workers, drop_last=True,
        persistent_workers=workers > 0, pin_memory=workers > 0,
    )  # fmt: skip


def train(
    model: nn.Module, images: DataLoader, epochs: int, device: str = "cpu"
) -> Iterator[float]:
    """Train as usual, and give the images a second of each epoch."""
    model.to(device).train()
    optimiser = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)
    for _ in range(epochs):
        start, seen, right, total = time.perf_counter(), 0, 0, 0.0
        for on_cpu, labels in images:
            x, y = on_cpu.to(device), labels.to(device)
            optimiser.zero_grad()
            logits = model(x)
            loss = F.cross_entropy(logits, y)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(y)
            right += int((logits.argmax(1) == y).sum().item())
            seen += len(y)
        yield seen / (time.perf_counter() - start)
