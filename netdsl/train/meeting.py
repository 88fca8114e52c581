"""Processes that were started together to the store that they alone share."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous


def meet(patience: timedelta) -> tuple[Store, int, int]:
    """Return a store in which nothing is from processes before, the rank, and how many there are.

    Where they meet is read from the environment, as torch reads it.
    """
    store, rank, size = next(iter(rendezvous("env://", timeout=patience)))
    # NOTE: torchrun keeps one store over all restarts, and does not number them alike on several
    # machines; a process that found the addresses of killed ones in it would wait for them.
    name = call(store, size) if rank == 0 else answer(store, rank)
    return PrefixStore(name, store), rank, size


def call(store: Store, size: int) -> str:
    """Call the others by a new name until all have answered; return the name."""
    name = uuid4().hex
    store.set("netdsl", name)
    store.set(f"{name}/all", " ".join(store.get(f"{name}/{r}").decode() for r in range(1, size)))
    return name


def answer(store: Store, rank: int) -> str:
    """Answer who calls; return the name when the caller, who may be gone, has heard the answer."""
    own = uuid4().hex
    while True:
        name: str = store.get("netdsl").decode()
        store.set(f"{name}/{rank}", own)
        while store.get("netdsl").decode() == name:
            if store.check([f"{name}/all"]) and own in store.get(f"{name}/all").decode():
                return name
            time.sleep(0.02)
