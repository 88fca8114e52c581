"""Files of safetensors by names of any bytes: the library itself takes those of UTF-8 alone."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

_LENGTH = 8  # bytes of a number in front, which says how long the JSON behind it is


def tensors_in(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by their names; raise what the library raises, or `OSError`."""
    if _is_text(path):
        return safetensors.torch.load_file(path)
    return safetensors.torch.load(path.read_bytes())


def metadata_in(path: Path) -> dict[str, str]:
    """Return what is written into a file beside its tensors; raise as `tensors_in`."""
    if _is_text(path):
        with safetensors.safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    content = path.read_bytes()
    safetensors.torch.load(content)  # which raises where it is something else
    length = int.from_bytes(content[:_LENGTH], "little")
    header = json.loads(content[_LENGTH : _LENGTH + length])
    return dict(header.get("__metadata__") or {})


def _is_text(path: Path) -> bool:
    """Say whether a path is UTF-8: Python keeps other bytes as surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in str(path))
