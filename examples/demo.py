"""The whole way in under three minutes: `make demo`.

A column of a paper's table is checked, counted and drawn beside its plain twin; then a residual
network and its plain twin are trained on the digits that come with netdsl.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path("demo")


def netdsl(*arguments: str) -> None:
    """Run a command of netdsl as a person would, and show it."""
    print(f"\n$ netdsl {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "netdsl", *arguments], check=True)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    netdsl("build", "net1")
    netdsl("draw", "net1", "--twins", "-o", str(FOLDER / "net1-twins.svg"))
    netdsl("draw", "net1", "--twins", "-o", str(FOLDER / "net1-twins.png"))
    for name, plain in (("digits", ()), ("digits-plain", ("--plain",))):
        run = FOLDER / name
        if (run / "summary.json").exists():
            print(f"\n{run} is there already; delete it to train again")
            continue
        netdsl("train", "digits", "--data", "digits", *plain, "--run-dir", str(run))
        netdsl("evaluate", str(run))
    print("\nResults:")
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in (".svg", ".png", ".csv", ".json", ".safetensors", ".arch"):
            print(f"  {path}")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
