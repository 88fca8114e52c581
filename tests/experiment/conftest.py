"""What every test of experiments needs: a small network, data of its own, and no network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from netdsl.experiment.definition import Definition, read_definition

TINY = 'name "Tiny"  input 1x8x8  classes 10\nn = 1\nConv 4  Max 2  (BB 8 dropout=0.2)x n  GAP  FC classes\n'


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests out of the person's data, and from the network."""
    monkeypatch.setenv("NETDSL_DATA", str(tmp_path / "netdsl-data"))
    monkeypatch.setenv("NETDSL_MIRROR", "http://127.0.0.1:9")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def define(tmp_path: Path) -> Callable[[str], Definition]:
    """Return what reads the text of an experiment's file, beside a network `tiny.arch`."""
    (tmp_path / "tiny.arch").write_text(TINY)

    def read(text: str) -> Definition:
        path = tmp_path / "x.toml"
        path.write_text(text)
        return read_definition(path)

    return read
