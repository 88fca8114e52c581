"""Where weights come from: a network of torchvision or timm by name, or a file."""

from __future__ import annotations

import errno
import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from netdsl.errors import fail
from netdsl.first_line import first_line
from netdsl.safe_tensors import metadata_in, tensors_in
from netdsl.transfer.weighted import registered
from netdsl.transfer.zoos import in_zoo, load, torchvision_names
from netdsl.wrapped import own_names

# What torch's unpickler may raise beside its own error, as the damage of a file has it.
_DAMAGED = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, struct.error)
_STATE = "store `model.state_dict()` in place of the model: to read it runs no code"


def open_source(source: str, weights: str | None = None) -> nn.Module | Mapping[str, Tensor]:
    """Return the network that `source` names, or the weights in the file that it is.

    `torchvision:resnet50` and `timm:resnet50` come with pre-trained weights, which are downloaded
    once; with those of the file `weights`, whose last layer may tell other classes; or, where that
    is `none`, with random ones.
    """
    if (found := in_zoo(source)) is None:
        if weights is not None:
            message = f"weights are for a network of torchvision or timm, and {source} is a file"
            raise fail("E0703", message)
        return read_state(_file(source))
    zoo, name = found
    if weights is None:
        return zoo.pretrained(name)
    model = zoo.bare(name)
    if weights == "none":
        return model
    state = read_state(Path(weights))
    if (classes := _other_classes(model, state)) is not None:
        model = zoo.bare(name, classes)
    load(model, state, weights)
    return model


def is_here(source: str) -> bool:
    """Say whether weights can be had without a download; raise where there are none of the name."""
    if (found := in_zoo(source)) is None:
        read_state(_file(source))
        return True
    zoo, name = found
    return zoo.is_here(name)


def _other_classes(model: nn.Module, state: Mapping[str, Tensor]) -> int | None:
    """Return how many classes weights tell where a network tells another number; None for alike."""
    end = registered(model.state_dict())[-1]
    own, given = end.tensors.get("weight"), state.get(f"{end.name}.weight")
    if own is None or given is None or not given.ndim or len(given) == len(own):
        return None
    return len(given)


def _file(source: str) -> Path:
    path = Path(source)
    if path.is_dir():
        files = ", ".join(str(file) for file in sorted(path.glob("*.safetensors"))[:3])
        help = f"files of weights in it: {files}" if files else None
        raise fail("E0703", f"{source} is a folder, and no file of weights", help=help)
    if path.exists():
        return path
    if ":" in source:
        help = "`torchvision:NAME`, `timm:NAME` and files of weights can be read"
        raise fail("E0703", f"there is no file {source}", help=help)
    if not path.suffix:
        if source not in torchvision_names():
            raise fail("E0703", f"there is no file {source}")
        help = f"a network of torchvision is written `torchvision:{source}`"
        raise fail("E0703", f"there is no file {source}", help=help)
    raise fail("E0703", f"cannot read {path}: {os.strerror(errno.ENOENT)}")


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file of weights: safetensors, or what `torch.save` made of a dict."""
    try:
        if path.suffix.lower() == ".safetensors":
            return tensors_in(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise fail("E0703", f"cannot read {path}: {error.strerror or error}") from None
    except UnpicklingError as error:
        message = f"{path} is not a file of weights: it holds something else than tensors by name"
        help = _STATE if "GLOBAL" in str(error) else None  # the pickle names a class
        raise fail("E0703", message, help=help) from error
    except (SafetensorError, RuntimeError, ValueError, EOFError) as error:
        raise fail("E0703", f"{path} is not a file of weights: {first_line(error)}") from error
    except _DAMAGED as error:
        raise fail("E0703", f"{path} is not a file of weights, or is damaged") from error
    return tensors(found, str(path))


def said_beside(source: str) -> dict[str, object]:
    """Return what a training wrote beside its weights; nothing where that is no JSON object."""
    path = Path(source)
    if path.suffix.lower() != ".safetensors":
        return {}
    try:
        return dict(json.loads(metadata_in(path).get("netdsl", "{}")))
    except (OSError, SafetensorError, TypeError, ValueError):
        return {}


def tensors(found: object, where: str) -> dict[str, Tensor]:
    """Unwrap what people save: a state dict, or a dict that holds one."""
    for key in ("state_dict", "model", "model_state_dict"):
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found:
        raise fail("E0703", f"{where} holds no weights")
    if not all(isinstance(value, Tensor) for value in found.values()):
        inner = next((key for key, value in found.items() if _are_weights(value)), None)
        help = None if inner is None else f"`{inner}` in it holds weights by name: give that alone"
        raise fail("E0703", f"{where} holds more than weights by name", help=help)
    return own_names(found)


def _are_weights(value: object) -> bool:
    """Say whether something is a dict of tensors, as a state dict is."""
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(each, Tensor) for each in value.values())
