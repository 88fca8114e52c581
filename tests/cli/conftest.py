"""What every test of the command line needs: data of its own, and no network."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests out of the person's data, and from the network."""
    monkeypatch.setenv("NETDSL_DATA", str(tmp_path / "netdsl-data"))
    monkeypatch.setenv("NETDSL_MIRROR", "http://127.0.0.1:9")
