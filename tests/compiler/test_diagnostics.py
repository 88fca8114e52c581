"""Every mistake about the meaning of a network, by the whole text that a person sees.

`diagnostics.txt` holds pairs: a source behind `=== `, and below it all that is said of it.
"""

from pathlib import Path

import pytest

import netdsl

PAIRS = [
    tuple(pair.split("\n", 1))
    for pair in Path(__file__).with_name("diagnostics.txt").read_text("utf-8").split("=== ")[1:]
]


def said(source: str) -> str:
    """What is said of a source, errors and warnings, on images of 3x32x32."""
    try:
        own = source.startswith("input")
        net = netdsl.parse(source, name="net.arch", **({} if own else {"input": (3, 32, 32)}))
    except netdsl.NetDSLError as error:
        return str(error)
    return "\n\n".join(warning.show() for warning in net.warnings)


@pytest.mark.parametrize(("source", "expected"), PAIRS, ids=[source for source, _ in PAIRS])
def test_what_is_said(source: str, expected: str) -> None:
    assert said(source) == expected.strip("\n")
