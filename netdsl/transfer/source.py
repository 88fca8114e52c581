"""Where weights come from: torchvision by name, or a file."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from urllib.error import URLError
from urllib.parse import urlparse

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from netdsl.errors import fail, first_line
from netdsl.ops import closest

TORCHVISION = "torchvision:"
# These draw their weights slowly, and warn that they do.
BARE = {"googlenet": {"init_weights": False}, "inception_v3": {"init_weights": False}}


def open_source(source: str, weights: str | None = None) -> nn.Module | Mapping[str, Tensor]:
    """Return the network that `source` names, or the weights in the file that it is.

    `torchvision:resnet50` comes with its newest pre-trained weights, which are downloaded once;
    with those of the file `weights`; or, where that is `none`, with random ones.
    """
    if not source.startswith(TORCHVISION):
        if weights is not None:
            raise fail("E0703", f"weights are for a network of torchvision, and {source} is a file")
        return read_state(_file(source))
    name = source.removeprefix(TORCHVISION)
    if weights is None:
        return _pretrained(name)
    model = _bare(name)
    if weights != "none":
        _load(model, read_state(Path(weights)), weights)
    return model


def is_here(source: str) -> bool:
    """Say whether weights can be had without a download; raise where there are none of the name."""
    if not source.startswith(TORCHVISION):
        read_state(_file(source))
        return True
    name = source.removeprefix(TORCHVISION)
    _refuse_unknown(name)
    url = _default(name).url
    return Path(torch.hub.get_dir(), "checkpoints", Path(urlparse(url).path).name).is_file()


def _file(source: str) -> Path:
    path = Path(source)
    if path.is_dir():
        raise fail("E0703", f"{source} is a folder, and no file of weights")
    if path.exists():
        return path
    if ":" in source:
        help = f"`{TORCHVISION}NAME` and files of weights can be read"
        raise fail("E0703", f"there is no file {source}", help=help)
    if not path.suffix:
        help = f"a network of torchvision is written `{TORCHVISION}{source}`"
        raise fail("E0703", f"there is no file {source}", help=help)
    raise fail("E0703", f"cannot read {path}: {os.strerror(errno.ENOENT)}")


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file of weights: safetensors, or what `torch.save` made of a dict."""
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise fail("E0703", f"cannot read {path}: {error.strerror or error}") from None
    except UnpicklingError as error:
        message = f"{path} is not a file of weights: it holds something else than tensors by name"
        raise fail("E0703", message) from error
    except (SafetensorError, RuntimeError, ValueError, EOFError) as error:
        raise fail("E0703", f"{path} is not a file of weights: {first_line(error)}") from error
    return tensors(found, str(path))


def tensors(found: object, where: str) -> dict[str, Tensor]:
    """Unwrap what people save: a state dict, or a dict that holds one."""
    for key in ("state_dict", "model", "model_state_dict"):
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found:
        raise fail("E0703", f"{where} holds no weights")
    if not all(isinstance(value, Tensor) for value in found.values()):
        raise fail("E0703", f"{where} holds more than weights by name")
    return {str(key).removeprefix("module."): value for key, value in found.items()}


def _refuse_unknown(name: str) -> None:
    from torchvision import models

    names = models.list_models(module=models)
    if name not in names:
        near = closest(name, names)
        help = f"did you mean `{TORCHVISION}{near}`?" if near else None
        raise fail("E0703", f"torchvision has no network `{name}`", help=help)


def _bare(name: str) -> nn.Module:
    """Return a network of torchvision with random weights."""
    from torchvision import models

    _refuse_unknown(name)
    model: nn.Module = models.get_model(name, **BARE.get(name, {}))
    return model


def _default(name: str) -> Any:
    """Return what torchvision knows of the newest weights of a network."""
    from torchvision import models

    return models.get_model_weights(name).DEFAULT


def _pretrained(name: str) -> nn.Module:
    bare, weights = _bare(name), _default(name)
    try:
        state = weights.get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise fail(
            "E0703",
            f"cannot download the weights of {name}: {first_line(error)}",
            help=f"bring {weights.url} another way into {torch.hub.get_dir()}/checkpoints",
        ) from error
    _load(bare, state, f"{TORCHVISION}{name}")
    return bare


def _load(model: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Put a state dict into its own network; old DenseNets call `norm1` `norm.1`."""
    own = model.state_dict()
    fitted = {
        key if key in own else re.sub(r"\b(norm|conv)\.([12])\.", r"\1\2.", key): value
        for key, value in state.items()
    }
    missing = [k for k in own if k not in fitted and not k.endswith("num_batches_tracked")]
    if missing:
        raise fail("E0703", f"{where} lacks {missing[0]} and {len(missing) - 1} more")
    if extra := [key for key in fitted if key not in own]:
        raise fail("E0703", f"{where} has {extra[0]} and {len(extra) - 1} more, unknown here")
    try:
        model.load_state_dict(fitted, strict=False)
    except RuntimeError as error:
        raise fail(
            "E0703", f"{where} does not fit: {str(error).splitlines()[-1].strip()}"
        ) from error
