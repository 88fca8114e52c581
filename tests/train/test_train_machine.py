"""The machine's defaults, and that what is set for a training is set back behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from netdsl.train import Settings
from netdsl.train.computing import computing
from netdsl.train.machine import pick_device

GPU = replace(Settings(), device="cuda")  # no GPU is needed to say how one is to compute


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = _state()
    yield
    assert _state() == before


def _state() -> tuple[object, ...]:
    return (
        torch.get_float32_matmul_precision(),
        torch.backends.cudnn.allow_tf32,
        torch.backends.cudnn.benchmark,
        torch.are_deterministic_algorithms_enabled(),
    )


@pytest.fixture
def _warning_alone() -> Iterator[None]:
    torch.use_deterministic_algorithms(True, warn_only=True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("_as_it_was", "_warning_alone")
@pytest.mark.parametrize("deterministic", [True, False])
def test_that_torch_was_to_warn_alone_is_set_back(
    deterministic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    with computing(replace(Settings(), deterministic=deterministic)):
        warns = torch.is_deterministic_algorithms_warn_only_enabled()
        assert warns is not deterministic
    assert torch.is_deterministic_algorithms_warn_only_enabled()


@pytest.mark.parametrize(
    ("settings", "state"),
    [
        (GPU, ("high", True, True, False)),
        (replace(GPU, exact=True), ("highest", False, False, False)),
        (replace(GPU, deterministic=True), ("high", True, False, True)),
        (Settings(), ("highest", True, False, False)),
    ],
)
def test_a_gpu_multiplies_as_the_settings_say(
    settings: Settings, state: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    with computing(settings):
        assert _state() == state


def test_what_was_set_is_set_back_where_a_training_fails() -> None:
    with pytest.raises(KeyError), computing(GPU):
        raise KeyError


@pytest.mark.parametrize(
    ("cuda", "mps", "device"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_best_device_is_taken(
    cuda: bool, mps: bool, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device() == device
