"""A data set that is not there to its folder: downloaded or handed in, checked, unpacked."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from netdsl.train.data.archive import Archive, extract, refuse_taken
from netdsl.train.data.dataset import Entry
from netdsl.train.data.download import check_hash, download
from netdsl.train.data.place import alone, data_folder
from netdsl.train.errors import ExitCode, TrainError

ToldWhat = Callable[[str, int, int], None]  # what is done, bytes of it so far, bytes in all


def bring(entry: Entry, place: Path, source: str | None, told: ToldWhat) -> Path:
    """Return where a data set lies in a folder, bringing it there if it is not.

    `source` is the address or the path of the archive, in place of the addresses that are known;
    a file that somebody has stays where it is, one that was downloaded is deleted when unpacked.
    """
    archive = entry.archive
    if archive is None:
        raise TrainError(f"{entry.name} needs no download", exit_code=ExitCode.USAGE)
    if found := entry.find(place):
        return found
    if place.is_file():
        raise missing(entry.name, place, archive)
    own = Path(source) if source and not re.match("https?://", source) else None
    if own:
        check_hash(own, archive)
    try:
        with alone(place / f".{entry.name}.lock"):  # who waited may find that it has been brought
            if found := entry.find(place):
                return found
            refuse_taken(place, archive)
            if own:
                return _unpacked(own, entry, archive, place, told)
            return _downloaded(entry, archive, place, (source,) if source else (), told)
    except OSError as error:
        fact = f"cannot write to {place}: {error.strerror}"
        raise TrainError(fact, None, ExitCode.IO) from error


def _downloaded(
    entry: Entry, archive: Archive, place: Path, urls: tuple[str, ...], told: ToldWhat
) -> Path:
    path = download(archive, place, lambda done, of: told("downloading", done, of), urls)
    folder = _unpacked(path, entry, archive, place, told)
    path.unlink(missing_ok=True)
    return folder


def _unpacked(path: Path, entry: Entry, archive: Archive, place: Path, told: ToldWhat) -> Path:
    folder = extract(path, archive, place, lambda done, of: told("unpacking", done, of))
    if entry.find(place) is None:
        raise TrainError(f"{path} did not hold all of {entry.name}")
    return folder


def missing(name: str, place: Path, archive: Archive) -> TrainError:
    """Return the error of a data set that is not where it was looked for."""
    if place.is_file():
        help = f"--data-dir names the folder that holds it, {archive.root}, or {archive.name}"
        return TrainError(f"{place} is not {name}", help)
    elsewhere = "" if place == data_folder() else f" --data-dir {shlex.quote(str(place))}"
    return TrainError(
        f"{name} is not in {place}",
        f"`netdsl data get {name}{elsewhere}` downloads {archive.name} "
        f"({archive.size / 1e6:,.0f} MB), or takes one that you have: --from {archive.name}",
    )
