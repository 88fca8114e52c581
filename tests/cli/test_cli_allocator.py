"""A heap that keeps its memory: that it does, and where it is left alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Pages of fresh 40 MB pieces that are written and freed, once malloc has them.
FAULTS = """
import resource
from netdsl.allocator import keep_memory
kept = keep_memory()
for step in range(12):
    if step == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    piece = bytearray(b"1") * 40_000_000
    del piece
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
glibc = pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")


def _run(code: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


@glibc
def test_memory_that_was_freed_is_not_mapped_again() -> None:
    kept, faults = _run(FAULTS)
    assert (kept, int(faults) < 200) == ("True", True), faults


@glibc
@pytest.mark.parametrize(
    "environment",
    [{"NETDSL_MALLOC": "off"}, {"LD_PRELOAD": "/nowhere/libjemalloc.so.2"}],
)
def test_a_heap_is_left_alone_where_somebody_says_so(environment: dict[str, str]) -> None:
    kept, faults = _run(FAULTS, **environment)
    assert (kept, int(faults) > 40_000) == ("False", True), faults


def test_without_mallopt_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from netdsl import allocator

    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    assert not allocator.keep_memory({})


def test_a_program_that_cannot_be_opened_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    from netdsl import allocator

    def refuse(name: None) -> None:
        raise TypeError(name)

    monkeypatch.setattr(allocator.ctypes, "CDLL", refuse)
    assert not allocator.keep_memory({})
