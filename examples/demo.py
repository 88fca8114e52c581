"""The whole way in under three minutes: `make demo`.

A column of a paper's table is checked, counted and drawn beside its plain twin; then a residual
network and its plain twin are trained on the digits that come with netdsl, with three seeds each,
and compared.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from commands import run_python

FOLDER = Path("demo")
COMPARISON = FOLDER / "digits"


def netdsl(*arguments: str) -> None:
    """Run a command of netdsl as a person would, and show it."""
    print(f"\n$ netdsl {' '.join(arguments)}", flush=True)
    if code := run_python(["-m", "netdsl", *arguments], Path.cwd()):
        sys.exit(code)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    netdsl("build", "net1")
    netdsl("draw", "net1", "--twins", "-o", str(FOLDER / "net1-twins.svg"))
    netdsl("draw", "net1", "--twins", "-o", str(FOLDER / "net1-twins.png"))
    netdsl(
        "compare", "digits", "--plain", "both", "--seeds", "3", "--data", "digits",
        "--epochs", "5", "--jobs", "2", "--dir", str(COMPARISON),
    )  # fmt: skip
    print("\nResults:")
    for path in sorted(FOLDER.glob("*.*")):
        print(f"  {path}")
    print(f"  {COMPARISON / 'report' / 'report.html'}    open it in a browser")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
