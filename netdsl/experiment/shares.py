"""The machine to shares: threads and devices of each of several runs at once."""

from __future__ import annotations

import os

import torch

from netdsl.experiment.attempt import Share
from netdsl.train.machine import count_cores


def share_out(jobs: int, threads: int | None = None) -> tuple[Share, ...]:
    """Return what each of so many runs gets; several GPUs are dealt out in turn.

    >>> [share.threads for share in share_out(2, threads=3)]
    [3, 3]
    """
    each = threads or max(1, count_cores() // jobs)
    devices = gpus()
    return tuple(
        Share(each, {"CUDA_VISIBLE_DEVICES": devices[n % len(devices)]} if len(devices) > 1 else {})
        for n in range(jobs)
    )


def gpus() -> tuple[str, ...]:
    """Return the CUDA devices that this process may use, by the names that the driver takes."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        named = (name.strip() for name in visible.split(","))
        return tuple(name for name in named if name and name != "-1")
    return tuple(str(number) for number in range(torch.cuda.device_count()))
