"""A small language for convolutional networks, and a compiler to PyTorch.

>>> import netdsl
>>> net = netdsl.parse("(Conv 64)x2 Avg2 BB128 FC200", input=(3, 64, 64))
>>> net.depth, net.output_shape
(5, (200,))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netdsl import train as train
    from netdsl.api import load as load
    from netdsl.api import parse as parse
    from netdsl.api import translate as translate
    from netdsl.errors import Diagnostic as Diagnostic
    from netdsl.errors import NetDSLError as NetDSLError
    from netdsl.errors import NetDSLWarning as NetDSLWarning
    from netdsl.network import Network as Network
    from netdsl.train.errors import TrainError as TrainError
    from netdsl.trained import Trained as Trained
    from netdsl.trained import load_trained as load_trained
    from netdsl.translation import Translation as Translation

    __version__: str

_HOMES = {
    "Network": "netdsl.network", "load": "netdsl.api", "parse": "netdsl.api",
    "translate": "netdsl.api", "Translation": "netdsl.translation",
    "Diagnostic": "netdsl.errors", "NetDSLError": "netdsl.errors",
    "NetDSLWarning": "netdsl.errors", "Trained": "netdsl.trained",
    "load_trained": "netdsl.trained", "TrainError": "netdsl.train.errors",
}  # fmt: skip

__all__ = [
    "Diagnostic",
    "NetDSLError",
    "NetDSLWarning",
    "Network",
    "TrainError",
    "Trained",
    "Translation",
    "load",
    "load_trained",
    "parse",
    "translate",
]


def _found(name: str) -> Any:
    """Import on first use, so that `netdsl --help` does not wait for the compiler."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name == "train":
        return import_module("netdsl.train")
    if name == "__version__":
        from importlib.metadata import version

        return version("netdsl")
    raise AttributeError(f"module 'netdsl' has no attribute {name!r}")


if not TYPE_CHECKING:  # or no name would be wrong to those who check types
    __getattr__ = _found


def __dir__() -> list[str]:
    return [*__all__, "__version__", "train"]
