"""A library imported in a process of its own: its version, and for torch all that it sees."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def facts(name: str) -> dict[str, Any]:
    """Import a library and return what is worth knowing of it."""
    module = import_module(name)
    known: dict[str, Any] = {"version": _version(name, module)}
    if name == "torch":
        known |= _torch(module)
    if name == "torchvision":
        known["works"] = _kept_boxes(module)
    return known


def _version(name: str, module: Any) -> str:
    found = getattr(module, "__version__", None)
    if isinstance(found, str):
        return found
    try:
        return version({"PIL": "pillow"}.get(name, name))
    except PackageNotFoundError:
        return "of unknown version"


def _torch(torch: Any) -> dict[str, Any]:
    import_module("numpy")  # brings libraries of its own along
    there = torch.cuda.is_available()
    count = torch.cuda.device_count() if there else 0
    return {
        "cuda": torch.version.cuda,
        "hip": getattr(torch.version, "hip", None),
        "gpus": [_gpu(torch, i) for i in range(count)],
        "gpu_bf16": there and torch.cuda.is_bf16_supported(including_emulation=False),
        "mps": torch.backends.mps.is_available(),
        "openmp": _openmp(),
    }


def _gpu(torch: Any, number: int) -> str:
    about = torch.cuda.get_device_properties(number)
    return f"{about.name}, {about.total_memory / 1e9:.0f} GB"


def _openmp(maps: Path = Path("/proc/self/maps")) -> list[str]:
    """Return the OpenMP runtimes that are loaded, where the system tells."""
    if not maps.exists():
        return []
    text = maps.read_text(encoding="utf-8", errors="replace")
    return sorted(set(re.findall(r"/\S*/lib(?:gomp|omp|iomp5)\b[^/\s]*\.so\S*", text)))


def _kept_boxes(torchvision: Any) -> bool:
    """Run an operator that is compiled against torch."""
    torch = import_module("torch")
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [5.0, 5.0, 7.0, 7.0]])
    return len(torchvision.ops.nms(boxes, torch.tensor([1.0, 0.5]), 0.5)) == 2


if __name__ == "__main__":
    print(json.dumps(facts(sys.argv[1])))
