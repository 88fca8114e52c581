"""The front door: text or a file in, a checked network out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netdsl.collector import paused
from netdsl.errors import NetDSLWarning, fail
from netdsl.lower import Loader, make_overrides
from netdsl.network import Network, build
from netdsl.shelf import open_arch
from netdsl.syntax import parse as parse_text

if TYPE_CHECKING:
    from netdsl.translation import Translation


@paused()
def load(
    arch: str | Path,
    *,
    plain: bool | None = None,
    input: Sequence[int] | None = None,
    classes: int | None = None,
    scale: str | None = None,
    **parameters: object,
) -> Network:
    """Return the network of a file, or of a shipped architecture by its bare name.

    Raises `NetDSLError` with all that is wrong, and warns (`NetDSLWarning`) of what is odd.

    >>> load("resnet-cifar", n=3).params
    269722
    """
    overrides = make_overrides(plain, input, classes, scale, parameters)
    return _told(build(*open_arch(arch).with_overrides(overrides)))


@paused()
def parse(
    text: str,
    *,
    plain: bool | None = None,
    input: Sequence[int] | None = None,
    classes: int | None = None,
    scale: str | None = None,
    name: str = "<text>",
    **parameters: object,
) -> Network:
    """Return the network of a text.

    Raises `NetDSLError` with all that is wrong, and warns (`NetDSLWarning`) of what is odd.

    >>> parse("(Conv 64)x2 Avg2 BB128 FC200", input=(3, 32, 32)).output_shape
    (200,)
    """
    if not isinstance(text, str):
        raise fail("E0001", f"a network is a text, not {type(text).__name__}; `load` reads files")
    if not isinstance(name, str):
        raise fail("E0206", f"name must be a text, not {name!r}")
    overrides = make_overrides(plain, input, classes, scale, parameters)
    return _told(build(parse_text(text, name), overrides, Loader()))


@paused()
def translate(text: str, *, name: str = "<text>") -> Translation:
    """Return a text of a paper, of LaTeX, Keras or torch as it is written here, with every change.

    Its `error` is what is still wrong, which `parse` would raise of its `text`; None where nothing
    is.

    >>> translate("3x3 conv, 64, stride 2; avg pool; 10-d fc").text
    'Conv 64 s2; GAP; FC 10'
    """
    if not isinstance(text, str):
        raise fail("E0001", f"a network is a text, not {type(text).__name__}")
    from netdsl.translation import translate as translated  # compiles what papers write otherwise

    return translated(text, name)


def _told(network: Network) -> Network:
    """Warn of what was found in a network, in the name of who called `load` or `parse`."""
    for finding in network.warnings:
        if finding.severity == "warning":
            warnings.warn(finding.show(), NetDSLWarning, stacklevel=4)
    return network
