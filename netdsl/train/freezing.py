"""Names of modules to weights that do not learn."""

from __future__ import annotations

from torch import nn

from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.suggest import did_you_mean

BODY = "body"  # every module but the last that has weights


def freeze(model: nn.Module, names: tuple[str, ...]) -> tuple[str, ...]:
    """Let only those weights learn whose module is not named; return what does not learn.

    A name stands for a module and all inside it, `body` for all but the last layer with weights.
    `training_mode` keeps the running means of frozen norms. Raises where a name is of no module,
    or all weights would be frozen; the network is left as it was then.
    """
    own = dict(model.named_parameters())
    frozen = {key for name in names for key in _inside(model, name, tuple(own))}
    if frozen and len(frozen) == len(own):
        fact = f"{', '.join(names)}: all weights of the network are frozen, none learns"
        raise TrainError(fact, "leave one of them out", ExitCode.USAGE)
    for key, weight in own.items():
        weight.requires_grad_(key not in frozen)
    return tuple(key for key in own if key in frozen)


def refuse_unlearnable(model: nn.Module) -> None:
    """Raise where no weight of a network learns: there is nothing to train."""
    if not any(weight.requires_grad for weight in model.parameters()):
        raise TrainError("the network has no weights that could learn", None, ExitCode.USAGE)


def training_mode(model: nn.Module) -> None:
    """Put a network into training mode, but for norms whose weights are frozen.

    These would go on learning means and variances of the images, which are not theirs to learn.
    """
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        norm = isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.SyncBatchNorm)
        if norm and own and not any(weight.requires_grad for weight in own):
            module.eval()


def _inside(model: nn.Module, name: str, weights: tuple[str, ...]) -> set[str]:
    modules = dict(model.named_modules())
    if name == BODY and BODY not in modules:
        head = weights[-1].rpartition(".")[0]
        return {key for key in weights if key.rpartition(".")[0] != head}
    if name not in modules:
        known = [key for key in modules if key and "." not in key]
        hint = did_you_mean(name, [*known, BODY], "modules")
        raise TrainError(f"the network has no module {name!r}", hint, ExitCode.USAGE)
    return {key for key in weights if key.startswith(f"{name}.")}
