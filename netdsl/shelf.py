"""Names and paths to parsed sources: files, shipped architectures and their variants."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from textwrap import shorten

from netdsl.errors import fail
from netdsl.lower import Loader, Overrides
from netdsl.ops import CATALOGUE
from netdsl.suggest import closest
from netdsl.syntax import decode, parse, tree

SUFFIX = ".arch"
WEIGHTS = ".safetensors"
_SHOWN = 40  # characters of a text that was taken for a name
_NONE: Mapping[Path, bytes] = {}
_unwritten: ContextVar[Mapping[Path, bytes]] = ContextVar("files not written yet", default=_NONE)


@dataclass(frozen=True, slots=True)
class Arch:
    """A parsed file, where it came from, and the scale that its name stands for."""

    file: tree.File
    loader: Loader = field(default_factory=Loader)
    path: Path | None = None
    scale: str | None = None

    @property
    def name(self) -> str:
        """What diagnostics call the file by."""
        return self.file.span.source.name

    def with_overrides(self, overrides: Overrides) -> tuple[tree.File, Overrides, Loader]:
        """Return what `build` and `check` take.

        Raises `NetDSLError` where another scale is asked for than the name stands for.
        """
        if None not in (overrides.scale, self.scale) and overrides.scale != self.scale:
            message = f"`{self.scale}` is a scale itself, so `{overrides.scale}` cannot be chosen"
            assert self.path is not None
            raise fail("E0212", message, help=f"both are scales of `{self.path.stem}`")
        return self.file, replace(overrides, scale=overrides.scale or self.scale), self.loader


def open_arch(arch: str | Path) -> Arch:
    """Return the parsed file of a path, of a shipped architecture, or of one of its variants."""
    if not isinstance(arch, str | Path):
        raise fail("E0001", f"a network is named by a text or a path, not {type(arch).__name__}")
    path, scale = find(arch)
    try:
        data = _content(path)
    except OSError as error:
        is_shipped = path.suffix == SUFFIX and path.stem in {**shipped(), **variants()}
        help = f"the network that comes along is called `{path.stem}`" if is_shipped else None
        raise fail("E0001", f"cannot read {arch}: {error.strerror}", help=help) from None
    name = str(arch) if path == Path(arch) else path.name
    return replace(
        read_bytes(data, name), loader=Loader(path.parent.resolve()), path=path, scale=scale
    )


def _refuse_trained(path: Path) -> None:
    """Raise for a run folder and a file of weights: they hold more than the text of a network."""
    help = "in Python `netdsl.load_trained` opens it as it was trained"
    if path.suffix == WEIGHTS and _is_file(path):
        raise fail("E0001", f"{path} is a file of weights", help=help)
    if _is_file(path / f"network{SUFFIX}"):
        message = f"{path} is a run, whose network is {path / f'network{SUFFIX}'}"
        raise fail("E0001", message, help=help)


@contextlib.contextmanager
def as_if_written(files: Mapping[Path, bytes]) -> Iterator[None]:
    """Open these files, by their resolved paths, as if they held this, while this lasts."""
    token = _unwritten.set(files)
    try:
        yield
    finally:
        _unwritten.reset(token)


def _content(path: Path) -> bytes:
    unwritten = _unwritten.get()
    found = unwritten.get(path.resolve()) if unwritten else None
    return path.read_bytes() if found is None else found


def read_bytes(data: bytes, name: str) -> Arch:
    """Return the parsed source of raw bytes; `name` is what diagnostics call it by."""
    return Arch(parse(decode(data, name), name))


def shipped() -> dict[str, Path]:
    """Return the architectures that come with netdsl, by name: of reports, of papers, the zoo."""
    folder = Path(str(files("netdsl.architectures")))
    shelves = [
        sorted(folder.glob(f"{shelf}*{SUFFIX}")) for shelf in ("", "classics/", "torchvision/")
    ]
    return {path.stem: path for shelf in shelves for path in shelf}


def variants() -> dict[str, Path]:
    """Return the shipped scales, by name: `resnet56` is a scale of resnet-cifar."""
    found: dict[str, Path] = {}
    for path in shipped().values():
        for name in re.findall(r"^ *scale +([a-z][a-z0-9_]*) *\(", path.read_text("utf-8"), re.M):
            found.setdefault(name, path)
    return found


def find(arch: str | Path) -> tuple[Path, str | None]:
    """Return the file of an architecture, and its scale if the name is one of a shipped file's."""
    path, name = Path(arch), str(arch)
    a_file = _is_file(path)
    if not a_file and path.suffix != SUFFIX and _looks_like_a_text(name):
        begun = shorten(name, _SHOWN, placeholder=" …")
        message = f"no file and no shipped architecture `{begun}`, which looks like a text"
        help = (
            "write it to a file; `netdsl.parse` reads texts, and commands do: "
            "echo 'Conv 8' | netdsl build -"
        )
        raise fail("E0001", message, help=help)
    if a_file or path.suffix == SUFFIX or len(path.parts) > 1:
        _refuse_trained(path)
        return path, None
    files, scales = shipped(), variants()
    if name in files:
        return files[name], None
    if name in scales:
        return scales[name], name
    _refuse_trained(path)
    beside = f"{name}{SUFFIX}"
    near = beside if _is_file(Path(beside)) else closest(name, (*files, *scales))
    meant = f"did you mean `{near}`?" if near else f"shipped are {', '.join(files)}"
    raise fail("E0001", f"no file and no shipped architecture `{arch}`; {meant}")


def _is_file(path: Path) -> bool:
    """Say whether there is a file, or a pipe; a folder may have the name of a network."""
    try:
        return path.exists() and not path.is_dir()
    except OSError:  # the name is too long for any file
        return False


def _looks_like_a_text(name: str) -> bool:
    """Say whether a name is more than one word, among them that of a layer."""
    layers = re.findall(r"[A-Z][A-Za-z]*", name)
    return len(name.split()) > 1 and not CATALOGUE.keys().isdisjoint(layers)
