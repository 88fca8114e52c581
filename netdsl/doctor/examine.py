"""Every probe, one after the other; one that fails says so and stops no other."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from netdsl.doctor import libraries, machine, places
from netdsl.doctor.child import Answer, ask
from netdsl.doctor.finding import Finding, fault, ok
from netdsl.resources import affinity

_AT_ONCE = 4


def examine(data_dir: Path | None = None) -> Iterator[Finding]:
    """Give what is to be said of this machine; libraries are tried in processes of their own."""
    asked = ("netdsl.doctor.training_facts", *(() if data_dir is None else (str(data_dir),)))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        names = libraries.LIBRARIES
        training = pool.submit(ask, *asked)
        answers = dict(zip(names, pool.map(_import, names), strict=True))
    probes: tuple[tuple[str, Callable[[], Iterable[Finding]]], ...] = (
        ("versions", lambda: [_versions()]),
        ("libraries", lambda: libraries.look(answers)),
        ("devices", lambda: [libraries.devices(answers["torch"])]),
        ("precision", lambda: [machine.precision(training.result())]),
        ("threads", lambda: [machine.threads(os.environ, affinity())]),
        ("memory", lambda: [machine.memory(training.result())]),
        ("allocator", lambda: [machine.allocator(os.environ)]),
        ("compiler", lambda: [machine.compiler(os.environ), *machine.interpreter()]),
        ("drawing", places.drawing),
        ("data", lambda: places.data(training.result(), named=data_dir is not None)),
    )
    for topic, probe in probes:
        yield from _caught(topic, probe)


def _caught(topic: str, probe: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from probe()
    except Exception as error:  # whatever a broken installation raises
        help = "netdsl or a library that it needs is damaged: pip install --force-reinstall netdsl"
        yield fault(topic, f"could not be looked at: {type(error).__name__}: {error}", help)


def _import(name: str) -> Answer:
    return ask("netdsl.doctor.library_facts", name)


def _versions() -> Finding:
    try:
        own = version("netdsl")
    except PackageNotFoundError:
        own = "not installed"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return ok("netdsl", f"{own}, {python}, {platform.system()} {platform.machine()}")
