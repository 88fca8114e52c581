"""`netdsl doctor`: every known fault is made, in libraries that only pretend, and is named."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netdsl.doctor import Finding, libraries, machine, places
from netdsl.doctor.child import Answer, ask
from netdsl.doctor.libraries import LIBRARIES

TORCH = {"version": "2.15.0", "cuda": None, "hip": None, "gpus": [], "mps": False, "openmp": []}
FINE = {**{name: Answer({"version": "3.1"}) for name in LIBRARIES}, "torch": Answer(TORCH)}
Fake = Callable[[str, str], None]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Put a library before the real one, where child processes find it first."""
    monkeypatch.syspath_prepend(tmp_path / "fakes")

    def make(name: str, code: str) -> None:
        (tmp_path / "fakes").mkdir(exist_ok=True)
        (tmp_path / "fakes" / f"{name}.py").write_text(code)

    return make


def look(name: str) -> Finding:
    """Try one library and leave all others as they should be."""
    answer = ask("netdsl.doctor.library_facts", name)
    found = libraries.look({**FINE, name: answer})
    return next(finding for finding in found if finding.topic == name.lower())


class TestLibraries:
    @pytest.fixture(autouse=True)
    def _pair(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What torchvision needs is that of `TORCH`, whatever is installed here."""
        monkeypatch.setattr(libraries, "needs", lambda name, other: "==2.15.0")

    def test_a_torchvision_of_another_torch(self, fake: Fake) -> None:
        fake("torchvision", 'raise RuntimeError("operator torchvision::nms does not exist")')
        assert look("torchvision") == Finding(
            "fault", "torchvision",
            "cannot be imported: RuntimeError: operator torchvision::nms does not exist",
            "this torchvision is built for another torch: "
            "pip install --upgrade --force-reinstall torch torchvision",
        )  # fmt: skip

    def test_a_torch_that_is_not_there(self, fake: Fake) -> None:
        fake("torch", "raise ModuleNotFoundError(\"No module named 'torch'\")")
        assert look("torch") == Finding(
            "fault", "torch",
            "cannot be imported: ModuleNotFoundError: No module named 'torch'",
            "pip install torch",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("signal", "help"),
        [
            ("SIGSEGV", "pip install --force-reinstall torch"),
            ("SIGILL", "the processor lacks instructions that this build uses: install another "
             "build of torch"),
        ],
    )  # fmt: skip
    def test_a_torch_that_crashes(self, fake: Fake, signal: str, help: str) -> None:
        fake("torch", f"import os, signal; os.kill(os.getpid(), signal.{signal})")
        text = f"cannot be imported: crashed with {signal}"
        assert look("torch") == Finding("fault", "torch", text, help)

    def test_a_torch_that_does_not_answer(self, fake: Fake) -> None:
        fake("torch", "import time; time.sleep(60)")
        answer = ask("netdsl.doctor.library_facts", "torch", seconds=0.5)
        assert answer == Answer(failure="no answer within 0.5 seconds")

    def test_a_library_built_for_another_numpy(self, fake: Fake) -> None:
        fake("matplotlib", 'raise ImportError("numpy.core.multiarray failed to import")')
        assert look("matplotlib").help == (
            "it is built for another NumPy: pip install --upgrade matplotlib, or pip install "
            "'numpy<2'"
        )

    def test_a_library_that_starts_with_another_numpy_and_complains(self, fake: Fake) -> None:
        said = "A module that was compiled using NumPy 1.x cannot be run in NumPy 2.4.6"
        fake("safetensors", f"import sys; __version__ = '0.5'; sys.stderr.write('{said}\\n')")
        finding = look("safetensors")
        assert (finding.state, finding.text) == ("fault", f"0.5 starts, but complains: {said}")

    def test_a_torch_whose_files_of_weights_run_code(self) -> None:
        old = {**FINE, "torch": Answer({**TORCH, "version": "2.9.1+cpu"})}
        assert Finding(
            "fault", "torch",
            "2.9.1+cpu can be made to run code by a file of weights (CVE-2026-24747)",
            "pip install --upgrade torch torchvision",
        ) in list(libraries.look(old))  # fmt: skip
        assert [f for f in libraries.look(FINE) if f.state != "ok"] == []

    def test_versions_that_do_not_match(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(libraries, "needs", lambda name, other: "==2.10.0")
        pair = [f for f in libraries.look(FINE) if f.state == "fault"]
        assert [f.text for f in pair] == ["3.1 is built for torch 2.10.0, and torch is 2.15.0"]

    def test_two_openmp_runtimes(self) -> None:
        two = [f"/lib/{name}.so.5" for name in ("libgomp-a34b3233", "libiomp5")]
        found = libraries.look({**FINE, "torch": Answer({**TORCH, "openmp": two})})
        (finding,) = [f for f in found if f.state == "fault"]
        assert finding.text == (
            "2 OpenMP runtimes are loaded: libgomp-a34b3233.so.5, libiomp5.so.5"
        )

    def test_the_real_ones_are_fine_together(self) -> None:
        torchvision = ask("netdsl.doctor.library_facts", "torchvision")
        assert (torchvision.failure, torchvision.facts["works"]) == (None, True)


class TestDevices:
    def test_a_torch_for_cpus_beside_a_driver(self, tmp_path: Path) -> None:
        (tmp_path / "dev").mkdir()
        (tmp_path / "dev" / "nvidiactl").touch()
        finding = libraries.devices(Answer(TORCH), tmp_path)
        assert (finding.state, finding.text) == (
            "fault",
            "there is a driver for NVIDIA GPUs, but torch 2.15.0 computes on CPUs alone",
        )

    def test_a_driver_that_is_too_old(self, tmp_path: Path) -> None:
        (tmp_path / "proc/driver/nvidia").mkdir(parents=True)
        (tmp_path / "proc/driver/nvidia/version").touch()
        said = (
            "/torch/cuda/__init__.py:174: UserWarning: CUDA initialization: The NVIDIA driver on "
            "your system is too old (found version 11040). Please update\n"
        )
        finding = libraries.devices(Answer({**TORCH, "cuda": "13.0"}, said), tmp_path)
        assert (finding.state, finding.text) == (
            "fault",
            "there is a driver for NVIDIA GPUs, but torch finds none: "
            "The NVIDIA driver on your system is too old",
        )

    def test_what_is_there(self, tmp_path: Path) -> None:
        gpu = {**TORCH, "gpus": ["NVIDIA H200, 150 GB"]}
        assert libraries.devices(Answer(gpu), tmp_path).text == "cpu, cuda: NVIDIA H200, 150 GB"
        assert libraries.devices(Answer({**TORCH, "mps": True}), tmp_path).text == "cpu, mps"
        assert libraries.devices(Answer(TORCH), tmp_path).text == "cpu"
        lost = libraries.devices(Answer(failure="x"), tmp_path)
        assert lost == Finding("note", "devices", "unknown: torch does not start")


class TestMachine:
    def test_threads_that_a_variable_withholds(self, tmp_path: Path) -> None:
        finding = machine.threads({"OMP_NUM_THREADS": "1"}, 8, tmp_path)
        assert (finding.state, finding.text) == (
            "note", "OMP_NUM_THREADS is 1, and 8 cores may be used",
        )  # fmt: skip
        assert machine.threads({"OMP_NUM_THREADS": "1"}, 1, tmp_path).text == "1 core may be used"
        assert machine.threads({}, 8, tmp_path).state == "ok"

    @pytest.mark.parametrize(
        ("line", "files"),
        [
            ("0::/user/me", {"sys/fs/cgroup/user/cpu.max": "150000 100000\n"}),
            ("4:cpu,cpuacct:/me", {
                "sys/fs/cgroup/cpu/me/cpu.cfs_quota_us": "150000\n",
                "sys/fs/cgroup/cpu/me/cpu.cfs_period_us": "100000\n",
            }),
        ],
        ids=["version 2, of a group around it", "version 1"],
    )  # fmt: skip
    def test_cores_that_a_control_group_withholds(
        self, line: str, files: dict[str, str], tmp_path: Path
    ) -> None:
        for name, text in {"proc/self/cgroup": f"{line}\n", **files}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        assert machine.threads({}, 8, tmp_path) == Finding(
            "note", "threads", "the control group leaves 1.5 of 8 cores",
            "more threads than that wait for each other: a training takes 2",
        )  # fmt: skip

    @pytest.mark.parametrize(("said", "text"), [
        ("1", "OMP_NUM_THREADS is 1, and 2 cores may be used"),
        ("2", "the control group leaves 2 of 8 cores"),
    ])  # fmt: skip
    def test_a_variable_below_what_the_control_group_leaves(
        self, said: str, text: str, tmp_path: Path
    ) -> None:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text("0::/\n")
        (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
        (tmp_path / "sys/fs/cgroup/cpu.max").write_text("200000 100000\n")
        assert machine.threads({"OMP_NUM_THREADS": said}, 8, tmp_path).text == text

    def test_who_hands_memory_out(self) -> None:
        preloaded = {"LD_PRELOAD": "/usr/lib/libjemalloc.so.2"}
        assert machine.allocator(preloaded, "glibc").text == "jemalloc, by LD_PRELOAD"
        assert machine.allocator(preloaded | {"NETDSL_MALLOC": "off"}, "glibc").state == "ok"
        assert machine.allocator({}, "glibc") == Finding("ok", "allocator", "glibc")
        assert machine.allocator({"NETDSL_MALLOC": "off"}, "glibc") == Finding(
            "note", "allocator", "glibc, which is not tuned: NETDSL_MALLOC is off",
            "a training faults its pages in at every step: unset it",
        )  # fmt: skip
        assert machine.allocator({"NETDSL_MALLOC": "on"}, "glibc").state == "ok"

    def test_memory_that_is_short(self) -> None:
        assert (
            machine.memory(Answer({"memory": 3 * 10**8})).text == "only 0.3 GB may still be taken"
        )
        assert machine.memory(Answer({"memory": 3 * 10**9})).state == "ok"
        assert machine.memory(Answer(failure="x")).state == "note"

    def test_a_python_that_keeps_changes_from_the_compiler(self) -> None:
        (finding,) = machine.interpreter((3, 13, 0))
        assert (finding.state, finding.topic) == ("note", "compiler")
        assert [*machine.interpreter((3, 13, 1)), *machine.interpreter((3, 12, 9))] == []

    def test_a_compiler_that_is_not_there(self) -> None:
        assert machine.compiler({"CXX": "no-such-compiler"}).text == (
            "CXX names no-such-compiler, which is not there"
        )

    def test_precision_is_what_trainings_take(self) -> None:
        bf16 = Answer({"device": "cpu", "precision": "bf16"})
        assert machine.precision(bf16).text == "bf16, which cpu is faster in"
        fp32 = replace(bf16, facts={"device": "cpu", "precision": "fp32"})
        assert machine.precision(fp32).text == "fp32: cpu is not faster in bf16"


class TestPlaces:
    def facts(self, place: Path) -> Answer:
        found = {"cifar10": "", "tiny-imagenet": str(place / "tiny-imagenet-200")}
        return Answer({"place": str(place), "found": found, "decoded": str(place / "decoded")})

    def test_data_sets_and_decoded_images(self, tmp_path: Path) -> None:
        (tmp_path / "decoded" / "digits-1").mkdir(parents=True)
        (tmp_path / "decoded" / "digits-1" / "pixels").write_bytes(bytes(2 * 10**8))
        sets, cache = places.data(self.facts(tmp_path))
        assert sets == Finding(
            "ok", "data", f"in {tmp_path}: tiny-imagenet; `netdsl data get` brings cifar10"
        )
        assert cache.text.startswith(f"1 decoded, 0.2 GB, in {tmp_path / 'decoded'}; ")

    def test_a_data_folder_that_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        path = tmp_path / "file" / "data"
        faults = [f for f in places.data(self.facts(path)) if f.state == "fault"]
        assert faults[0] == Finding(
            "fault", "data folder", f"{path} cannot be used: {tmp_path / 'file'} is no folder",
            "let NETDSL_DATA name a folder of yours",
        )  # fmt: skip

    def test_a_place_that_was_named_is_told_so(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        finding, *_ = [
            f for f in places.data(self.facts(tmp_path / "file"), named=True) if f.state == "fault"
        ]
        assert finding.help == "name another folder by --data-dir"

    def test_an_archive_is_a_place(self, tmp_path: Path) -> None:
        path = tmp_path / "tiny-imagenet-200.zip"
        path.touch()
        facts = {
            "place": str(path),
            "found": {"tiny-imagenet": str(path)},
            "decoded": str(tmp_path),
        }
        findings = list(places.data(Answer(facts), named=True))
        assert findings[0] == Finding("ok", "data", f"in {path}: tiny-imagenet")
        assert [finding.topic for finding in findings] == ["data", "cache"]

    @pytest.mark.parametrize(
        ("free", "state"), [(5 * 10**7, "fault"), (10**9, "note"), (10**11, "ok")]
    )
    def test_room_for_decoded_images(
        self, free: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage: Any = type("Usage", (), {"free": free})
        monkeypatch.setattr(places.shutil, "disk_usage", lambda path: usage)
        cache = [f for f in places.data(self.facts(tmp_path)) if f.topic == "cache"]
        assert [f.state for f in cache] == [state]

    def test_no_fonts_and_no_engine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from netdsl.backends.drawing import file, fonts

        monkeypatch.setattr(fonts, "find_spec", lambda name: None)
        monkeypatch.setattr(file, "find_spec", lambda name: None)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert list(places.drawing()) == [
            Finding("fault", "drawing", "Graphviz was not found", "run `pip install pygraphviz`"),
            Finding("fault", "fonts", "none found: letters of PNG and PDF come out as empty boxes",
                    "they come with matplotlib: pip install --force-reinstall matplotlib"),
        ]  # fmt: skip

    def test_a_small_network_is_drawn(self) -> None:
        assert [f.state for f in places.drawing()] == ["ok", "ok"]


def test_a_broken_torch_breaks_neither_doctor_nor_its_other_lines(
    fake: Fake, tmp_path: Path
) -> None:
    fake("torch", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    paths = os.pathsep.join([str(tmp_path / "fakes"), *(p for p in sys.path if p)])
    done = subprocess.run(
        [sys.executable, "-m", "netdsl", "doctor", "--json"], text=True, capture_output=True,
        check=False, env={**os.environ, "PYTHONPATH": paths}, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (7, "")
    record = json.loads(done.stdout)
    states = {f["topic"]: f["state"] for f in record["findings"]}
    assert (states["torch"], states["numpy"], states["drawing"]) == ("fault", "ok", "ok")
    assert record["faults"] == sum(f["state"] == "fault" for f in record["findings"]) >= 1
    assert all(f["help"] for f in record["findings"] if f["state"] == "fault")


@pytest.mark.slow  # three processes import torch at once
def test_the_exit_code_says_whether_there_are_faults(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "netdsl", "doctor", "--data-dir", "here"], text=True,
        capture_output=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ok     netdsl       ")
    assert any(line.startswith("ok     data         in here: no data set; ") for line in lines)
    faults = sum(line.startswith("fault") for line in lines)
    assert lines[-1] == f"{faults} {'fault' if faults == 1 else 'faults'}"
    assert done.returncode == (7 if faults else 0)
