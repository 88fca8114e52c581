"""What a run is made of to a record, and two such records to what has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import zip_longest

import torch

from netdsl.train.data.dataset import DataSet
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.kinds import shown
from netdsl.train.settings import Settings

Origin = Mapping[str, object]  # as JSON can hold it
# The last bits may differ; all else is refused.
_MAY_CHANGE = {"torch", "device", "threads", "processes", "compile"}

_BY_HASH = {"images": "the images", "weights": "the weights that it begins with"}


def origin_of(network: str, data: DataSet, settings: Settings) -> Origin:
    """Return all that decides what a run comes to."""
    return {**made_of(data), "network": network, **settings.record()}


def made_of(data: DataSet | None) -> Origin:
    """Return the part of it that is neither network nor settings."""
    versions = {"netdsl": version("netdsl"), "torch": str(torch.__version__)}
    return versions if data is None else versions | {"data": data.name, "images": data.fingerprint}


def refuse_changes(before: Origin, now: Origin, where: str) -> tuple[str, ...]:
    """Raise where a run would go on as something else; return the changes that are allowed."""
    # NOTE: names that only one of them has are no change: they say less of the same.
    changed = [n for n in now if n in before and _plain(before[n]) != _plain(now[n])]
    if before.get("images") is not None and "images" in now and "images" not in changed:
        changed = [name for name in changed if name != "data"]  # of the same by another name
    refused = [name for name in changed if name not in _MAY_CHANGE]
    help = "leave it as it was, or begin another run"
    _refuse(refused, before, now, f"{where} cannot go on", help)
    return tuple(_change(name, before[name], now[name]) for name in changed)


def refuse_other_settings(before: Settings, now: Settings, where: str) -> None:
    """Raise where a run would be trained with other settings than its folder holds."""
    was, used = before.record(), now.record()
    changed = [n for n in used if n not in _MAY_CHANGE and was[n] != used[n]]
    help = "train with `run.settings`, or create another run"
    _refuse(changed, was, used, f"{where} holds other settings", help)


def _refuse(names: Sequence[str], before: Origin, now: Origin, fact: str, help: str) -> None:
    if names:
        changes = "; ".join(_change(name, before[name], now[name]) for name in names)
        raise TrainError(f"{fact}: {changes}", help, ExitCode.USAGE)


def _change(name: str, before: object, now: object) -> str:
    if name == "network":
        return _changed_line(str(before), str(now))
    if name in _BY_HASH:
        return f"{_BY_HASH[name]} are others than they were"
    return f"{name} was {shown(before)} and is {shown(now)}"


def _changed_line(before: str, now: str) -> str:
    """Name the first line in which two networks differ.

    >>> _changed_line("Conv 8\\nFC 10\\n", "Conv 8\\nFC 20\\n")
    'line 2 of the network was `FC 10` and is `FC 20`'
    """
    pairs = zip_longest(before.splitlines(), now.splitlines(), fillvalue="")
    for number, (old, new) in enumerate(pairs, start=1):
        if old != new:
            was, is_now = (line.strip()[:60] or "empty" for line in (old, new))
            return f"line {number} of the network was `{was}` and is `{is_now}`"
    return "the line ends of the network are others than they were"


def _plain(value: object) -> object:
    """Return a value as it comes back from a file: lists for tuples."""
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
