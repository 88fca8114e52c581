"""The network of a run, from what its folder kept."""

from __future__ import annotations

import json
from functools import cache

from netdsl.network import Network, rebuild
from netdsl.train.run import RunFolder
from netdsl.trained import asked_of


def rebuilt(run: RunFolder) -> Network:
    """Return the network of a run; kept, for many runs are of one, and a report is written often.

    Raises `NetDSLError` where its text is no network, `TrainError` where its files are damaged.
    """
    asked = asked_of(run)
    overrides = json.dumps(asked.get("overrides", {}))  # a key of the cache, which no dict can be
    return _rebuilt(run.network, overrides, asked.get("scale"))


@cache
def _rebuilt(text: str, overrides: str, scale: str | None) -> Network:
    return rebuild(text, json.loads(overrides), scale, "network.arch")
