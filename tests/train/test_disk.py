"""Files are replaced whole or not at all, wherever netdsl writes one."""

import errno
import os
import resource
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from netdsl.disk import replace_file, write_out
from netdsl.train.files import is_leftover


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(0o640)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a.txt"]  # noqa: PTH208


def test_several_threads_may_write_one_file(tmp_path: Path) -> None:
    path, contents = tmp_path / "a.txt", [bytes([letter]) * 100_000 for letter in b"abcd"]

    def write(content: bytes) -> None:
        for _ in range(20):
            replace_file(path, content)
            assert path.read_bytes() in contents

    with ThreadPoolExecutor(len(contents)) as pool:
        list(pool.map(write, contents))
    assert os.listdir(tmp_path) == ["a.txt"]  # noqa: PTH208


def test_what_is_written_beside_a_file_is_known_for_a_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[Path] = set()
    monkeypatch.setattr("os.fsync", lambda descriptor: seen.update(tmp_path.glob(".*")))
    for _ in range(2):
        replace_file(tmp_path / "a.txt", b"new")
    assert (len(seen), all(map(is_leftover, seen))) == (2, True)


@pytest.mark.parametrize("number", [0, errno.EINVAL, errno.ENOTSUP, errno.EIO])
def test_the_folder_is_put_on_the_disk_too_where_that_can_be_done(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append("folder" if is_folder else "file")
        if is_folder and number:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", fsync)
    raised = pytest.raises(OSError, match="Input/output") if number == errno.EIO else nullcontext()
    with raised:
        replace_file(tmp_path / "a.txt", b"new")
    assert synced == ["file", "folder"]
    assert (tmp_path / "a.txt").read_bytes() == b"new"


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_bytes() == b"new"


def test_a_device_is_written_into() -> None:
    write_out(Path(os.devnull), b"new")
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("fmt", "-w", "a.arch"), "a.arch"),
        (("source", "a.arch", "-o", "a.py"), "a.py"),
        (("draw", "a.arch", "-o", "a.dot"), "a.dot"),
    ],
)
def test_a_write_that_fails_leaves_the_file_as_it_was(
    arguments: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    text = "input 3x32x32\n" + ", ".join(["Conv 64"] * 400) + "\n"
    (tmp_path / "a.arch").write_text(text)
    if name != "a.arch":
        (tmp_path / name).write_text("old")
    before, names = (tmp_path / name).read_bytes(), sorted(os.listdir(tmp_path))  # noqa: PTH208
    done = subprocess.run(
        [sys.executable, "-m", "netdsl", *arguments], cwd=tmp_path, check=False,
        capture_output=True, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)),
    )  # fmt: skip
    assert done.stderr.endswith(f"error[E0606]: cannot write {name}: File too large\n")
    assert done.returncode == 6
    assert (tmp_path / name).read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == names  # noqa: PTH208


def test_what_is_asked_for_is_written_where_nothing_can_be_put_beside_it(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 250)  # a name beside it would be too long
    write_out(path, b"new")
    assert path.read_bytes() == b"new"
    (tmp_path / "one").write_bytes(b"old")
    os.link(tmp_path / "one", tmp_path / "other")
    write_out(tmp_path / "other", b"new")
    assert (tmp_path / "one").read_bytes() == b"new"


def test_standard_output_may_be_named_as_a_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "netdsl", "source", "net1", "-o", "/dev/stdout"], cwd=tmp_path,
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.startswith('"""')
    assert "class Net1" in done.stdout
