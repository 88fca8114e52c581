"""Real processes that are stopped, killed and refused the disk; what they leave goes on."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netdsl.train.checkpoint import read_checkpoint

# Trainings with a save behind every step. It reads lines: `FOLDER SIGNAL SECONDS WHEN`, what to send
# to a child that trains there, and when: then, or as soon as it writes. One that can be heeded is sent
# when it is listened for; before, it ends any process. An answer is an exit status, and whether a file
# was half written.
SERVER = """
import os, signal, sys, tempfile, time
from pathlib import Path
import torch
from torch import nn
from netdsl.train import RunFolder, Settings, TrainError, load, train

torch.set_num_threads(1)
SETTINGS = Settings(epochs=6, batch_size=20, lr=0.01, average=0.9, sample=30,
                    augment=("pad_crop padding=1",), milestones=(2.0,), optimiser="adamw")
DATA = load("digits", limit=200)

def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.Dropout(0.3),
                         nn.Flatten(), nn.Linear(32 * 36, 64), nn.ReLU(), nn.Linear(64, 10))

def go(path):
    if (path / "settings.json").is_file():
        run = RunFolder.open(path)
    else:
        run = RunFolder.create("Conv", SETTINGS, {}, data=DATA, path=path)
    train(network(), DATA, SETTINGS, run, save_minutes=0)

def child(path, listening):
    install = signal.signal
    def telling(number, handler):
        before = install(number, handler)
        os.write(listening, bytes([number]))
        return before
    signal.signal = telling
    try:
        go(path)
        code = 0
    except TrainError as error:
        code = int(error.exit_code)
    sys.stdout.flush()
    os._exit(code)

def half_written(path):
    return path.is_dir() and any(name.endswith(".tmp") for name in os.listdir(path))

with tempfile.TemporaryDirectory() as folder:  # imports what torch imports late
    go(Path(folder) / "run")
print("ready", flush=True)
for line in sys.stdin:
    folder, name, seconds, when = line.split()
    path, number = Path(folder), getattr(signal, name)
    heard, listening = os.pipe()
    pid = os.fork()
    if pid == 0:
        child(path, listening)
    os.close(listening)
    while name in ("SIGINT", "SIGTERM") and os.read(heard, 1) not in (b"", bytes([number])):
        pass
    time.sleep(float(seconds))
    while when == "writing" and not half_written(path) and not os.waitid(
        os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
    ):
        pass
    os.kill(pid, number)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(heard)
    print(code, int(half_written(path)), flush=True)
"""
NEVER = "SIGCONT 0 then"  # a signal that changes nothing


class Server:
    """A process that has torch imported, and forks one training after the other."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SERVER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert self.read() == "ready"

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def train(self, folder: Path, line: str) -> tuple[int, int]:
        assert self.process.stdin is not None
        print(folder, line, file=self.process.stdin, flush=True)
        code, half_written = self.read().split()
        return int(code), int(half_written)


def _whole(folder: Path) -> dict[str, bytes]:
    names = ("metrics.csv", "best.safetensors", "last.safetensors")
    return {name: (folder / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.process.communicate()


def _killed(server: Server, folder: Path, times: int, name: str) -> int:
    """Send signals at random moments, every other time in a write, until the training is through.

    Return how many files were left half written.
    """
    rng, arrived, half_written = random.Random(7), 0, 0
    while arrived < times:
        when = "writing" if arrived % 2 else "then"
        code, half = server.train(folder, f"{name} {rng.uniform(0, 0.3)} {when}")
        if (folder / "resume.pt").exists():
            read_checkpoint(folder / "resume.pt")
        if code != 0:
            assert code == CODES[name]
            arrived, half_written = arrived + 1, half_written + half
        if (folder / "summary.json").exists():  # it was faster: once more
            assert {"curves.svg", "curves.png"} <= {path.name for path in folder.iterdir()}
            shutil.rmtree(folder)
    while not (folder / "summary.json").exists():
        assert server.train(folder, NEVER) == (0, 0)
    return half_written


CODES = {"SIGKILL": -signal.SIGKILL, "SIGINT": 130, "SIGTERM": 143}


@pytest.fixture(scope="module")
def uncut(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("uncut") / "run"
    assert server.train(folder, NEVER) == (0, 0)
    return _whole(folder)


@pytest.mark.parametrize(
    "times", [20, pytest.param(200, marks=pytest.mark.slow)], ids=["20 times", "200 times"]
)
def test_a_training_that_is_killed_again_and_again_comes_to_the_same(
    times: int, server: Server, tmp_path: Path, uncut: dict[str, bytes]
) -> None:
    half_written = _killed(server, tmp_path / "run", times, "SIGKILL")
    assert half_written >= times // 5
    assert _whole(tmp_path / "run") == uncut


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_training_that_is_stopped_again_and_again_comes_to_the_same(
    name: str, server: Server, tmp_path: Path, uncut: dict[str, bytes]
) -> None:
    assert _killed(server, tmp_path / "run", 4, name) == 0
    assert _whole(tmp_path / "run") == uncut


# Kills itself, without a word, at one point of a training of three epochs.
SUICIDE = """
import os, signal, sys
from pathlib import Path
import torch
from torch import nn
from netdsl.train import RunFolder, Settings, Silent, load, train

torch.set_num_threads(1)
settings = Settings(epochs=3, batch_size=40, lr=0.01, optimiser=sys.argv[3], mixup=0.2, sample=30)
data = load("digits", limit=200)
torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3),
                      nn.Flatten(), nn.Linear(8 * 36, 10))
path, batches = Path(sys.argv[1]), 0

def count(module, images, result):
    global batches
    batches += len(images[0]) > 4  # others are tried out
    if batches == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

model.register_forward_hook(count)
exists = (path / "settings.json").is_file()
run = RunFolder.open(path) if exists else RunFolder.create("", settings, {}, data=data, path=path)
train(model, data, settings, run, save_minutes=float(sys.argv[4]))
"""


@pytest.mark.parametrize(
    ("batch", "optimiser", "minutes"),
    # An epoch is 5 batches of training, 2 of validation, 1 of the sample.
    [
        pytest.param(11, "sgd", 0, marks=pytest.mark.slow),
        (14, "adam", 0),
        pytest.param(17, "adamw", 9, marks=pytest.mark.slow),
    ],
    ids=["in the midst of an epoch", "in validation", "behind an epoch"],
)
def test_processes_that_follow_one_another_come_to_the_same_as_one(
    batch: int, optimiser: str, minutes: float, tmp_path: Path
) -> None:
    def run(name: str, at: int) -> int:
        command = [sys.executable, "-c", SUICIDE, str(tmp_path / name), str(at), optimiser]
        return subprocess.run([*command, str(minutes)], check=False).returncode

    assert (run("uncut", -1), run("cut", batch), run("cut", -1)) == (0, -signal.SIGKILL, 0)
    assert _whole(tmp_path / "cut") == _whole(tmp_path / "uncut")


def test_a_disk_that_is_full_leaves_the_checkpoint_as_it_was(
    server: Server, tmp_path: Path
) -> None:
    """A limit on the size of files stands for the disk."""
    folder = tmp_path / "run"
    code, _ = server.train(folder, "SIGTERM 0.1 writing")
    assert code == 143
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    limited = subprocess.run(
        [sys.executable, "-c", FULL, str(folder)], capture_output=True, text=True, check=False
    )
    size = len(before["resume.pt"])
    message, help, code = limited.stdout.splitlines()
    assert (message, int(code)) == (f"cannot write {folder}/resume.pt: File too large", 6)
    free = int(help.removeprefix("free ").partition(" ")[0].replace(",", ""))
    assert 0.9 * size < free < 1.1 * size
    assert help.endswith(" bytes there; what was stored before is intact")
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after["resume.pt"] == before["resume.pt"]
    assert after.keys() - before.keys() <= {"metrics.csv", "speed.csv"}


FULL = (
    SERVER.partition("with tempfile")[0]
    + """
path = Path(sys.argv[1])
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ((path / "resume.pt").stat().st_size - 1000,) * 2)
try:
    go(path)
except TrainError as error:
    print(error, error.help, int(error.exit_code), sep="\\n")
"""
)
