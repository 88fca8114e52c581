"""The networks of torchvision and timm by name: with random weights, or with pre-trained ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol
from urllib.error import URLError
from urllib.parse import urlparse

import torch
from torch import Tensor, nn

from netdsl.amounts import first_of
from netdsl.errors import NetDSLError, fail
from netdsl.first_line import first_line
from netdsl.suggest import closest

# These draw their weights slowly, and warn that they do.
_BARE = {"googlenet": {"init_weights": False}, "inception_v3": {"init_weights": False}}
_FILES_OF_TIMM = ("model.safetensors", "pytorch_model.bin")


class Zoo(Protocol):
    """A library of networks; what cannot be had of it is an error of code E0703."""

    def bare(self, name: str, classes: int | None = None) -> nn.Module:
        """Return a network with random weights, of so many classes; of its own, unless given."""

    def pretrained(self, name: str) -> nn.Module:
        """Return a network with its pre-trained weights, which are downloaded once."""

    def is_here(self, name: str) -> bool:
        """Say whether pre-trained weights are on this machine already."""


class Torchvision:
    """`torchvision:resnet50`; the newest weights are the pre-trained ones."""

    def bare(self, name: str, classes: int | None = None) -> nn.Module:
        from torchvision import models

        _refuse_unknown("torchvision", name, torchvision_names())
        model: nn.Module = models.get_model(name, **_BARE.get(name, {}), **_head(classes))
        return model

    def pretrained(self, name: str) -> nn.Module:
        bare, weights = self.bare(name), self._default(name)
        try:
            state = weights.get_state_dict(progress=True, check_hash=True)
        except (URLError, OSError, RuntimeError) as error:
            help = f"bring {weights.url} another way into {torch.hub.get_dir()}/checkpoints"
            raise _no_download(name, error, help) from error
        load(bare, state, f"torchvision:{name}")
        return bare

    def is_here(self, name: str) -> bool:
        _refuse_unknown("torchvision", name, torchvision_names())
        return _is_cached(self._default(name).url)

    def _default(self, name: str) -> Any:
        from torchvision import models

        return models.get_model_weights(name).DEFAULT


class Timm:
    """`timm:seresnet50`, `timm:resnet50.a1_in1k`: a model, and its weights by their tag."""

    def bare(self, name: str, classes: int | None = None) -> nn.Module:
        model: nn.Module = self._library(name).create_model(name, **_head(classes))
        return model

    def pretrained(self, name: str) -> nn.Module:
        home = self._home(name)
        try:
            model: nn.Module = self._library(name).create_model(name, pretrained=True)
        except (OSError, RuntimeError, ValueError) as error:
            hub = f"{_FILES_OF_TIMM[0]} of huggingface.co/{home.hf_hub_id}"
            file = hub if home.hf_hub_id else home.url
            help = f"bring {file} another way and give `netdsl transfer` its path with --weights"
            raise _no_download(name, error, help) from error
        return model

    def is_here(self, name: str) -> bool:
        home = self._home(name)
        if not home.hf_hub_id:
            return _is_cached(home.url)
        cached = import_module("huggingface_hub").try_to_load_from_cache
        return any(isinstance(cached(home.hf_hub_id, file), str) for file in _FILES_OF_TIMM)

    def _home(self, name: str) -> Any:
        """Return what timm knows of the place of some weights; raise where there are none."""
        home = self._library(name).get_pretrained_cfg(name)
        if not home.hf_hub_id and not home.url:
            help = "give `netdsl transfer` a file of them with --weights"
            raise fail("E0703", f"timm has no pre-trained weights of {name}", help=help)
        return home

    def _library(self, name: str) -> Any:
        try:
            timm = import_module("timm")
        except ModuleNotFoundError as error:
            if error.name != "timm":
                raise fail("E0703", f"timm cannot be imported: {error}") from error
            raise fail("E0703", "timm is not installed", help="pip install timm") from error
        known = timm.list_pretrained() if "." in name else timm.list_models()
        _refuse_unknown("timm", name, known)
        return timm


ZOOS: dict[str, Zoo] = {"torchvision": Torchvision(), "timm": Timm()}


def torchvision_names() -> list[str]:
    """Return the names of torchvision's classifiers."""
    from torchvision import models

    names: list[str] = models.list_models(module=models)
    return names


def in_zoo(source: str) -> tuple[Zoo, str] | None:
    """Return the library of `torchvision:resnet50` and the name in it; None for a file.

    >>> in_zoo("resnet50.pth") is None
    True
    """
    library, _, name = source.partition(":")
    return (ZOOS[library], name) if name and library in ZOOS else None


def load(model: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Put a state dict into its own network; old DenseNets call `norm1` `norm.1`."""
    own = model.state_dict()
    fitted = {
        key if key in own else re.sub(r"\b(norm|conv)\.([12])\.", r"\1\2.", key): value
        for key, value in state.items()
    }
    missing = [k for k in own if k not in fitted and not k.endswith("num_batches_tracked")]
    if missing:
        raise fail("E0703", f"{where} lacks {first_of(missing)}")
    if extra := [key for key in fitted if key not in own]:
        raise fail("E0703", f"{where} has {first_of(extra)}, unknown here")
    try:
        model.load_state_dict(fitted, strict=False)
    except RuntimeError as error:
        raise fail(
            "E0703", f"{where} does not fit: {str(error).splitlines()[-1].strip()}"
        ) from error


def _head(classes: int | None) -> dict[str, int]:
    """Return what both libraries take for a last layer of so many classes."""
    return {} if classes is None else {"num_classes": classes}


def _is_cached(url: str) -> bool:
    """Say whether torch has downloaded a file already."""
    file = Path(urlparse(url).path).name
    return Path(torch.hub.get_dir(), "checkpoints", file).is_file()


def _refuse_unknown(library: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        near = closest(name, names)
        help = f"did you mean `{library}:{near}`?" if near else None
        raise fail("E0703", f"{library} has no network `{name}`", help=help)


def _no_download(name: str, error: Exception, help: str) -> NetDSLError:
    message = f"cannot download the weights of {name}: {first_line(error)}"
    return fail("E0703", message, help=help)
