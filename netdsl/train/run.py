"""A folder to a run and back: what was asked, what came of it, the weights."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from netdsl.first_line import first_line
from netdsl.train.commit import commit
from netdsl.train.curves import draw_curves
from netdsl.train.data.dataset import DataSet
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.files import is_leftover, only_process, read_file, to_json, write_file, write_json
from netdsl.train.metrics import Row, read_rows, write_rows, write_speed
from netdsl.train.origin import Origin, made_of
from netdsl.train.progress import Summary
from netdsl.train.settings import Settings, restore

FAILED = "failed.json"  # of an experiment: why the last start of the run came to nothing
_RUNS = Path("runs")
_TABLES = ("metrics.csv", "speed.csv")
_DECIDED = ["compile"]  # what is left open until a training has begun
_REQUIRED = ("network.arch", "settings.json")
_ANOTHER = "name another folder for the run"
_SHOWN = 4  # runs in a folder that is none itself


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of one training: `network.arch` and `settings.json` from its start on.

    `start` is what `create` wrote there, but for the settings; empty in a folder that was opened.
    """

    path: Path
    start: tuple[object, ...] = field(default=(), compare=False, repr=False)

    @staticmethod
    def create(
        network: str,
        settings: Settings,
        asked: Mapping[str, object],
        *,
        data: DataSet | None = None,
        path: str | Path | None = None,
        name: str = "run",
    ) -> RunFolder:
        """Make a folder for a run that begins: `runs/NAME-N`, or one by its path.

        That is empty, or a run lies there of which nothing was stored: it is begun anew.

        `network` is the text of the network, `asked` what the run is to be remembered by, as JSON
        can hold it: `overrides` and `scale` in it are what was said in place of the text. With
        `data` a later start can tell whether the images are still the same.
        """
        if not isinstance(network, str):
            fact = f"a run keeps the text of its network, not a {type(network).__name__}"
            raise TrainError(fact, "give `net.standalone()`", ExitCode.USAGE)
        _refuse_unwritable(asked)
        run = RunFolder(new_folder(name) if path is None else _empty(Path(path)))
        made = {**made_of(data), "commit": commit()}
        record = {"asked": dict(asked), "settings": settings.record(), "made": made}
        with only_process(run.path):  # another one may be taking its first steps there
            _empty(run.path)  # or has taken them meanwhile
            write_file(run.path / "network.arch", network.encode())
            run._write_json("settings.json", record)
            return replace(run, start=run._start)

    @staticmethod
    def begun(path: str | Path) -> RunFolder | None:
        """Return the run in a folder that can go on, None where nothing of one is stored."""
        run = RunFolder(Path(path))
        return run if run.is_begun and run.is_stored else None

    @staticmethod
    def open(path: str | Path) -> RunFolder:
        """Return the run in a folder."""
        path = Path(path)
        for name in _REQUIRED:
            if not (path / name).is_file():
                fact = f"{path} is not a run: it has no {name}"
                raise TrainError(fact, _runs_below(path), ExitCode.IO)
        return RunFolder(path)

    def refuse_another_start(self) -> None:
        """Raise where another process has begun the run anew since this one did."""
        if self.start and self.start != self._start:
            fact = f"another process has begun a run in {self.path} meanwhile"
            raise TrainError(fact, _ANOTHER, ExitCode.IO)

    @property
    def _start(self) -> tuple[object, ...]:
        """What a start writes, but for the settings, which the training itself may write anew."""
        return self.network, self.asked, self._read_json("settings.json", "made")

    @property
    def best(self) -> Path:
        """Where the weights of the best epoch lie."""
        return self.path / "best.safetensors"

    @property
    def last(self) -> Path:
        """Where the latest weights lie."""
        return self.path / "last.safetensors"

    @property
    def checkpoint(self) -> Path:
        """Where a training that is not finished goes on."""
        return self.path / "resume.pt"

    @property
    def is_begun(self) -> bool:
        """Say whether a training has begun here."""
        return (self.path / "settings.json").is_file()

    @property
    def is_finished(self) -> bool:
        """Say whether the training came to its end."""
        return (self.path / "summary.json").is_file()

    @property
    def is_stored(self) -> bool:
        """Say whether anything has come of the training: where it goes on, or what was learnt."""
        files = (self.checkpoint, self.last, self.path / _TABLES[0])
        return self.is_finished or any(file.exists() for file in files)

    @property
    def network(self) -> str:
        """The text of the network."""
        path = self.path / "network.arch"
        try:
            return read_file(path).decode()
        except UnicodeDecodeError as error:
            raise TrainError(f"{path} is damaged: it is not UTF-8") from error

    @property
    def settings(self) -> Settings:
        """The settings of the run."""
        record = self._read_json("settings.json", "settings")
        try:
            return restore(record)
        except (AttributeError, TypeError, ValueError, TrainError) as error:  # a number in quotes
            raise self._unread_settings(error) from error

    @property
    def undecided(self) -> Settings:
        """The settings to go on with: what the training itself decided is left open again.

        Another machine, or several processes, may have to decide otherwise.
        """
        is_open = self._read_json("settings.json").get("decided") == _DECIDED
        return replace(self.settings, compile=None) if is_open else self.settings

    def settle(self, settings: Settings) -> None:
        """Store the settings anew, all that was left open decided."""
        record = self._read_json("settings.json")
        settled = {**record, "settings": settings.record(), "decided": _DECIDED}
        self._write_json("settings.json", settled)

    @property
    def asked(self) -> Mapping[str, object]:
        """What the run is remembered by."""
        return self._read_json("settings.json", "asked")

    @property
    def origin(self) -> Origin:
        """All that decides what the run comes to."""
        made = self._read_json("settings.json", "made")
        return {**made, "network": self.network, **self.settings.record()}

    @property
    def device_name(self) -> str:
        """What a finished run was computed on; older runs do not tell."""
        return str(self._read_json("summary.json").get("device_name", ""))

    @property
    def rows(self) -> tuple[Row, ...]:
        """What the epochs came to."""
        metrics, speed = (self.path / name for name in _TABLES)
        learnt, took = (read_file(path).decode(errors="replace") for path in (metrics, speed))
        return read_rows(learnt, took, (str(metrics), str(speed)))

    def write_rows(self, rows: Sequence[Row]) -> None:
        """Store what the epochs came to."""
        for name, text in zip(_TABLES, (write_rows(rows), write_speed(rows)), strict=True):
            write_file(self.path / name, text.encode())

    def write_summary(self, summary: Summary, rows: Sequence[Row]) -> None:
        """Store the curves and what the training came to, which says that it is finished."""
        for suffix, content in draw_curves(rows, self.path.name).items():
            write_file(self.path / f"curves.{suffix}", content)
        self._write_json("summary.json", asdict(summary) | {"settings": summary.settings.record()})

    def _unread_settings(self, error: Exception) -> TrainError:
        """Return what to raise where settings cannot be read: of another version, or damaged."""
        path, here = self.path / "settings.json", version("netdsl")
        made = self._read_json("settings.json").get("made")
        there = made.get("netdsl", here) if isinstance(made, dict) else here
        if there == here:
            return TrainError(f"{path} is damaged: {error}")
        fact = f"{path} was written by netdsl {there}, and this is {here}: {error}"
        return TrainError(fact, f"install netdsl {there} to use this run")

    def _write_json(self, name: str, record: Mapping[str, object]) -> None:
        write_json(self.path / name, record)

    def _read_json(self, name: str, key: str | None = None) -> Mapping[str, object]:
        path = self.path / name
        try:
            record = dict(json.loads(read_file(path)))
        except (TypeError, ValueError) as error:
            raise TrainError(f"{path} is damaged: it is no JSON object") from error
        if key is None:
            return record
        found = record.get(key)
        if not isinstance(found, dict):
            raise TrainError(f"{path} is damaged: it has no {key}")
        return found


def new_folder(name: str) -> Path:
    """Make the first folder `runs/NAME-N` that is not there yet."""
    for number in itertools.count(1):
        path = _RUNS / f"{name}-{number}"
        if _made(path):
            return path
    raise AssertionError("numbers do not end")


def _refuse_unwritable(asked: Mapping[str, object]) -> None:
    """Raise where JSON cannot hold what a run is to be remembered by."""
    for key, value in asked.items():
        try:
            to_json({key: value})
        except (TypeError, ValueError) as error:
            fact = f"a run keeps what was asked as JSON, which cannot hold {key}"
            raise TrainError(f"{fact}: {first_line(error)}", None, ExitCode.USAGE) from error


def _empty(path: Path) -> Path:
    """Make a folder, or take one with nothing but what a start that came to nothing has left."""
    if _made(path):
        return path
    if not path.is_dir():
        raise TrainError(f"{path} is no folder", _ANOTHER, ExitCode.IO)
    if any(not _is_left(file) for file in path.iterdir()):
        raise TrainError(f"{path} is not empty", _way_out(path), ExitCode.IO)
    return path


def _way_out(path: Path) -> str:
    """Return what helps whoever wants to begin a run in a folder that is not empty."""
    run = RunFolder.begun(path)
    if run is None:
        return _ANOTHER
    if run.is_finished:
        return f"the run in it is finished: {_ANOTHER}"
    # NOTE: whoever typed --resume auto was too late: another process began the run meanwhile.
    free = "unless another process trains there now"
    return f"go on with the run in it, as it was begun, by --resume auto, {free}, or {_ANOTHER}"


def _runs_below(path: Path) -> str | None:
    """Return which runs lie in a folder that is none itself, as that of a training by stages."""
    found = sorted(str(file.parent) for file in path.glob(f"*/{_REQUIRED[0]}"))
    if not found:
        return None
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"name a run in it: {', '.join(found[:_SHOWN])}{more}"


def _is_left(file: Path) -> bool:
    return file.name in (*_REQUIRED, FAILED) or is_leftover(file)


def _made(path: Path) -> bool:
    """Make a folder and say so; say no where something of that name is."""
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.mkdir()
            return True
    except OSError as error:
        raise TrainError(f"cannot make {path}: {error.strerror}", None, ExitCode.IO) from error
    return False
