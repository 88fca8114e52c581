"""What training reaches: a floor under the accuracy on the bundled digits."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_digits_reach_98_5_percent_on_average_over_three_seeds(tmp_path: Path) -> None:
    accuracies = []
    for seed in range(3):
        arguments = ["train", "digits", "--data", "digits", "--seed", str(seed)]
        subprocess.run(
            [sys.executable, "-m", "netdsl", *arguments, "--run-dir", str(tmp_path / str(seed))],
            check=True, capture_output=True,
        )  # fmt: skip
        summary = json.loads((tmp_path / str(seed) / "summary.json").read_text())
        accuracies.append(summary["last"]["val_accuracy"])
    assert statistics.mean(accuracies) >= 0.985, accuracies
