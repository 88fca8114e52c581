"""A folder to a run and back: what was asked, what came of it, the weights."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from netdsl.train.curves import draw_curves
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.files import read_file, write_file
from netdsl.train.metrics import Row, read_rows, write_rows
from netdsl.train.progress import Summary
from netdsl.train.settings import Settings, restore

_RUNS = Path("runs")
_REQUIRED = ("network.arch", "settings.json")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of one training: `network.arch` and `settings.json` from its start on."""

    path: Path

    @staticmethod
    def create(
        network: str,
        settings: Settings,
        asked: Mapping[str, object],
        *,
        path: Path | None = None,
        name: str = "run",
    ) -> RunFolder:
        """Make a folder for a run that begins: `runs/NAME-N`, or an empty one by its path.

        `network` is the text of the network, `asked` what the run is to be remembered by, as JSON
        can hold it.
        """
        run = RunFolder(_numbered(name) if path is None else _empty(path))
        write_file(run.path / "network.arch", network.encode())
        run._write_json("settings.json", {"asked": dict(asked), "settings": settings.record()})
        return run

    @staticmethod
    def open(path: Path) -> RunFolder:
        """Return the run in a folder."""
        for name in _REQUIRED:
            if not (path / name).is_file():
                raise TrainError(f"{path} is not a run: it has no {name}", None, ExitCode.IO)
        return RunFolder(path)

    @property
    def best(self) -> Path:
        """Where the weights of the best epoch lie."""
        return self.path / "best.safetensors"

    @property
    def last(self) -> Path:
        """Where the latest weights lie."""
        return self.path / "last.safetensors"

    @property
    def network(self) -> str:
        """The text of the network."""
        return read_file(self.path / "network.arch").decode()

    @property
    def settings(self) -> Settings:
        """The settings of the run."""
        return restore(self._read_json("settings.json", "settings"))

    @property
    def asked(self) -> Mapping[str, object]:
        """What the run is remembered by."""
        return self._read_json("settings.json", "asked")

    @property
    def rows(self) -> tuple[Row, ...]:
        """What the epochs came to."""
        path = self.path / "metrics.csv"
        return read_rows(read_file(path).decode(), str(path))

    def write_rows(self, rows: Sequence[Row]) -> None:
        """Store what the epochs came to."""
        write_file(self.path / "metrics.csv", write_rows(rows).encode())

    def write_summary(self, summary: Summary, rows: Sequence[Row]) -> None:
        """Store what the training came to, and its curves."""
        self._write_json("summary.json", asdict(summary))
        for suffix, content in draw_curves(rows, self.path.name).items():
            write_file(self.path / f"curves.{suffix}", content)

    def _write_json(self, name: str, record: Mapping[str, object]) -> None:
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_file(self.path / name, text.encode())

    def _read_json(self, name: str, key: str) -> Mapping[str, object]:
        try:
            return dict(json.loads(read_file(self.path / name))[key])
        except (KeyError, TypeError, ValueError) as error:
            raise TrainError(f"{self.path / name} is damaged: it has no {key}") from error


def _numbered(name: str) -> Path:
    """Make the first folder `runs/NAME-N` that is not there yet."""
    for number in itertools.count(1):
        path = _RUNS / f"{name}-{number}"
        if _made(path):
            return path
    raise AssertionError("numbers do not end")


def _empty(path: Path) -> Path:
    if not _made(path) and (path.is_file() or any(path.iterdir())):
        raise TrainError(f"{path} is not empty", "name another folder for the run", ExitCode.IO)
    return path


def _made(path: Path) -> bool:
    """Make a folder and say so; say no where something of that name is."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return False
    except OSError as error:
        raise TrainError(f"cannot make {path}: {error.strerror}", None, ExitCode.IO) from error
    return True
