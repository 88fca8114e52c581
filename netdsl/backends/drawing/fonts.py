"""The font that drawings are set in: where it is, and how wide a text is in it."""

from __future__ import annotations

import shutil
import subprocess
from html import escape
from importlib.util import find_spec
from pathlib import Path

FAMILY = "DejaVu Sans"
SECONDS = 20  # that fontconfig has to list the fonts

# Advance widths of DejaVu Sans Bold in units of the size, rounded up to a twentieth.
_WIDTHS = {
    letter: width
    for width, letters in {
        0.35: " 'ijl", 0.4: ",./:;IJ\\|·", 0.45: "-f", 0.5: "!()[]_`rt", 0.55: '"*',
        0.6: "?csz", 0.65: "Lx", 0.7: "$0123456789EFTaekovy", 0.75: "CPSYZbdghnpqu{}",
        0.8: "ABKRVX", 0.85: "#+<=>DGHNU^~×", 0.9: "&OQ", 0.95: "w", 1.05: "%m", 1.15: "W",
    }.items()
    for letter in letters
}  # fmt: skip
_REGULAR = 0.92  # of the width of bold digits and letters; no character is much above it


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is, in points; rather too wide than too narrow.

    >>> width("Conv", 10) < width("Conv", 10, bold=True) < width("Conv", 20)
    True
    """
    wide = size * sum(_WIDTHS.get(letter, 1.0) for letter in text)
    return wide if bold else wide * _REGULAR


def folder() -> Path | None:
    """Return the folder of the font inside matplotlib's wheel, found without importing it."""
    spec = find_spec("matplotlib")
    places = spec.submodule_search_locations if spec else None
    folders = [Path(place, "mpl-data", "fonts", "ttf") for place in places or ()]
    return next((path for path in folders if (path / "DejaVuSans.ttf").exists()), None)


def covers(text: str) -> bool:
    """Whether the font has the letters of a text: those of Europe and signs, not those of Asia."""
    return all(letter < "\u0700" or "\u1d00" <= letter < "\u2c60" for letter in text)


def missing(text: str) -> str:
    """Return the letters, each once, that neither the font has nor any that fontconfig lists."""
    others = dict.fromkeys(letter for letter in text if not covers(letter))
    listed = _listed() if others else []
    return "".join(c for c in others if not any(low <= ord(c) <= high for low, high in listed))


def _listed() -> list[tuple[int, int]]:
    """The letters of the fonts that are installed, from one to another; none if nobody tells."""
    program = shutil.which("fc-list")
    if program is None:
        return []
    command = [program, "--format", "%{charset} "]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
        ends = [span.split("-") for span in set(done.stdout.split())]
        return [(int(span[0], 16), int(span[-1], 16)) for span in ends]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []  # a drawing that is made is not lost for it


def configuration(fonts: Path, cache: Path) -> str:
    """Return a fontconfig file that names these fonts and no others.

    NOTE: on a machine without fonts every letter of a PNG or PDF is an empty box, and nothing
    fails; with other fonts than these the texts have other widths than the boxes allow for.
    """
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>'
        f"<dir>{escape(str(fonts))}</dir><cachedir>{escape(str(cache))}</cachedir></fontconfig>\n"
    )
