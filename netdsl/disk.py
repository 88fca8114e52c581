"""Bytes to a file that is either the old one or the new one, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

# What folders say that cannot be put on the disk by themselves, as those of SMB and FUSE.
_NO_FOLDERS = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_NO_ROOM_BESIDE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG}


def replace_file(path: Path, content: bytes | memoryview) -> None:
    """Replace a file, or leave it as it was: written beside it, put on the disk, then renamed.

    Of several that write it at once the last one to finish wins. A link is followed, and a file
    keeps its permissions. Raises `OSError`.
    """
    path = Path(os.path.realpath(path))
    # NOTE: not `tempfile`, whose files are closed to others whatever the umask lets them.
    beside = path.with_name(f".{path.name}.{secrets.randbits(48)}.tmp")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
        _sync_folder(path.parent)
    finally:
        with suppress(OSError):  # the error before says more
            beside.unlink(missing_ok=True)


def write_out(path: Path, content: bytes) -> None:
    """Write what somebody asked for: as `replace_file` does, and in place where that cannot be.

    So are devices and pipes, files with several names, and those of a folder that takes no more.
    """
    if path.exists() and (not path.is_file() or path.stat().st_nlink > 1):
        path.write_bytes(content)
        return
    try:
        replace_file(path, content)
    except OSError as error:
        if error.errno not in _NO_ROOM_BESIDE:
            raise
        path.write_bytes(content)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # other systems open no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDERS:
            raise
    finally:
        os.close(descriptor)
