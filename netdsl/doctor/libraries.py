"""The libraries to findings: are they there, do they start, do they fit each other."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from netdsl.doctor.child import Answer
from netdsl.doctor.finding import Finding, fault, note, ok

LIBRARIES = ("numpy", "PIL", "safetensors", "matplotlib", "torch", "torchvision")
_SAFE = (2, 10)  # loading weights can run code below: CVE-2026-24747
_TOGETHER = "pip install --upgrade --force-reinstall torch torchvision"
# What a library says that fails at its import, and the way out.
_KNOWN = (
    (r"torchvision::\w+ does not exist|Couldn't load custom C\+\+ ops",
     f"this torchvision is built for another torch: {_TOGETHER}"),
    (r"compiled using NumPy 1\.x|_ARRAY_API not found|numpy\.core\.multiarray failed|"
     r"numpy\.dtype size changed",
     "it is built for another NumPy: pip install --upgrade {name}, or pip install 'numpy<2'"),
    (r"No module named", "pip install {package}"),
    (r"GLIBC(XX)?_[\d.]+. not found",
     "the C library here is older than this build: take an older version of {package}"),
    (r"lib(cu|nv|nccl)\S*\.so\S*: cannot open",
     "libraries of CUDA are missing beside it: pip install --force-reinstall {package}"),
    (r"SIGILL", "the processor lacks instructions that this build uses: install another build "
     "of {package}"),
    (r"libgomp|libomp|libiomp5|OMP: Error",
     "two OpenMP runtimes are in the way of each other: install all libraries by pip, or all by "
     "conda"),
)  # fmt: skip


def look(answers: Mapping[str, Answer]) -> Iterator[Finding]:
    """Give what is to be said of each library, then what is to be said of pairs of them."""
    for name, answer in answers.items():
        yield _library(name, answer)
    torch, torchvision = answers["torch"], answers["torchvision"]
    if torch.failure is None:
        yield from _torch(torch)
        if torchvision.failure is None:
            yield from _pair(torch.facts["version"], torchvision.facts["version"])


def devices(torch: Answer, root: Path = Path("/")) -> Finding:
    """Return which devices torch can compute on, or why not on the GPU that is there."""
    facts = torch.facts
    if torch.failure is not None:
        return note("devices", "unknown: torch does not start")
    if facts["gpus"]:
        return ok("devices", f"cpu, cuda: {'; '.join(facts['gpus'])}")
    if facts["mps"]:
        return ok("devices", "cpu, mps")
    if _has_driver(root) and facts["cuda"] is None and facts["hip"] is None:
        return fault(
            "devices",
            f"there is a driver for NVIDIA GPUs, but torch {facts['version']} computes on CPUs "
            "alone",
            f"{_TOGETHER} --index-url of a CUDA build, see https://pytorch.org",
        )
    if _has_driver(root) and facts["cuda"] is not None:
        return fault(
            "devices", f"there is a driver for NVIDIA GPUs, but torch finds none{_why(torch.said)}",
            f"update the driver to one of CUDA {facts['cuda']}, or install a torch of an older "
            "CUDA; CUDA_VISIBLE_DEVICES may hide the GPUs",
        )  # fmt: skip
    return ok("devices", "cpu")


def _library(name: str, answer: Answer) -> Finding:
    topic = name.lower().replace("pil", "pillow")
    if answer.failure is not None:
        return fault(topic, f"cannot be imported: {answer.failure}", _way_out(name, answer))
    if (known := _match(answer.said)) is not None:  # torch starts with another NumPy, and warns
        text = f"{answer.facts['version']} starts, but complains: {_first(answer.said)}"
        return fault(topic, text, known.format(name=topic, package=topic))
    if answer.facts.get("works") is False:
        return fault(topic, f"{answer.facts['version']} computes something wrong", _TOGETHER)
    return ok(topic, str(answer.facts["version"]))


def _torch(torch: Answer) -> Iterator[Finding]:
    version = torch.facts["version"]
    if _numbers(version)[:2] < _SAFE:
        yield fault(
            "torch", f"{version} can be made to run code by a file of weights (CVE-2026-24747)",
            "pip install --upgrade torch torchvision",
        )  # fmt: skip
    runtimes = [Path(path).name for path in torch.facts["openmp"]]
    if len(runtimes) > 1:
        yield fault(
            "openmp", f"{len(runtimes)} OpenMP runtimes are loaded: {', '.join(runtimes)}",
            "threads get in each other's way: install torch and numpy from one place, both by pip "
            "or both by conda, and unset LD_PRELOAD",
        )  # fmt: skip


def _pair(torch: str, torchvision: str) -> Iterator[Finding]:
    asked = needs("torchvision", "torch")
    if asked is not None and not fits(torch, asked):
        yield fault(
            "torchvision",
            f"{torchvision} is built for torch {asked.removeprefix('==')}, and torch is {torch}",
            _TOGETHER,
        )


def needs(name: str, other: str) -> str | None:
    """Return which versions of another library the installed one asks for, such as `==2.10.0`."""
    try:
        asked = requires(name) or []
    except PackageNotFoundError:
        return None
    for line in asked:
        found = re.fullmatch(rf"{re.escape(other)} *\(?([=<>!~0-9][^;()]*)\)? *", line)
        if found:
            return found[1].replace(" ", "")
    return None


def fits(version: str, asked: str) -> bool:
    """Say whether a version is among those asked for; what is not understood fits.

    >>> fits("2.15.0+cu132", "==2.15.0"), fits("2.9.1", ">=2.14.0"), fits("2.9.1", "!=2.9.*,<3")
    (True, False, True)
    """
    mine = _numbers(version)
    for part in asked.split(","):
        found = re.fullmatch(r"(==|>=|<)([0-9.]+)", part)
        if found:
            other = _numbers(found[2])
            holds = {"==": mine[: len(other)] == other, ">=": mine >= other, "<": mine < other}
            if not holds[found[1]]:
                return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(n) for n in found[0].split(".")) if found else ()


def _way_out(name: str, answer: Answer) -> str:
    package = name.lower().replace("pil", "pillow")
    known = _match(f"{answer.failure}\n{answer.said}")
    return (known or "pip install --force-reinstall {package}").format(name=name, package=package)


def _match(text: str) -> str | None:
    return next((help for pattern, help in _KNOWN if re.search(pattern, text)), None)


def _first(said: str) -> str:
    return next((line.strip() for line in said.splitlines() if line.strip()), "")


def _why(said: str) -> str:
    found = re.search(r"UserWarning: (CUDA initialization: )?(.*?)[.(\n]", said)
    return f": {found[2].strip()}" if found else ""


def _has_driver(root: Path) -> bool:
    there = (root / "proc/driver/nvidia/version").exists() or (root / "dev/nvidiactl").exists()
    return there or (root == Path("/") and shutil.which("nvidia-smi") is not None)
