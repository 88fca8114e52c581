"""The installed package has all that it needs: grammar, architectures, digits, classes to print."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_installed_wheel_builds_draws_prints_and_trains(tmp_path: Path) -> None:
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--target", str(target), str(ROOT)], check=True)

    def run(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(target)},
        ).stdout  # fmt: skip

    assert str(target) in run("-c", "import netdsl.api; print(netdsl.api.__file__)")
    assert "6,647,176" in run("-m", "netdsl", "build", "net1")
    there = subprocess.run(
        [sys.executable, "-m", "netdsl", "list"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert run("-m", "netdsl", "list") == there.stdout  # of every shelf
    run("-m", "netdsl", "draw", "resnet20", "--twins", "-o", "twins.png")
    run("-m", "netdsl", "source", "net1", "-o", "net1.py")
    code = "from netdsl.experiment.report import page; print(page.asset('page.html'))"
    assert "Where the numbers come from" in run("-c", code)
    arguments = ["train", "digits", "--data", "digits", "--epochs", "1", "--run-dir", "run"]
    run("-m", "netdsl", *arguments)
    assert "of 359 validation images" in run("-m", "netdsl", "evaluate", "run")
