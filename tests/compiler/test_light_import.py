"""Checking, building, drawing and formatting must not wait for torch."""

import subprocess
import sys

import pytest

COMMANDS = [
    ["--help"],
    ["check", "net1"],
    ["build", "net1"],
    ["build", "net1", "--json"],
    ["draw", "net1", "-o", "net1.svg"],
    ["draw", "net1", "-o", "net1.dot", "--twins"],
    ["fmt", "net1"],
    ["source", "net1"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_torch_stays_unloaded(arguments: list[str], tmp_path: str) -> None:
    code = (
        "import sys, netdsl.cli\n"
        "try: netdsl.cli.main(sys.argv[1:])\n"
        "except SystemExit as e: assert not e.code, e.code\n"
        "assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=False, cwd=tmp_path, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
