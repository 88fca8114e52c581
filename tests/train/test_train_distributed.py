"""Several processes that train one network: what one alone comes to, whatever happens to them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from click.exceptions import Exit
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import nn

from netdsl.cli.ranks import one_voice
from netdsl.train import ExitCode, RunFolder, Settings, TrainError, evaluate, load, load_weights
from netdsl.train.batches import feed, shuffled
from netdsl.train.data.dataset import DataSet, Split
from netdsl.train.distributed import World, current, joined, refuse_unfit
from netdsl.train.freezing import training_mode
from netdsl.train.machine import count_cores
from netdsl.train.meeting import answer, call
from netdsl.train.mixing import Mixed
from netdsl.train.replica import synchronised
from netdsl.train.schedule import rate
from netdsl.train.steps import count_steps

RANKS = Path(__file__).with_name("ranks.py")
KILLED = {"rank": 1, "what": "SIGKILL", "when": 13, "save": 0}  # in the third epoch of six
LOST = "another process of this training has ended\n"


class Server:
    """A process that has torch imported, and forks the processes of one training after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(RANKS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        self.done: dict[str, dict[str, Any]] = {}

    def train(self, name: str, kind: str, size: int, **happens: Any) -> dict[str, Any]:
        order = {"folder": str(self.folder / name), "kind": kind, "size": size, **happens}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(order), file=self.process.stdin, flush=True)
        answer = "{}"
        while not answer.startswith('{"codes'):
            answer = self.process.stdout.readline()
        return dict(json.loads(answer))

    def uncut(self, kind: str, size: int) -> Path:
        """Train without a cut, once for each combination."""
        name = f"{kind}-{size}"
        if name not in self.done:
            self.done[name] = self.train(name, kind, size)
            assert self.done[name]["codes"] == [0] * size
        return self.folder / name

    def cut(self, name: str, kind: str, size: int) -> Path:
        """Train, kill the second process, and train again."""
        codes = self.train(name, kind, size, **KILLED)["codes"]
        assert codes == [6 if rank != 1 else -signal.SIGKILL for rank in range(size)]
        assert (self.folder / name / "resume.pt").exists()
        assert self.train(name, kind, size)["codes"] == [0] * size
        return self.folder / name


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("ranks"))
    yield server
    server.process.communicate()


def _difference(one: Path, other: Path) -> float:
    """Return by how much the weights differ, at most."""
    these, those = (load_file(path / "last.safetensors") for path in (one, other))
    assert these.keys() == those.keys()
    assert all(tensor.dtype == torch.float64 for tensor in these.values())
    return max(float((these[name] - those[name]).abs().max()) for name in these)


def _assert_equal(one: Path, other: Path) -> None:
    for name in ("metrics.csv", "best.safetensors", "last.safetensors"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("double", 2),
        ("stochastic", 2),
        pytest.param("double", 3, marks=pytest.mark.slow),
        pytest.param("stochastic", 3, marks=pytest.mark.slow),
    ],
)
def test_several_processes_learn_what_one_does(server: Server, kind: str, size: int) -> None:
    """In 30 steps with parts of unequal size, mixed, clipped, averaged; and draw the same blocks."""
    one, several = server.uncut(kind, 1), server.uncut(kind, size)
    assert 0 < _difference(one, several) < 1e-12
    for row, same in zip(RunFolder.open(one).rows, RunFolder.open(several).rows, strict=True):
        assert (row.val_accuracy, row.val_top5) == (same.val_accuracy, same.val_top5)
        assert row.train_accuracy == same.train_accuracy
        assert row.train_loss == pytest.approx(same.train_loss, rel=1e-12)
    if kind == "stochastic":
        draws = [said.splitlines()[0] for said in server.done[f"{kind}-{size}"]["said"]]
        assert draws == server.done[f"{kind}-1"]["said"][0].splitlines()[:1] * size


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("double", 2),
        ("usual", 2),
        pytest.param("usual", 3, marks=pytest.mark.slow),
        pytest.param("stochastic", 3, marks=pytest.mark.slow),
    ],
)
def test_processes_that_are_killed_and_started_again_come_to_the_same(
    server: Server, kind: str, size: int
) -> None:
    _assert_equal(server.cut(f"cut-{kind}-{size}", kind, size), server.uncut(kind, size))


def test_dropout_differs_between_processes(server: Server) -> None:
    server.uncut("usual", 2)
    first, second = server.done["usual-2"]["said"]
    assert first != second


def test_one_process_evaluates_to_what_several_recorded(server: Server) -> None:
    run, data = RunFolder.open(server.uncut("usual", 2)), load("digits", limit=97)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3),
        nn.Flatten(), nn.Linear(8 * 36, 10),
    )  # fmt: skip
    load_weights(model, run.last)
    result, row = evaluate(model, data, run.settings), run.rows[-1]
    assert len(data.val) % run.settings.batch_size != 0
    assert result.n == len(data.val)
    assert (result.loss, result.accuracy, result.top5) == (
        row.val_loss, row.val_accuracy, row.val_top5,
    )  # fmt: skip


def test_a_signal_to_one_process_stops_all_and_they_go_on(server: Server) -> None:
    stop = {"rank": 1, "what": "SIGTERM", "when": 13}
    stopped = server.train("stopped", "usual", 2, **stop)
    assert stopped["codes"] == [143, 143]
    text = f"stopped after step 3 of 5 in epoch 3; {server.folder}/stopped holds all that a resume needs\n"
    assert stopped["said"] == [text, text]
    assert server.train("stopped", "usual", 2)["codes"] == [0, 0]
    _assert_equal(server.folder / "stopped", server.uncut("usual", 2))


def test_numbers_that_are_not_finite_in_one_process_end_all(server: Server) -> None:
    ended = server.train("nan", "usual", 2, rank=1, what="nan", when=13)
    assert ended["codes"] == [4, 4]
    lr = rate(12, 5, RunFolder.open(server.folder / "nan").settings)
    where = f"in step 3 of 5 in epoch 3, at learning rate {lr:.4g}"
    fact = f"the loss became nan {where}, gradient norm nan\n"
    assert ended["said"] == [fact, fact]


def test_a_process_that_fails_alone_leaves_no_other_waiting(server: Server) -> None:
    ended = server.train("raise", "usual", 2, rank=1, what="raise", when=13)
    assert ended == {"codes": [6, 3], "said": [LOST, "something went wrong here\n"]}


def test_what_the_first_process_cannot_write_ends_all(server: Server) -> None:
    ended = server.train("full", "usual", 2, rank=0, what="full", when=13, save=0)
    fact = f"cannot write {server.folder}/full/resume.pt: File too large\n"
    assert ended == {"codes": [6, 6], "said": [fact, fact]}


def test_another_number_of_processes_goes_on_and_says_so(server: Server) -> None:
    server.train("fewer", "double", 2, **KILLED)
    said = server.train("fewer", "double", 1)["said"][0]
    assert said.startswith("processes was 2 and is 1\n")
    assert _difference(server.folder / "fewer", server.uncut("double", 1)) < 1e-12
    losses = [
        [row.train_loss for row in RunFolder.open(path).rows]
        for path in (server.folder / "fewer", server.uncut("double", 1))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_another_number_of_processes_is_refused_where_an_epoch_has_other_steps(
    server: Server,
) -> None:
    server.train("other", "double", 2, **KILLED, set={"batch_size": 19})  # 97 = 5 * 19 + 2
    refused = server.train("other", "double", 1, set={"batch_size": 19})
    fact = "cannot go on: with 1 processes an epoch has 6 steps, with 2 it had 5\n"
    assert refused == {"codes": [2], "said": [f"{server.folder}/other {fact}"]}


@given(
    images=st.integers(8, 40),
    batch=st.integers(8, 24),
    size=st.integers(2, 4),
    mixed=st.sampled_from([{}, {"mixup": 0.4}, {"cutmix": 1.0}]),
    start=st.integers(0, 2),
)
def test_the_parts_of_a_batch_are_the_batch(
    images: int, batch: int, size: int, mixed: dict[str, float], start: int
) -> None:
    """Each image once, augmented and mixed as in the whole batch, at least two in a part."""
    data = _noise(images)
    settings = Settings(batch_size=batch, augment=("pad_crop padding=2",), **mixed)  # type: ignore[arg-type]
    worlds = [World(rank, size) for rank in range(size)]
    parts = [
        list(shuffled(feed(data.train, data, settings, world, stays=True), settings, 3, start))
        for world in worlds
    ]
    whole = list(shuffled(feed(data.train, data, settings, stays=True), settings, 3, start))
    steps = count_steps(images, batch, size)
    assert [len(part) for part in parts] == [max(0, steps - start)] * size
    for step, together in zip(whole, zip(*parts, strict=True), strict=False):
        assert min(len(labels) for *_, labels in together) >= 2
        for number in (0, 2):
            assert torch.equal(step[number], torch.cat([part[number] for part in together]))
        targets = [part[1] for part in together]
        if isinstance(step[1], Mixed):
            assert {target.weight for target in targets} == {step[1].weight}
            assert torch.equal(step[1].others, torch.cat([target.others for target in targets]))
            assert torch.equal(step[1].labels, torch.cat([target.labels for target in targets]))
    if images % batch == 0 and not start:
        seen = torch.cat([labels for part in parts for *_, labels in part])
        assert sorted(seen.tolist()) == list(range(images))


def _noise(images: int) -> DataSet:
    generator = torch.Generator().manual_seed(images)
    pixels = torch.randint(0, 256, (images, 1, 5, 6), dtype=torch.uint8, generator=generator)
    split = Split(pixels, torch.arange(images))
    classes = tuple(map(str, range(images)))
    return DataSet("noise", classes, split, split, (0.5,), (0.25,), (), {})


@pytest.mark.parametrize(
    ("change", "images", "fact"),
    [
        (
            {"batch_size": 7}, 99,
            "4 processes need at least 8 images a step, 2 each for batch norm, and batch_size is 7",
        ),
        (
            {"batch_size": 8}, 7,
            "4 processes need at least 8 images a step, 2 each for batch norm, and there are 7 training images",
        ),
        ({"compile": True}, 99, "several processes train uncompiled"),
        ({"device": "mps"}, 99, "several processes train on cpu or cuda, not on mps"),
        (
            {"device": "cuda"}, 99,
            "4 processes on this machine need a GPU each, and there are 0",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_shared_out_is_refused(
    change: dict[str, Any], images: int, fact: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    settings = replace(Settings(), **change)
    with pytest.raises(TrainError) as caught:
        refuse_unfit(settings, images, World(1, 4, 4))
    assert str(caught.value) == fact
    assert caught.value.exit_code == ExitCode.USAGE
    refuse_unfit(settings, images, World())


def test_batch_norm_is_synchronised_on_gpus_alone() -> None:
    with pytest.raises(TrainError, match=r"^sync_bn is true, but needs GPUs, not cpu$"):
        Settings(sync_bn=True)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    names = list(model.state_dict())
    wanted = Settings(sync_bn=True, device="cuda")
    assert synchronised(model, wanted, World()) is model
    model = synchronised(model, wanted, World(0, 2))
    assert isinstance(model[1], nn.SyncBatchNorm)
    assert list(model.state_dict()) == names
    model[1].requires_grad_(False)
    training_mode(model)
    assert (model[0].training, model[1].training) == (True, False)


def test_processes_that_nobody_told_of_one_another_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with (
        pytest.raises(TrainError, match=r"^the processes do not find one another: ") as caught,
        joined(),
    ):
        pass
    assert caught.value.help == "start them with `torchrun --nproc-per-node N -m netdsl train …`"
    assert caught.value.exit_code == ExitCode.USAGE


def test_processes_started_again_do_not_meet_those_before_them() -> None:
    """The store is kept: what killed processes called and answered is still in it."""
    store = dist.HashStore()
    names = []
    for _ in range(3):
        with ThreadPoolExecutor(3) as processes:
            others = [processes.submit(answer, store, rank) for rank in (1, 2)]
            time.sleep(0.05)  # time to find the call of those before
            names.append(processes.submit(call, store, 3).result())
            assert [other.result() for other in others] == names[-1:] * 2
        store.set("netdsl", "a call that nobody has answered")
    assert len(set(names)) == 3


def test_a_process_without_torchrun_is_alone() -> None:
    with joined() as world:
        assert world == current() == World(0, 1, 1)
        assert world.leads


def test_the_processes_of_a_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = count_cores()
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert count_cores() == max(1, cores // 2)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1000")
    assert count_cores() == 1


def test_the_first_process_alone_is_heard(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("netdsl.cli.ranks._GRACE", 0)
    monkeypatch.setenv("TORCH_CPP_LOG_LEVEL", "INFO")  # put back behind the test
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        with one_voice():
            print("hello from", rank)
    assert capfd.readouterr().out == "hello from 0\n"
    with pytest.raises(TrainError, match=r"^no image$"), one_voice():
        raise TrainError("no image")
    assert capfd.readouterr().err == "process 1:\n"
    with pytest.raises(Exit) as caught, one_voice():
        raise TrainError("stopped", None, ExitCode.TERMINATED)
    assert caught.value.exit_code == 143
    assert capfd.readouterr().err == ""


ENDING = """
import atexit, sys
from netdsl.__main__ import main
atexit.register(print, "Python ends")
sys.argv[0] = "netdsl"
main()
"""


@pytest.mark.parametrize(("command", "code", "last"), [("list", 0, ["vgg19_bn"]), ("lost", 2, [])])
def test_a_process_among_others_has_ended_before_python_ends(
    command: str, code: int, last: list[str], tmp_path: Path
) -> None:
    # What threads of DDP do while Python ends can abort a training that has succeeded.
    def ended(size: str) -> tuple[int, list[str]]:
        done = subprocess.run(
            [sys.executable, "-c", ENDING, command], cwd=tmp_path, text=True, check=False,
            stdout=subprocess.PIPE, env={**os.environ, "RANK": "0", "WORLD_SIZE": size},
        )  # fmt: skip
        return done.returncode, done.stdout.split()[-1:]

    assert ended("1") == (code, ["ends"])
    assert ended("2") == (code, last)


TRAIN = (
    "-m", "netdsl", "train", "digits", "--data", "digits", "--limit", "400", "--epochs", "8",
    "--batch-size", "31", "--save-minutes", "0", "--seed", "3", "--precision", "fp32",
    "--resume", "auto", "--run-dir",
)  # fmt: skip


@pytest.fixture
def torchrun(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    def start(folder: Path, *options: str) -> subprocess.Popen[str]:
        command = (sys.executable, "-m", "torch.distributed.run", "--standalone")
        return subprocess.Popen(
            [*command, "--nproc-per-node", "2", *options, *TRAIN, str(folder)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        )  # fmt: skip

    return start


def _in_second_epoch(folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a training has begun its second epoch."""
    metrics = folder / "metrics.csv"
    while not metrics.exists() or len(metrics.read_text().splitlines()) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def _workers(agent: int) -> list[int]:
    children = Path(f"/proc/{agent}/task/{agent}/children").read_text().split()
    return [int(child) for child in children]


@pytest.mark.slow
def test_torchrun_starts_again_what_was_killed_and_it_comes_to_the_same(
    torchrun: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    uncut = torchrun(tmp_path / "uncut")
    out, err = uncut.communicate()
    assert (uncut.returncode, out.count("best "), err.count("error")) == (0, 1, 0)
    killed = torchrun(tmp_path / "killed", "--max-restarts", "1")
    _in_second_epoch(tmp_path / "killed", killed)
    os.kill(_workers(killed.pid)[-1], signal.SIGKILL)
    out, err = killed.communicate()
    assert killed.returncode == 0, out + err
    assert out.count("going on behind step") == 1
    _assert_equal(tmp_path / "killed", tmp_path / "uncut")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_torchrun_stops_the_training_behind_its_step(
    number: signal.Signals, torchrun: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = torchrun(tmp_path / "run")
    _in_second_epoch(tmp_path / "run", process)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert err.count("stopping after this step; once more ends it at once") == 1
    assert err.count("holds all that a resume needs") == 1
    assert (tmp_path / "run" / "resume.pt").exists()
    shutil.rmtree(tmp_path / "run")
