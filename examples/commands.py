"""Commands that are run to their end, or stopped in good order."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# How a command ends that was stopped: as netdsl says it, and as one that does not handle it ends.
_STOPPED = {code for sign in (signal.SIGINT, signal.SIGTERM) for code in (128 + sign, -sign)}


def run_python(arguments: Sequence[str], folder: Path) -> int:
    """Run Python in a folder and return its exit code; end with that of one that was stopped.

    A command that is stopped stops what it began. `subprocess.run` would kill it before that.
    """
    with subprocess.Popen([sys.executable, *arguments], cwd=folder) as process:
        before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            code = process.wait()
        except KeyboardInterrupt:  # Ctrl-C reaches the command too, which ends in good order
            code = process.wait()
        signal.signal(signal.SIGTERM, before)
    if code in _STOPPED:
        sys.exit(128 - code if code < 0 else code)
    return code
