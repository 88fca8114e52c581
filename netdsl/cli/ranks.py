"""Several processes of one command to one voice: the first speaks, the others keep still."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import click

from netdsl.cli.exit_code import exit_code_of

_GRACE = 5.0  # seconds; where the first process fails too, torchrun ends the others within them


@contextmanager
def one_voice() -> Iterator[None]:
    """Let the first of torchrun's processes alone be heard.

    What is wrong in another one is told if the first does not fail as well: when it does, torchrun
    ends the others before they say it again. That a signal came is told once.
    """
    rank = int(os.environ.get("RANK", "0"))
    if "RANK" in os.environ:
        # NOTE: read when torch is imported. With stochastic depth every process would warn, in the
        # first step that leaves nothing out, that it need not look for what is left out.
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if rank == 0:
        yield
        return
    try:
        with ExitStack() as silent:
            nowhere = silent.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            silent.enter_context(redirect_stdout(nowhere))
            silent.enter_context(redirect_stderr(nowhere))
            yield
    except Exception as error:
        code = exit_code_of(error)
        if code > 128:
            raise click.exceptions.Exit(code) from error
        time.sleep(_GRACE)
        click.echo(f"process {rank}:", err=True)
        raise


def end_among_others(code: Any) -> None:
    """End this process at once, with its exit code, if torchrun started it beside others.

    Threads of DistributedDataParallel outlive the group that they worked for. One that lets a
    tensor go while Python ends is ended itself, and C++ takes the process down with SIGABRT:
    torchrun would start a training again that had succeeded, or call it failed.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1" or not isinstance(code, int):
        return
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
