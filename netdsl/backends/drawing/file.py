"""DOT to SVG, PNG and PDF, by Graphviz in a child process with a time limit."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterable
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from netdsl.backends.drawing import engine, fonts
from netdsl.errors import NetDSLError, fail

SECONDS = 60
DPI = 192  # of PNG; an SVG or PDF with a dpi would come out larger than it says
SMALLEST = 0.4  # of that, when Graphviz shrinks a picture of more than 32,767 pixels
PNG_HEADER = 33  # bytes: the signature, and the chunk that comes first
FORMATS = ("svg", "png", "pdf")


def render(dot: str, format: str, labels: Iterable[str], *, seconds: float = SECONDS) -> bytes:
    """Return the drawing in one of the `FORMATS`; raise if one of the labels is not in it."""
    with TemporaryDirectory(prefix="netdsl-") as folder:
        path = Path(folder, "drawing.dot")
        path.write_text(dot if format != "png" else dot.replace("{", f"{{ dpi={DPI};", 1), "utf-8")
        said = _run(path, dot, list(dict.fromkeys(["svg", format])), seconds)
        svg = path.with_suffix(".svg")
        data = path.with_suffix(f".{format}")
        if not svg.exists() or not data.exists():
            raise fail("E0603", f"Graphviz could not draw: {_errors(said)}")
        _check(svg.read_text("utf-8"), {" ".join(label.split()) for label in labels}, said)
        return data.read_bytes() if format != "png" else _with_resolution(data.read_bytes(), said)


def _run(path: Path, dot: str, formats: list[str], seconds: float) -> str:
    """Run the first engine that is there, and return what it said."""
    missing = ""
    for command in _commands(path, formats):
        try:
            done = subprocess.run(
                command, cwd=path.parent, env=_environment(path, dot), capture_output=True,
                text=True, encoding="utf-8", errors="replace", timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            message = f"the drawing was not finished within the limit of {seconds:g} seconds"
            raise fail("E0602", message, help="draw it folded, or write the .dot file") from None
        if done.returncode != engine.NO_ENGINE:
            return done.stderr
        missing = missing or done.stderr.strip()
    raise _without_engine(missing)


def _without_engine(reason: str) -> NetDSLError:
    """Return the error where there is no engine; a wheel that is there says why it is none."""
    if not reason:
        return fail("E0601", "Graphviz was not found", help="run `pip install pygraphviz`")
    help = "run `pip install --force-reinstall pygraphviz`"
    return fail("E0601", f"pygraphviz cannot be imported: {reason}", help=help)


def _commands(path: Path, formats: list[str]) -> list[list[str]]:
    """The engine of pygraphviz's wheel; a `dot` on the path serves too."""
    commands = []
    if find_spec("pygraphviz"):
        commands.append([sys.executable, "-P", str(Path(engine.__file__)), str(path), *formats])
    dot = shutil.which("dot")
    if dot:
        files = [(f"-T{name}", f"-o{path.with_suffix('.' + name)}") for name in formats]
        commands.append([dot, *[option for pair in files for option in pair], str(path)])
    return commands


def _environment(path: Path, dot: str) -> dict[str, str]:
    """What the child sees: our font alone, unless the text has letters that it lacks."""
    found = fonts.folder()
    if found is None or not fonts.covers(dot):
        return dict(os.environ)
    file = path.with_name("fonts.conf")
    file.write_text(fonts.configuration(found, path.parent), "utf-8")
    return {**os.environ, "FONTCONFIG_FILE": str(file)}


def _check(svg: str, labels: set[str], said: str) -> None:
    """Raise if a label is missing or too small to read: Graphviz warns at most, and goes on."""
    if (scale := _shrunk(said)) < SMALLEST:
        message = f"the drawing is too large for a PNG: it would be shrunk to {scale:.0%}"
        raise fail("E0607", message, help="draw an .svg or .pdf")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    found = {" ".join(unescape(text).split()) for text in texts}
    missing = sorted(labels - found)
    if missing:
        raise fail("E0603", f"the drawing lacks the label {missing[0]!r}: {_errors(said)}")


def _with_resolution(png: bytes, said: str) -> bytes:
    """Say in a PNG how many pixels a metre has, which Graphviz leaves out: behind its header."""
    pixels = round(DPI * _shrunk(said) / 0.0254)
    chunk = b"pHYs" + struct.pack(">IIB", pixels, pixels, 1)
    whole = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[:PNG_HEADER] + whole + png[PNG_HEADER:]


def _shrunk(said: str) -> float:
    """By what Graphviz shrank a picture, of all that it said."""
    scale = re.search(r"too large for .* bitmaps. Scaling by ([\d.]+)", said)
    return float(scale[1]) if scale else 1.0


def _errors(messages: str) -> str:
    """What was an error, of all that an engine said."""
    errors = [line.strip() for line in messages.splitlines() if line.startswith("Error")]
    return "; ".join(errors) or "Graphviz did not say why"
