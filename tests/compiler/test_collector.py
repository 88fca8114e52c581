"""The garbage collector is out of the way while a network is made, and back afterwards."""

import gc
from collections.abc import Iterator

import pytest

import netdsl
from netdsl.collector import paused


@pytest.fixture(autouse=True)
def _collecting() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_it_is_off_meanwhile_and_on_afterwards() -> None:
    with paused():
        assert not gc.isenabled()
        with paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_on_again_behind_an_error() -> None:
    with pytest.raises(netdsl.NetDSLError):
        netdsl.parse("Conv 4 Max 99", input=(3, 9, 8))
    assert gc.isenabled()
    with pytest.raises(netdsl.NetDSLError):
        netdsl.parse("Conv ((", input=(3, 9, 8))
    assert gc.isenabled()


def test_who_switched_it_off_keeps_it_off() -> None:
    gc.disable()
    netdsl.parse("Conv 4", input=(3, 9, 8)).module()
    assert not gc.isenabled()


def test_no_collection_happens_while_a_long_network_is_read() -> None:
    text = " ".join(["Conv 8"] * 2000)
    before = [generation["collections"] for generation in gc.get_stats()]
    with paused():
        inside = netdsl.parse(text, input=(3, 9, 8))
        after = [generation["collections"] for generation in gc.get_stats()]
    assert (after, len(inside.checked)) == (before, 6001)
