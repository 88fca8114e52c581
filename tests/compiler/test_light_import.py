"""Checking, building, drawing and formatting must not wait for torch, nor for what errors need."""

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


def test_patterns_of_papers_stay_uncompiled_where_nothing_is_at_fault(tmp_path: str) -> None:
    code = (
        "import sys, netdsl\n"
        "netdsl.parse('(Conv 64)x2 Avg2 BB128 FC 10', input=(3, 32, 32))\n"
        "assert 'netdsl.syntax.forms' not in sys.modules\n"
        "try: netdsl.parse('[3x3, 64] x2 FC 10', input=(3, 32, 32))\n"
        "except netdsl.NetDSLError: assert 'netdsl.syntax.forms' in sys.modules\n"
        "else: raise AssertionError\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=tmp_path, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
