"""A network's weights to a safetensors file and back, every name and shape checked."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from netdsl.amounts import first_of
from netdsl.safe_tensors import metadata_in
from netdsl.train.data.dataset import show_shape
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.files import read_file, to_json, write_file
from netdsl.wrapped import unwrapped


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of parameters and buffers, as files hold them.

    Their names are those of the network itself, also where it is compiled or on several devices.
    """
    refuse_unstorable(model)
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in unwrapped(model).state_dict().items()
    }


def save_weights(model: nn.Module, path: str | Path, about: Mapping[str, object]) -> None:
    """Write the state of a network, and what somebody should know who finds the file alone.

    `netdsl.load_trained` needs of `about` the text of the `network`, the `shape` of its images, its
    `classes`, and the `mean` and `std` that images are normalised by; `overrides` and `scale` are
    what was said in place of the text.
    """
    write_weights(state_of(model), Path(path), about)


def write_weights(state: Mapping[str, Tensor], path: Path, about: Mapping[str, object]) -> None:
    """Write what `state_of` returned."""
    # NOTE: one key, for safetensors puts several in another order each time.
    metadata = {"netdsl": to_json(dict(about))}
    write_file(path, safetensors.torch.save(dict(state), metadata))


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Put the weights of a file into a network that has the same names and shapes."""
    try:
        state = safetensors.torch.load(read_file(Path(path)))
    except SafetensorError as error:
        raise TrainError(f"{path} is not a file of weights: {error}") from error
    inner = unwrapped(model)
    own = inner.state_dict()
    if fault := _fault(own, state):
        raise TrainError(f"{path} does not fit the network: {fault}")
    inner.load_state_dict(state)


def read_about(path: Path) -> dict[str, object]:
    """Return what is written into a file of weights beside them."""
    try:
        return dict(json.loads(metadata_in(path).get("netdsl", "{}")))
    except (TypeError, ValueError) as error:
        raise TrainError(
            f"{path} is damaged: what stands beside its weights is no JSON object"
        ) from error
    except SafetensorError as error:
        raise TrainError(f"{path} is not a file of weights: {error}") from error
    except OSError as error:
        fact = f"cannot read {path}: {error.strerror or error}"
        raise TrainError(fact, None, ExitCode.IO) from error


def refuse_unstorable(model: nn.Module) -> None:
    """Raise where a network keeps what no file of weights can hold."""
    for name, value in model.state_dict().items():
        if not isinstance(value, Tensor):
            raise TrainError(
                f"{name} of the network is of type {type(value).__name__}, "
                "but a file of weights holds tensors alone",
                "let get_extra_state return a tensor, or leave it out",
                ExitCode.USAGE,
            )
        if not _is_storable(value.dtype, value.layout):
            kind = value.dtype if value.layout is torch.strided else value.layout
            raise TrainError(
                f"{name} of the network is {str(kind).removeprefix('torch.')}, "
                "which a file of weights does not hold",
                "convert it, or register it as a buffer with persistent=False",
                ExitCode.USAGE,
            )


@cache
def _is_storable(dtype: torch.dtype, layout: torch.layout) -> bool:
    """Say whether a file of weights gives such a tensor back, by trying it with an empty one."""
    try:
        content = safetensors.torch.save({"": torch.empty(0, dtype=dtype, layout=layout)})
        safetensors.torch.load(content)
    except (KeyError, ValueError, RuntimeError, SafetensorError):
        return False
    return True


def watch(model: nn.Module) -> frozenset[str]:
    """Return the names of what has to stay finite: the parameters, and each buffer that is now.

    A mask may hold infinity from the start.
    """
    learned = {name for name, _ in model.named_parameters()}
    state = model.state_dict()
    return frozenset(name for name in state if name in learned or _is_finite(state[name]))


def is_finite(model: nn.Module, watched: Collection[str]) -> bool:
    """Say whether nothing of what is watched is NaN or infinite."""
    state = model.state_dict()
    return all(_is_finite(state[name]) for name in watched)


def count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _is_finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())


def _fault(own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str | None:
    if missing := [name for name in own if name not in state]:
        return f"it lacks {first_of(missing)}"
    if extra := sorted(name for name in state if name not in own):
        return f"the network lacks {first_of(extra)}"
    for name, tensor in own.items():
        if tensor.shape != state[name].shape:
            there, here = show_shape(state[name].shape), show_shape(tensor.shape)
            return f"{name} is {there}, but {here} in the network"
    return None
