"""What every test of the command line needs: data of its own, no network, and a way to type."""

import io
from pathlib import Path

import pytest

from netdsl.cli import main
from tests.cli.command import Done, Run


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests out of the person's data, and from the network."""
    monkeypatch.setenv("NETDSL_DATA", str(tmp_path / "netdsl-data"))
    monkeypatch.setenv("NETDSL_MIRROR", "http://127.0.0.1:9")


@pytest.fixture(autouse=True)
def _undisturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no plan say that other processes had the cores."""
    monkeypatch.setattr("netdsl.resources.waited", lambda: None)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run commands in this process: a process of its own takes seconds, most of them for torch."""

    def call(*arguments: str, cwd: Path | None = None, stdin: str = "") -> Done:
        monkeypatch.chdir(cwd or tmp_path)
        monkeypatch.setenv("COLUMNS", "120")  # whatever terminal the tests are run in
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(list(arguments))
        captured = capsys.readouterr()
        return Done(int(caught.value.code or 0), captured.out, captured.err)

    return call
