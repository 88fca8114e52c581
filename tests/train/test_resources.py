"""Cores and memory that affinity and control groups of either version leave to a process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netdsl.experiment.shares import share_out
from netdsl.resources import affinity, cpu_quota, free_memory, usable_cores, waited
from netdsl.train import resolve
from netdsl.train.machine import count_cores, crowded

Files = dict[str, str]


def _write(root: Path, files: Files) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def _version_1(group: str, quota: str, period: str = "100000\n") -> Files:
    base = f"sys/fs/cgroup/cpu/{group}cpu.cfs"
    return {f"{base}_quota_us": quota, f"{base}_period_us": period}


NESTED = {
    "proc/self/cgroup": "0::/job/step\n",
    "sys/fs/cgroup/job/step/cpu.max": "800000 100000\n",
    "sys/fs/cgroup/job/cpu.max": "300000 100000\n",
    "sys/fs/cgroup/cpu.max": "max 100000\n",
}
OF_BOTH = {"proc/self/cgroup": "5:cpu,cpuacct:/job\n4:memory:/\n0::/\n"}
LIMITED = [
    ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2.0),
    (NESTED, 3.0),
    (OF_BOTH | _version_1("job/", "150000\n"), 1.5),
    # In a container the path is the host's, and the files are those of the root.
    ({"proc/self/cgroup": "5:cpu:/docker/1f\n"} | _version_1("", "50000\n", "25000\n"), 2.0),
    (OF_BOTH | _version_1("job/", "400000\n") | _version_1("", "250000\n"), 2.5),
]
UNLIMITED = [
    {},
    {"proc/self/cgroup": "0::/job\n"},
    {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"},
    {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": ""},
    OF_BOTH | _version_1("job/", "-1\n"),
    OF_BOTH | {"sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "200000\n"},
    OF_BOTH | _version_1("job/", "200000\n", "0\n"),
    {"proc/self/cgroup": "4:memory:/job\n"} | _version_1("job/", "200000\n"),
]


@pytest.mark.parametrize(("files", "cores"), LIMITED)
def test_the_quota_is_the_least_of_all_groups(files: Files, cores: float, tmp_path: Path) -> None:
    assert cpu_quota(_write(tmp_path, files)) == cores


@pytest.mark.parametrize("files", UNLIMITED)
def test_where_nothing_limits_all_cores_are_used(files: Files, tmp_path: Path) -> None:
    root = _write(tmp_path, files)
    assert cpu_quota(root) is None
    assert [usable_cores(cores, root) for cores in (1, 64)] == [1, 64]


@pytest.mark.parametrize(
    ("quota", "cores"), [(20_000, 1), (100_000, 1), (160_000, 2), (6_400_000, 8)]
)
def test_a_quota_is_rounded_and_leaves_a_core(quota: int, cores: int, tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": f"{quota} 100000\n"}
    assert usable_cores(8, _write(tmp_path, files)) == cores


@pytest.fixture
def of_64_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    for name in ("OMP_NUM_THREADS", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("of_64_cores")
def test_a_training_takes_the_cores_of_its_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "400000 100000\n"}
    root = _write(tmp_path, quota)
    assert (count_cores(root), count_cores(tmp_path / "nothing")) == (4, 64)
    monkeypatch.setenv("OMP_NUM_THREADS", "16")
    assert (count_cores(root), count_cores(tmp_path / "nothing")) == (4, 16)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert count_cores(root) == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert count_cores(root) == 2


@pytest.mark.usefixtures("of_64_cores")
@pytest.mark.parametrize(("quota", "threads"), [(None, 64), (2.0, 2)])
def test_threads_and_shares_are_those_that_may_be_used(
    quota: float | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netdsl.resources.cpu_quota", lambda root: quota)
    assert resolve({"device": "cpu"}).threads == threads
    assert [share.threads for share in share_out(2)] == [threads // 2] * 2


@pytest.mark.usefixtures("of_64_cores")
def test_more_threads_than_cores_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quota = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "100000 100000\n"}
    alone, whole = _write(tmp_path, quota), tmp_path / "nothing"
    fact = "threads is 65, and 64 cores may be used: more threads than cores wait for each other"
    assert (crowded(65, "cpu", whole), crowded(64, "cpu", whole)) == (fact, "")
    assert crowded(2, "cpu", alone).startswith("threads is 2, and 1 core may be used: ")
    assert crowded(65, "cuda", whole) == ""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # what is taken unless given, no more
    assert crowded(64, "cpu", whole) == ""


def test_a_machine_that_says_no_affinity_counts_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert affinity() == 1


MACHINE = {"proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    8000 kB\n"}
OF_VERSION_2 = {
    "proc/self/cgroup": "0::/job/step\n",
    "sys/fs/cgroup/job/memory.max": "5000000\n",
    "sys/fs/cgroup/job/memory.current": "3000000\n",
    "sys/fs/cgroup/job/memory.stat": "anon 1\ninactive_file 500000\n",
    "sys/fs/cgroup/job/step/memory.max": "max\n",
    "sys/fs/cgroup/job/step/memory.current": "3000000\n",
}
OF_VERSION_1 = {
    "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/job\n0::/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "1\n",
    "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "4000000\n",
    "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "3500000\n",
    "sys/fs/cgroup/memory/job/memory.stat": "inactive_file 1\ntotal_inactive_file 200000\n",
}


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, None),
        (MACHINE, 8_192_000),
        (MACHINE | OF_VERSION_2, 2_500_000),
        (MACHINE | OF_VERSION_1, 700_000),
        (OF_VERSION_1, 700_000),
    ],
)
def test_free_memory_is_the_least_that_machine_and_groups_leave(
    files: Files, free: int | None, tmp_path: Path
) -> None:
    assert free_memory(_write(tmp_path, files)) == free


@pytest.mark.parametrize(
    ("files", "seconds"),
    [
        ({}, None),
        ({"proc/thread-self/schedstat": "0 0 1\n"}, 0),
        ({"proc/thread-self/schedstat": "7000 2500000000 12\n"}, 2.5),
        ({"proc/thread-self/schedstat": "unknown\n"}, None),
    ],
)
def test_how_long_a_thread_waited_is_what_linux_counts(
    files: Files, seconds: float | None, tmp_path: Path
) -> None:
    assert waited(_write(tmp_path, files)) == seconds
