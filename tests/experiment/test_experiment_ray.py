"""An experiment on a Ray cluster of this machine: four small runs, equal to those without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from netdsl.experiment.plan import read_plan

TINY = "input 1x8x8  classes 10\nConv 4  Max 2  BB 8 dropout=0.2  GAP  FC classes\n"
FILE = """name = "small"
data = "digits"
limit = 200
seeds = 2
set = { epochs = 2, threads = 1 }
[[network]]
arch = "tiny.arch"
plain = "both"
"""


def run(*arguments: object) -> str:
    command = [sys.executable, "-m", "netdsl", "experiment", "run", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_comes_to_the_same(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    (tmp_path / "tiny.arch").write_text(TINY)
    (tmp_path / "x.toml").write_text(FILE)
    run(tmp_path / "x.toml", "--dir", str(tmp_path / "here"))
    cluster = ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        address = cluster.address_info["gcs_address"]
        place = ("--dir", str(tmp_path / "there"))
        out = run(tmp_path / "x.toml", *place, "--ray", address, "--threads", "1")
    finally:
        ray.shutdown()
    assert out.splitlines()[-1] == f"4 of 4 runs are finished; all of it in {tmp_path / 'there'}"
    for job in read_plan(tmp_path / "here").jobs:
        ours, theirs = (tmp_path / name / job.folder / "metrics.csv" for name in ("here", "there"))
        assert ours.read_bytes() == theirs.read_bytes()
