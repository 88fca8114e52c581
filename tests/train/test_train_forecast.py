"""What a training will take: measured beforehand without a trace, and from its first steps."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.utils import counters

from netdsl import train
from netdsl.train import DataSet, Forecast, RunFolder, Settings, TrainError
from netdsl.train import pace as pace_module
from netdsl.train.compiling import has_compiler
from netdsl.train.pace import Pace

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="torch.compile needs C++")
Make = Callable[[DataSet], nn.Module]


def timed(monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> Iterator[float]:
    """Let what a forecast times take these seconds; return those that are left."""
    left = iter(seconds)

    def told(_: Settings, act: Callable[[], object]) -> float:
        act()
        return next(left)

    monkeypatch.setattr(import_module("netdsl.train.forecast"), "_seconds", told)
    return left


class TestBeforehand:
    def test_an_epoch_is_its_steps_and_more(
        self, make_network: Make, digits: DataSet, settings: Settings
    ) -> None:
        found = train.forecast(make_network(digits), digits, replace(settings, epochs=7))
        assert isinstance(found, Forecast)
        assert (found.steps, found.epochs) == (7, 7)  # 200 images, 32 a step
        assert found.seconds_per_epoch > 7 * found.seconds_per_step > 0
        assert found.seconds == pytest.approx(7 * found.seconds_per_epoch)

    def test_nothing_is_left_behind(
        self, make_network: Make, digits: DataSet, settings: Settings, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", None)
        model = make_network(digits)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        threads = torch.get_num_threads()
        train.forecast(model, digits, settings)
        assert torch.equal(torch.rand(3), expected)
        assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
        assert all(p.grad is None for p in model.parameters())
        assert (model.training, torch.get_num_threads()) == (True, threads)
        assert list(tmp_path.iterdir()) == []

    def test_a_training_behind_a_forecast_is_the_same_to_the_last_bit(
        self, make_network: Make, digits: DataSet, settings: Settings,
        make_run: Callable[..., RunFolder],
    ) -> None:  # fmt: skip
        alone, behind = make_run(settings, "alone"), make_run(settings, "behind")
        train.train(make_network(digits), digits, settings, alone)
        model = make_network(digits)
        train.forecast(model, digits, settings)
        train.train(model, digits, settings, behind)
        for name in ("metrics.csv", "best.safetensors", "last.safetensors"):
            assert (alone.path / name).read_bytes() == (behind.path / name).read_bytes()

    def test_the_disk_suffices_for_what_is_written(
        self, make_network: Make, digits: DataSet, settings: Settings,
        make_run: Callable[..., RunFolder],
    ) -> None:  # fmt: skip
        adam = replace(settings, optimiser="adam", lr=0.001)
        found = train.forecast(make_network(digits), digits, adam)
        run = make_run(adam)
        train.train(make_network(digits), digits, adam, run)
        taken = sum(path.stat().st_size for path in run.path.iterdir())
        weights = sum(p.numel() * 4 for p in make_network(digits).parameters())
        assert taken + 4 * weights < found.disk < taken + 12 * weights + 400_000  # and resume.pt

    def test_a_data_set_of_less_than_a_few_steps_will_do(
        self, make_network: Make, digits: DataSet, settings: Settings
    ) -> None:
        one = replace(settings, batch_size=150, epochs=1, warmup=0.3)
        assert train.forecast(make_network(digits), digits, one).steps == 2

    def test_a_warm_up_longer_than_what_is_measured_is_none_longer_than_the_training(
        self, make_network: Make, digits: DataSet, settings: Settings
    ) -> None:
        climbing = replace(settings, unit="iterations", warmup=10.0)  # of 14, where 6 are measured
        assert train.forecast(make_network(digits), digits, climbing).steps == 7

    @pytest.mark.slow
    @needs_compiler
    def test_what_will_be_compiled_is_measured_compiled(
        self, digits: DataSet, settings: Settings
    ) -> None:
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 4096), nn.Linear(4096, 10))
        long = replace(settings, epochs=200_000)  # of 7 steps each, where 3 would be too few
        counters.clear()
        train.forecast(model, digits, long)
        assert counters["stats"]["unique_graphs"] == 1

    def test_images_that_a_network_does_not_take_are_refused(
        self, digits: DataSet, settings: Settings
    ) -> None:
        with pytest.raises(TrainError, match="the network does not take the 1×8×8 images"):
            train.forecast(nn.Linear(3, 10), digits, settings)

    def test_of_several_times_the_least_counts(
        self, make_network: Make, digits: DataSet, settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        took = timed(
            monkeypatch, [0.3, 0.06, 0.5, 0.02, 0.04, 0.01, 7.0]
        )  # steps, an evaluation, a checkpoint
        found = train.forecast(make_network(digits), digits, settings)
        assert found.seconds_per_step == pytest.approx(0.02)  # 0.06 for 3
        assert found.seconds_per_epoch > 7  # what is stored is stored once
        assert list(took) == []

    def test_what_takes_long_is_timed_once(
        self, make_network: Make, digits: DataSet, settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        timed(monkeypatch, [3.0, 2.0, 0.5])
        found = train.forecast(make_network(digits), digits, settings)
        assert found.seconds_per_step == pytest.approx(1.0)

    @pytest.mark.parametrize(("part", "is_disturbed"), [(0.1, False), (0.6, True)])
    def test_the_part_of_the_time_without_a_core_is_told(
        self, make_network: Make, digits: DataSet, settings: Settings,
        monkeypatch: pytest.MonkeyPatch, part: float, is_disturbed: bool,
    ) -> None:  # fmt: skip
        monkeypatch.setattr("netdsl.resources.waited", lambda: time.perf_counter() * part)
        found = train.forecast(make_network(digits), digits, settings)
        assert found.waited == pytest.approx(part, rel=0.01)
        assert found.is_disturbed == is_disturbed
        monkeypatch.setattr("netdsl.resources.waited", lambda: None)
        assert train.forecast(make_network(digits), digits, settings).waited == 0

    def test_slower_steps_are_forecast_as_slower(
        self, digits: DataSet, settings: Settings, make_network: Make
    ) -> None:
        class Slow(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = make_network(digits)

            def forward(self, x: Tensor) -> Tensor:
                if self.training:
                    time.sleep(0.1)
                return self.inner(x)

        found = train.forecast(Slow(), digits, settings)
        assert found.seconds_per_step > 0.1
        assert found.seconds > 2 * 7 * 0.1


class TestFromTheFirstSteps:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """A time that goes on only when told: its last entry is now."""
        times = [100.0]
        monkeypatch.setattr(pace_module.time, "perf_counter", lambda: times[-1])
        return times

    def test_the_first_step_is_left_out(self, clock: list[float]) -> None:
        pace = Pace()
        for done, now in enumerate((150.0, 152.0, 155.0, 156.0, 900.0), 1):
            clock.append(now)
            pace.note(done, 50, "cpu")
        assert pace.step == 2.0
        # 50 steps of 2 s, and a third of 2 s for each of 3 batches that run forward alone
        assert pace.epoch(50, 10, 30) == pytest.approx(102.0)

    def test_an_epoch_of_few_steps_is_timed_before_its_evaluation(self, clock: list[float]) -> None:
        pace = Pace()
        for done, now in enumerate((101.0, 104.0, 900.0, 901.0), 1):
            clock.append(now)
            pace.note(done, 2, "cpu")
        assert pace.step == 3.0

    def test_a_training_of_single_steps_has_none(self, clock: list[float]) -> None:
        pace = Pace()
        pace.note(1, 1, "cpu")
        pace.note(2, 1, "cpu")
        assert pace.epoch(1, 10, 30) is None

    def test_the_summary_has_forecast_and_truth(
        self, make_network: Make, digits: DataSet, settings: Settings,
        make_run: Callable[..., RunFolder],
    ) -> None:  # fmt: skip
        run = make_run(settings)
        summary = train.train(make_network(digits), digits, settings, run)
        record = json.loads((run.path / "summary.json").read_text())
        assert record["forecast_seconds"] == summary.forecast_seconds
        assert 0 < record["forecast_seconds"] < 20 * record["seconds"]

    def test_a_resumed_training_keeps_the_forecast_of_its_start(
        self, make_network: Make, digits: DataSet, settings: Settings,
        make_run: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        class Cut(Exception):
            pass

        class Cutting(train.Silent):
            def epoch(self, row: train.Row) -> None:
                raise Cut

        run = make_run(settings)
        with pytest.raises(Cut):
            train.train(make_network(digits), digits, settings, run, Cutting())
        from netdsl.train.checkpoint import read_checkpoint

        step = read_checkpoint(run.checkpoint)["pace"]["seconds"]
        summary = train.train(make_network(digits), digits, settings, run)
        expected = Pace(step).epoch(7, 32, len(digits.val) + 200)
        assert expected is not None
        assert summary.forecast_seconds == round(2 * expected, 3)
