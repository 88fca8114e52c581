"""Settings to how torch computes for as long as something lasts: threads, determinism, TF32."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from netdsl.train.settings import Settings


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use that many threads for as long as this lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def computing(settings: Settings) -> Iterator[None]:
    """Compute with the threads of the settings, and deterministically where they say so."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark = torch.backends.cudnn.benchmark
    with threads(settings.threads), _tensor_floats(settings):
        torch.backends.cudnn.benchmark = settings.device == "cuda" and not settings.exact
        if settings.deterministic:
            # NOTE: read by cuBLAS when it starts; without it torch refuses to multiply on a GPU.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)
            torch.backends.cudnn.benchmark = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
            torch.backends.cudnn.benchmark = benchmark


@contextmanager
def _tensor_floats(settings: Settings) -> Iterator[None]:
    """Let a GPU multiply fp32 numbers as TF32, 10 bits of each, but for `exact`.

    NOTE: the older of torch's two interfaces: its own compiler reads it, and raises where the other
    one was used.
    """
    if settings.device != "cuda":
        yield
        return
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest" if settings.exact else "high")
    torch.backends.cudnn.allow_tf32 = not settings.exact
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
