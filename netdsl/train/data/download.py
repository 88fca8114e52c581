"""An archive's addresses to its file: continued where it was cut, its hash checked."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from netdsl.train.data.archive import Archive, is_web_page
from netdsl.train.data.place import alone
from netdsl.train.data.told import Told
from netdsl.train.errors import ExitCode, TrainError

if TYPE_CHECKING:
    from requests import Response

MIRROR = "NETDSL_MIRROR"  # an address below which the archives lie, asked in place of their own
_TIMEOUT = 20  # seconds without a byte
_IDLE = 3  # attempts in a row that bring nothing further
_CHUNK = 2**14  # bytes; of a chunk that is cut nothing is kept
_SLACK = 2**20  # bytes; what is longer than the archive by more is not the archive


class _NotThere(Exception):
    """An address that does not give the file, and why."""


def addresses(archive: Archive) -> tuple[str, ...]:
    """Return where an archive can be had, the best address first."""
    mirror = os.environ.get(MIRROR)
    return (f"{mirror.rstrip('/')}/{archive.name}",) if mirror else archive.urls


def download(archive: Archive, folder: Path, downloaded: Told, urls: Sequence[str] = ()) -> Path:
    """Return the file of an archive in a folder; `urls` are asked in place of its own addresses.

    What an earlier attempt has brought is continued. A file of another hash is deleted.
    """
    faults = []
    with alone(folder / f".{archive.name}.lock"):
        for url in urls or addresses(archive):
            try:
                return _retrieve(url, archive, folder, downloaded)
            except _NotThere as error:
                faults.append(f"{urlsplit(url).netloc or url}: {error}")
    raise TrainError(
        f"cannot download {archive.name} ({archive.size / 1e6:,.0f} MB): {'; '.join(faults)}",
        f"bring {archive.urls[0]} to this machine another way and give `netdsl data get` "
        "its path with --from",
    )


def check_hash(path: Path, archive: Archive) -> None:
    """Raise unless a file is the archive that was published."""
    import pooch

    if not path.is_file():
        raise TrainError(f"{path} is not a file")
    if pooch.file_hash(str(path)) == archive.sha256:
        return
    size = path.stat().st_size
    if is_web_page(path):
        fact = "it is a web page"
    elif size < archive.size:
        fact = f"it has {size:,} bytes of {archive.size:,}"
    else:
        fact = "its sha256 is another one"
    raise TrainError(f"{path} is not {archive.name} as it was published: {fact}")


def _retrieve(url: str, archive: Archive, folder: Path, downloaded: Told) -> Path:
    """Let pooch place and check the file that comes from one address."""
    import pooch
    import requests

    part = folder / f"{archive.name}.part"
    continued = part.exists()
    pooch.get_logger().setLevel("ERROR")  # it tells in lines what `downloaded` tells in numbers
    try:
        found = pooch.retrieve(
            url, f"sha256:{archive.sha256}", archive.name, folder,
            downloader=lambda url, file, _: _bring(url, part, Path(file), archive, downloaded),
        )  # fmt: skip
    except requests.RequestException as error:
        raise _NotThere(_reason(error)) from error
    except ValueError as error:  # pooch: the hash is another one
        if continued:  # what was there may have been the beginning of another file
            return _retrieve(url, archive, folder, downloaded)
        raise _NotThere("another file lies there, its sha256 is wrong") from error
    except OSError as error:
        fact = f"cannot write to {folder}: {error.strerror}"
        raise TrainError(fact, exit_code=ExitCode.IO) from error
    return Path(found)


def _bring(url: str, part: Path, file: Path, archive: Archive, downloaded: Told) -> None:
    """Write what an address gives to a file, in as many attempts as bring something further."""
    import requests

    idle, begun = 0, False
    while True:
        before = _size(part)
        try:
            _attempt(url, part, archive, downloaded)
            break
        except requests.HTTPError:
            raise
        except requests.RequestException:
            idle = 0 if _size(part) > before else idle + 1
            begun |= not idle
            if not begun or idle > _IDLE:
                raise
            time.sleep(idle)
    shutil.move(part, file)


def _attempt(url: str, part: Path, archive: Archive, downloaded: Told) -> None:
    """Ask for what is missing, and append what comes."""
    import requests

    there = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={there}-"} if there else {})
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        if response.status_code == 416:  # nothing lies behind what is there: the hash will tell
            return
        response.raise_for_status()
        there = there if response.status_code == 206 else 0  # not every server continues
        length = response.headers.get("Content-Length")
        total = there + int(length) if length else archive.size
        if "html" in response.headers.get("Content-Type", "") or total > archive.size + _SLACK:
            raise _NotThere("a web page or another file lies there, not the archive")
        there = _append(response, part, there, lambda done: downloaded(done, total))
    if there < total:  # by what the server says, or else by what was published
        raise requests.exceptions.ChunkedEncodingError


def _append(response: Response, part: Path, there: int, told: Callable[[int], None]) -> int:
    with part.open("ab" if there else "wb") as file:
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk)
            there += len(chunk)
            told(there)
    return there


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer in {_TIMEOUT} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut again and again"
    return "no answer" if isinstance(error, requests.ConnectionError) else str(error)
