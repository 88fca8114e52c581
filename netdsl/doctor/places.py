"""Drawings and data to findings: engine and fonts, data sets, decoded images, room for them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from netdsl.doctor.child import Answer
from netdsl.doctor.finding import Finding, fault, note, ok

_MUCH, _LITTLE = 2 * 10**9, 10**8  # bytes: Tiny ImageNet takes 0.25 packed, 0.25 and 1.35 decoded
_ELSEWHERE = "let NETDSL_DATA name a folder of yours"
_NETWORK = "input 3x8x8  Conv 4 BB 4 GAP FC 2"


def drawing() -> Iterator[Finding]:
    """Draw a small network, and give whether that and its letters came out."""
    from netdsl.api import parse
    from netdsl.backends.drawing import draw, fonts
    from netdsl.errors import NetDSLError

    try:
        with TemporaryDirectory(prefix="netdsl-") as folder:
            network = [("network", parse(_NETWORK).checked)]
            size = draw(network, Path(folder, "network.png")).stat().st_size
    except NetDSLError as error:
        (finding, *_) = error.diagnostics
        help = finding.help or "pip install --force-reinstall pygraphviz graphviz"
        yield fault("drawing", finding.message, help)
    else:
        yield ok("drawing", f"Graphviz draws ({size:,} bytes of PNG)")
    place = fonts.folder()
    if place is None:
        help = "they come with matplotlib: pip install --force-reinstall matplotlib"
        yield fault("fonts", "none found: letters of PNG and PDF come out as empty boxes", help)
    else:
        yield ok("fonts", f"{fonts.FAMILY} in {place}")


def data(training: Answer, *, named: bool = False) -> Iterator[Finding]:
    """Give which data sets are there, and whether there is room for more of them.

    Where they lie was `named` by an option, or is what the environment says.
    """
    if training.failure is not None:
        yield note("data", f"unknown: trainings do not start: {training.failure}")
        return
    facts = training.facts
    here = [name for name, path in facts["found"].items() if path]
    gone = [name for name, path in facts["found"].items() if not path]
    found = f"in {facts['place']}: {', '.join(here) or 'no data set'}"
    bring = f"; `netdsl data get` brings {', '.join(gone)}" if gone else ""
    yield ok("data", found + bring)
    if facts["place"] not in facts["found"].values():  # an archive is read where it is
        help = "name another folder by --data-dir" if named else _ELSEWHERE
        yield from _folder("data folder", Path(facts["place"]), help)
    decoded = Path(facts["decoded"])
    yield from _folder("cache", decoded, _ELSEWHERE)
    yield _room(decoded)


def _folder(topic: str, path: Path, help: str) -> Iterator[Finding]:
    """Give a fault where nothing can be written."""
    there = _existing(path)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        reason = "is no folder" if not there.is_dir() else "cannot be written to"
        yield fault(topic, f"{path} cannot be used: {there} {reason}", help)


def _room(decoded: Path) -> Finding:
    sets, size = _decoded(decoded)
    free = shutil.disk_usage(_existing(decoded)).free
    text = f"{sets} decoded, {size / 1e9:.1f} GB, in {decoded}; {free / 1e9:.1f} GB free"
    help = f"delete what is in {decoded}, or let NETDSL_DATA name a folder on another disk"
    if free < _LITTLE:
        return fault("cache", text, help)
    return note("cache", text, help) if free < _MUCH else ok("cache", text)


def _decoded(folder: Path) -> tuple[int, int]:
    """Return how many sets of images are kept decoded, and their bytes."""
    files = [*folder.glob("*/pixels")] if folder.is_dir() else []
    return len(files), sum(file.stat().st_size for file in files)


def _existing(path: Path) -> Path:
    """Return the folder, or the closest one around it that is there."""
    path = path.absolute()
    return next(place for place in (path, *path.parents) if place.exists())
