"""The machine to findings: cores and threads, memory, allocator, compiler."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from netdsl.allocator import SWITCH, preloaded
from netdsl.amounts import counted
from netdsl.doctor.child import Answer
from netdsl.doctor.finding import Finding, fault, note, ok
from netdsl.resources import ROOT, cpu_quota, usable_cores

_LEAST_MEMORY = 10**9


def threads(environment: Mapping[str, str], cores: int, root: Path = ROOT) -> Finding:
    """Return how many cores may be used, and what keeps libraries from using them."""
    quota, said = cpu_quota(root), environment.get("OMP_NUM_THREADS", "")
    usable = usable_cores(cores, root)
    if said.isdecimal() and int(said) < usable:
        return note(
            "threads", f"OMP_NUM_THREADS is {said}, and {usable} cores may be used",
            "a training takes no more either: unset it, or say --threads",
        )  # fmt: skip
    if quota is not None and quota < cores:
        return note(
            "threads", f"the control group leaves {quota:g} of {cores} cores",
            f"more threads than that wait for each other: a training takes {usable}",
        )  # fmt: skip
    return ok("threads", f"{counted(cores, 'core')} may be used")


def precision(training: Answer) -> Finding:
    """Return which precision a training takes here."""
    if training.failure is not None:
        return note("precision", "unknown: trainings do not start")
    device, chosen = training.facts["device"], training.facts["precision"]
    if chosen == "bf16":
        return ok("precision", f"bf16, which {device} is faster in")
    return note("precision", f"fp32: {device} is not faster in bf16")


def memory(training: Answer) -> Finding:
    """Return how much memory machine and control group leave."""
    free = training.facts.get("memory")
    if free is None:
        return note("memory", "how much is free is unknown here")
    text = f"{free / 1e9:.1f} GB may still be taken"
    if free < _LEAST_MEMORY:
        help = "end other programs, or raise the limit of the control group"
        return fault("memory", f"only {text}", help)
    return ok("memory", text)


def allocator(environment: Mapping[str, str], libc: str | None = None) -> Finding:
    """Return who hands memory out; `netdsl train` tunes that of glibc."""
    if replaced := preloaded(environment):
        return ok("allocator", f"{replaced}, by LD_PRELOAD")
    found = (platform.libc_ver()[0] if libc is None else libc) or f"that of {platform.system()}"
    if found == "glibc" and environment.get(SWITCH) == "off":
        return note(
            "allocator", f"glibc, which is not tuned: {SWITCH} is off",
            "a training faults its pages in at every step: unset it",
        )  # fmt: skip
    if found == "glibc" or platform.system() != "Linux":
        return ok("allocator", found)
    return note("allocator", f"{found}, which a training cannot tune", "glibc is faster")


COMPILERS = ("g++", "clang++", "c++", "cl")  # as in netdsl.train.compiling, which needs torch


def interpreter(python: tuple[int, ...] = sys.version_info[:3]) -> Iterator[Finding]:
    """Yield what is wrong with this Python: torch.compile rests on the versions of dicts."""
    if python == (3, 13, 0):
        yield note(
            "compiler", "Python 3.13.0 keeps changes from torch.compile (python/cpython#125608)",
            "upgrade Python to 3.13.1 or later: with torch 2.11 a compiled network with stochastic "
            "depth leaves out the same blocks in every step",
        )  # fmt: skip


def compiler(environment: Mapping[str, str]) -> Finding:
    """Return the C++ compiler that `--compile` would call on a CPU."""
    named = environment.get("CXX")
    for name in (named,) if named else COMPILERS:
        path = shutil.which(name)
        if path is not None:
            return _version(path)
    missing = f"CXX names {named}, which is not there" if named else "none, so nothing is compiled"
    return note("compiler", missing, "--compile needs one on a CPU: apt install g++, say")


def _version(path: str) -> Finding:
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return note("compiler", f"{path} does not run", "--compile needs one on a CPU")
    return ok("compiler", next(iter(done.stdout.splitlines()), path))
