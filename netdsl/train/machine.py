"""The machine to defaults: device, threads, precision."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from netdsl.amounts import counted
from netdsl.resources import ROOT, affinity, usable_cores
from netdsl.train.errors import ExitCode, TrainError

DEVICES = ("cpu", "cuda", "mps")
# NOTE: avx512_bf16 is faster on AMD's cores alone: ResNet-20 and Net 1 train 1.5 and 1.8 times
# faster in bf16 than in fp32 there, and predict 1.7 and 1.9 times faster; on an Intel Xeon without
# AMX they train 1.3 and 1.4 times slower, and predict 1.4 and 1.5 times slower (torch 2.14).
_BF16_FLAGS = {"GenuineIntel": {"amx_bf16"}, "AuthenticAMD": {"amx_bf16", "avx512_bf16"}}


def pick_device(asked: str | None = None) -> str:
    """Return the device that was asked for, else cuda where there is one, else mps, else cpu."""
    if asked is None:
        return next(device for device in ("cuda", "mps", "cpu") if device in _devices())
    if asked not in _devices():
        raise TrainError(
            f"device {asked!r} is not available",
            f"this machine has {', '.join(_devices())}",
            ExitCode.USAGE,
        )
    return asked


def name_device(device: str) -> str:
    """Return what the maker calls a device, as in "NVIDIA H200"; its kind where nothing tells.

    A processor is told with the instructions that torch uses, as in "AMD EPYC, AVX2": machines of
    one name come to other last digits by others.
    """
    if device == "cuda":
        return torch.cuda.get_device_name()
    if device != "cpu":
        return device
    said = _said(_cpuinfo()).get("model name") or platform.processor()
    used = torch.backends.cpu.get_cpu_capability()
    return ", ".join(filter(None, (said or device, used.replace("DEFAULT", ""))))


def is_available(device: str) -> bool:
    """Say whether this machine has a device."""
    return device in _devices()


def pick_precision(device: str) -> str:
    """Return bf16 where the device computes faster in it, else fp32."""
    if device == "cuda":
        faster = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        faster = device == "cpu" and has_bf16(_cpuinfo())
    return "bf16" if faster else "fp32"


def has_bf16(cpuinfo: str) -> bool:
    """Say whether the text of Linux's /proc/cpuinfo tells of units that multiply bf16 faster.

    >>> has_bf16("vendor_id : GenuineIntel\\nflags : fpu avx512_bf16 amx_bf16")
    True
    >>> has_bf16("vendor_id : GenuineIntel\\nflags : fpu avx512_bf16")
    False
    >>> has_bf16("vendor_id : AuthenticAMD\\nflags : fpu avx512_bf16")
    True
    """
    said = _said(cpuinfo)
    faster = _BF16_FLAGS.get(said.get("vendor_id", ""), set())
    return not faster.isdisjoint(said.get("flags", "").split())


def count_cores(root: Path = ROOT) -> int:
    """Return how many cores this process is to use, no more than its control group leaves.

    OMP_NUM_THREADS says so where somebody has set it; torchrun sets it too, to one, and its
    processes share the cores of their machine.
    """
    cores = usable_cores(affinity(), root)
    if "LOCAL_WORLD_SIZE" in os.environ:
        return max(1, cores // int(os.environ["LOCAL_WORLD_SIZE"]))
    said = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, max(1, int(said))) if said.isdecimal() else cores


def crowded(threads: int, device: str, root: Path = ROOT) -> str:
    """Return why so many threads of a cpu are too many here, else nothing."""
    cores = usable_cores(affinity(), root)
    if device != "cpu" or threads <= cores:
        return ""
    may = f"{counted(cores, 'core')} may be used"
    return f"threads is {threads}, and {may}: more threads than cores wait for each other"


def _devices() -> list[str]:
    here = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    return [device for device in DEVICES if here[device]]


def _said(cpuinfo: str) -> dict[str, str]:
    """Return the lines of the last core; all are alike."""
    pairs = (line.partition(":") for line in cpuinfo.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
