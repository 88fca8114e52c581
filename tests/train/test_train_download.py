"""Downloads from a server of our own: cut, continued, moved, wrong, gone."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from netdsl.train import DATA_SETS, ExitCode, TrainError
from netdsl.train.data.archive import Archive
from netdsl.train.data.bring import bring
from netdsl.train.data.dataset import Entry
from netdsl.train.data.download import download

CONTENT = np.random.default_rng(0).bytes(1_000_000)


@dataclass
class Server:
    """What a server gives, and what it was asked for: the first byte of each request."""

    url: str = ""
    content: bytes = CONTENT
    kind: str = "application/zip"
    continues: bool = True
    tells_length: bool = True
    cuts: list[int] = field(default_factory=list)  # bytes after which a request is cut
    asked: list[int] = field(default_factory=list)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            first = int(self.headers.get("Range", "bytes=0-")[6:-1])
            server.asked.append(first)
            if self.path == "/gone.zip":
                self.send_error(404)
                return
            if first and not server.continues:
                first = 0
            if first >= len(server.content):
                self.send_error(416)
                return
            self.send_response(206 if first else 200)
            self.send_header("Content-Type", server.kind)
            if server.tells_length:
                self.send_header("Content-Length", str(len(server.content) - first))
            self.end_headers()
            until = first + server.cuts.pop(0) if server.cuts else len(server.content)
            self.wfile.write(server.content[first:until])

        def log_message(self, *arguments: object) -> None: ...

    return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    found = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    monkeypatch.setattr(http, "handle_error", lambda request, address: None)  # clients that leave
    found.url = f"http://127.0.0.1:{http.server_port}"
    monkeypatch.delenv("NETDSL_MIRROR")
    monkeypatch.setattr("netdsl.train.data.download.time.sleep", lambda seconds: None)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield found
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def archive(server: Server) -> Archive:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    urls = (f"{server.url}/d.zip",)
    return Archive("d.zip", len(CONTENT), sha256, urls, "d", r"\w+\.txt", 20, 5_000)


def _get(archive: Archive, folder: Path, *urls: str) -> bytes:
    path = download(archive, folder, lambda done, total: None, urls)
    assert {path.name for path in folder.iterdir()} == {"d.zip", ".d.zip.lock"}
    return path.read_bytes()


def test_a_file_is_downloaded_and_told_of(archive: Archive, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    download(archive, tmp_path / "new", lambda *done: told.append(done))
    assert told == sorted(told)
    assert told[-1] == (1_000_000, 1_000_000)


def test_a_cut_download_goes_on_by_itself(server: Server, archive: Archive, tmp_path: Path) -> None:
    server.cuts = [294_912, 196_608, 16_384]
    assert _get(archive, tmp_path) == CONTENT
    assert server.asked == [0, 294_912, 491_520, 507_904]


def test_a_cut_download_goes_on_where_the_server_tells_no_length(
    server: Server, archive: Archive, tmp_path: Path
) -> None:
    server.tells_length, server.cuts = False, [294_912]
    assert _get(archive, tmp_path) == CONTENT
    assert server.asked == [0, 294_912]


def test_a_download_goes_on_where_another_process_was_killed(
    server: Server, archive: Archive, tmp_path: Path
) -> None:
    (tmp_path / "d.zip.part").write_bytes(CONTENT[:400_000])
    assert _get(archive, tmp_path) == CONTENT
    assert server.asked == [400_000]


def test_a_connection_that_stays_away_leaves_what_came(
    server: Server, archive: Archive, tmp_path: Path
) -> None:
    server.cuts = [294_912, 0, 0, 0, 0, 0]
    with pytest.raises(
        TrainError, match=r"127\.0\.0\.1:[0-9]+: the connection was cut again and again\n"
    ):
        download(archive, tmp_path, lambda done, total: None)
    assert (tmp_path / "d.zip.part").read_bytes() == CONTENT[:294_912]
    server.cuts.clear()
    assert _get(archive, tmp_path) == CONTENT
    assert server.asked[-1] == 294_912


def test_a_server_that_cannot_continue_is_asked_for_all(
    server: Server, archive: Archive, tmp_path: Path
) -> None:
    server.continues = False
    (tmp_path / "d.zip.part").write_bytes(CONTENT[:400_000])
    assert _get(archive, tmp_path) == CONTENT


@pytest.mark.parametrize("size", [500_000, 1_000_000, 1_200_000])
def test_the_beginning_of_another_file_is_thrown_away(
    archive: Archive, tmp_path: Path, size: int
) -> None:
    (tmp_path / "d.zip.part").write_bytes(bytes(size))
    assert _get(archive, tmp_path) == CONTENT


def test_a_whole_file_that_was_not_yet_named_is_not_asked_for_again(
    server: Server, archive: Archive, tmp_path: Path
) -> None:
    (tmp_path / "d.zip.part").write_bytes(CONTENT)
    assert _get(archive, tmp_path) == CONTENT
    assert server.asked == [1_000_000]


def test_a_file_of_another_hash_is_deleted(
    server: Server, archive: Archive, tmp_path: Path
) -> None:
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(TrainError) as caught:
        download(archive, tmp_path, lambda done, total: None)
    where = server.url.removeprefix("http://")
    assert str(caught.value) == (
        f"cannot download d.zip (1 MB): {where}: another file lies there, its sha256 is wrong"
    )
    assert [path.name for path in tmp_path.iterdir()] == [".d.zip.lock"]


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/zip"])
def test_a_web_page_is_not_taken_for_the_file(
    server: Server, archive: Archive, tmp_path: Path, kind: str
) -> None:
    server.content, server.kind = b"<html>302 Found</html>", kind
    with pytest.raises(TrainError, match="another file lies there"):
        download(archive, tmp_path, lambda done, total: None)
    assert [path.name for path in tmp_path.iterdir()] == [".d.zip.lock"]


def test_a_file_that_does_not_end_is_not_read_to_its_end(
    server: Server, archive: Archive, tmp_path: Path
) -> None:
    server.content = bytes(5_000_000)
    with pytest.raises(TrainError, match="another file lies there"):
        download(archive, tmp_path, lambda done, total: None)
    assert [path.name for path in tmp_path.iterdir()] == [".d.zip.lock"]


def test_mirrors_are_asked_in_turn(server: Server, archive: Archive, tmp_path: Path) -> None:
    urls = ("http://127.0.0.1:9/d.zip", f"{server.url}/gone.zip", f"{server.url}/d.zip")
    assert _get(replace(archive, urls=urls), tmp_path) == CONTENT
    assert server.asked == [0, 0]


def test_without_a_network_one_line_says_how_to_bring_the_file(
    archive: Archive, tmp_path: Path
) -> None:
    urls = ("http://127.0.0.1:9/d.zip", "http://localhost:9/d.zip")
    with pytest.raises(TrainError) as caught:
        download(replace(archive, urls=urls), tmp_path, lambda done, total: None)
    assert str(caught.value) == (
        "cannot download d.zip (1 MB): 127.0.0.1:9: no answer; localhost:9: no answer"
    )
    assert caught.value.help == (
        "bring http://127.0.0.1:9/d.zip to this machine another way and give `netdsl data get` "
        "its path with --from"
    )


def test_a_mirror_of_ones_own_is_asked_instead(
    server: Server, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETDSL_MIRROR", f"{server.url}/")
    assert _get(replace(archive, urls=("http://127.0.0.1:9/d.zip",)), tmp_path) == CONTENT


@pytest.fixture
def published(tiny_zip: Path, server: Server) -> Entry:
    """Tiny ImageNet, as if the small one were what is published."""
    server.content = tiny_zip.read_bytes()
    entry = DATA_SETS["tiny-imagenet"]
    archive = replace(
        entry.archive, size=len(server.content), urls=(f"{server.url}/tiny-imagenet-200.zip",),
        sha256=hashlib.sha256(server.content).hexdigest(),
    )  # fmt: skip
    return replace(entry, archive=archive)


def test_a_data_set_is_downloaded_and_unpacked_once(
    published: Entry, server: Server, tmp_path: Path
) -> None:
    place, told = tmp_path / "place", []
    found = bring(published, place, None, lambda *done: told.append(done[0]))
    assert found == place / "tiny-imagenet-200"
    assert set(told) == {"downloading", "unpacking"}
    visible = [path.name for path in place.iterdir() if not path.name.startswith(".")]
    assert visible == ["tiny-imagenet-200"]
    assert bring(published, place, None, lambda *done: None) == found
    assert server.asked == [0]
    assert published.open(_request(place)).labels[-1] == -1


def test_nothing_is_downloaded_into_the_place_of_what_is_there(
    published: Entry, server: Server, tmp_path: Path
) -> None:
    own = tmp_path / "place" / "tiny-imagenet-200" / "my-notes.txt"
    own.parent.mkdir(parents=True)
    own.touch()
    with pytest.raises(TrainError) as caught:
        bring(published, tmp_path / "place", None, lambda *done: None)
    fact = f"{own.parent} is there already, and does not hold what tiny-imagenet-200.zip does"
    assert (str(caught.value), server.asked, own.exists()) == (fact, [], True)


def _request(place: Path) -> object:
    from netdsl.train.data.dataset import Request

    return Request(place)


def test_an_archive_that_one_has_is_taken_and_kept(
    published: Entry, tiny_zip: Path, server: Server, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    assert bring(published, place, str(tiny_zip), lambda *done: None).is_dir()
    assert (tiny_zip.is_file(), server.asked) == (True, [])


def test_another_address_may_be_given(published: Entry, server: Server, tmp_path: Path) -> None:
    address = f"{server.url}/elsewhere"
    assert bring(published, tmp_path / "place", address, lambda *done: None).is_dir()


@pytest.mark.parametrize("own", [True, False])
def test_a_place_that_cannot_be_made_is_named(
    published: Entry, tiny_zip: Path, tmp_path: Path, own: bool
) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "place"
    with pytest.raises(TrainError) as caught:
        bring(published, place, str(tiny_zip) if own else None, lambda *done: None)
    assert str(caught.value) == f"cannot write to {place}: Not a directory"
    assert caught.value.exit_code == ExitCode.IO


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_disk_that_fills_while_a_file_is_downloaded_is_told_of(
    archive: Archive, tmp_path: Path
) -> None:
    (tmp_path / "d.zip.part").symlink_to("/dev/full")
    with pytest.raises(TrainError) as caught:
        download(archive, tmp_path, lambda done, total: None)
    assert str(caught.value) == f"cannot write to {tmp_path}: No space left on device"
    assert caught.value.exit_code == ExitCode.IO


def test_another_file_is_refused(published: Entry, tmp_path: Path) -> None:
    path = tmp_path / "tiny.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny-imagenet-200/wnids.txt", bytes(1_000_000))
    with pytest.raises(TrainError, match=r"is not tiny-imagenet-200\.zip as it was published"):
        bring(published, tmp_path / "place", str(path), lambda *done: None)
    assert not (tmp_path / "place").exists()
