"""What a training would find here, asked in a process of its own: it imports torch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def facts(data_dir: Path | None) -> dict[str, Any]:
    """Return what a training would choose, and which data sets it would find."""
    from netdsl.train.data import DATA_SETS, data_folder
    from netdsl.train.data.place import decoded_folder
    from netdsl.train.machine import pick_device, pick_precision
    from netdsl.train.memory import free_memory

    place, device = data_dir or data_folder(), pick_device()
    named = [entry for entry in DATA_SETS.values() if entry.archive is not None]
    return {
        "device": device,
        "precision": pick_precision(device),
        "memory": free_memory("cpu"),
        "place": str(place),
        "found": {entry.name: str(entry.find(place) or "") for entry in named},
        "decoded": str(decoded_folder()),
    }


if __name__ == "__main__":
    print(json.dumps(facts(Path(sys.argv[1]) if sys.argv[1:] else None)))
