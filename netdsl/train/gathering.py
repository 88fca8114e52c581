"""Places in a pile of images that is too large for a device to these images there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from netdsl.train.memory import free_memory

_SHARE = 0.5  # of the memory that training leaves free, for images that stay on the device


def stays(sizes: Sequence[int], device: str, need: int = 0) -> bool:
    """Say whether that many bytes of images are put on a device once, for all epochs.

    They may fill half of what is left of the free memory behind the `need` of training. On a CPU
    images stay where they are, in a file that is mapped into memory.
    """
    free = None if device == "cpu" else free_memory(device)
    return free is None or sum(sizes) <= _SHARE * (free - need)


def bring(rows: Tensor, parts: Sequence[Tensor], device: torch.device) -> Iterator[Tensor]:
    """Give the images of each part, which holds their places, from the CPU to a device.

    The next part is read while the one before it is worked on.
    """
    pinned = device.type == "cuda"  # only from such pages a GPU copies without being waited for
    with ThreadPoolExecutor(1, "reader") as reader:
        coming: deque[Future[Tensor]] = deque()
        for part in parts:
            coming.append(reader.submit(_read, rows, part, pinned))
            if len(coming) == 2:
                yield coming.popleft().result().to(device, non_blocking=pinned)
        for last in coming:
            yield last.result().to(device, non_blocking=pinned)


def _read(rows: Tensor, part: Tensor, pinned: bool) -> Tensor:
    # NOTE: torch gives pinned pages out again only after the copy from them is over.
    out = torch.empty((len(part), *rows.shape[1:]), dtype=rows.dtype, pin_memory=pinned)
    return torch.index_select(rows, 0, part, out=out)
