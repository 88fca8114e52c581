"""Names of modules to weights that do not learn."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from netdsl.suggest import did_you_mean
from netdsl.train.errors import ExitCode, TrainError

BODY = "body"  # every module but the last that has weights
# NOTE: names, kept by the network: its norms may be exchanged for others, as for several processes.
_FROZEN = "_frozen_modules"


def freeze(model: nn.Module, names: tuple[str, ...]) -> tuple[str, ...]:
    """Let only those weights learn whose module is not named; return what does not learn.

    A name stands for a module and all inside it, `body` for all but the last layer with weights.
    `training_mode` keeps the running means of the norms among them, of those without weights too.
    Raises where a name is of no module, or of one without weights and running means, or all weights
    would be frozen; the network is left as it was then.
    """
    own = dict(model.named_parameters())
    modules = {module for name in names for module in _covered(model, name)}
    frozen = tuple(key for key in own if _owner(key) in modules)
    if frozen and len(frozen) == len(own):
        fact = f"{', '.join(names)}: all weights of the network are frozen, none learns"
        raise TrainError(fact, "leave one of them out", ExitCode.USAGE)
    for key, weight in own.items():
        weight.requires_grad_(key not in frozen)
    vars(model)[_FROZEN] = frozenset(modules)
    return frozen


def refuse_unlearnable(model: nn.Module) -> None:
    """Raise where no weight of a network learns: there is nothing to train."""
    if not any(weight.requires_grad for weight in model.parameters()):
        raise TrainError("the network has no weights that could learn", None, ExitCode.USAGE)


def training_mode(model: nn.Module) -> None:
    """Put a network into training mode, but for norms that are frozen, or whose weights are.

    These would go on learning means and variances of the images, which are not theirs to learn.
    """
    model.train()
    frozen = vars(model).get(_FROZEN, frozenset())
    for name, module in model.named_modules():
        if _has_means(module) and (name in frozen or _keeps_weights(module)):
            module.eval()


def _has_means(module: nn.Module) -> bool:
    """Say whether a module is a norm that learns means and variances as it runs."""
    return isinstance(module, _NormBase) and module.track_running_stats


def _keeps_weights(norm: nn.Module) -> bool:
    own = list(norm.parameters(recurse=False))
    return own != [] and not any(weight.requires_grad for weight in own)


def _covered(model: nn.Module, name: str) -> set[str]:
    """Return the names of all modules that a name stands for."""
    modules = dict(model.named_modules())
    owners = [_owner(key) for key, _ in model.named_parameters()]
    if name == BODY and BODY not in modules and owners:
        return set(modules) - {owners[-1]}
    if name == "" or name not in modules:
        known = [key for key in modules if key and "." not in key]
        hint = did_you_mean(name, [*known, BODY], "modules")
        raise TrainError(f"the network has no module {name!r}", hint, ExitCode.USAGE)
    covered = {key for key in modules if key == name or key.startswith(f"{name}.")}
    if covered.isdisjoint(owners) and not any(_has_means(modules[key]) for key in covered):
        fact = f"{name} cannot be frozen: it has neither weights nor running means"
        raise TrainError(fact, "leave it out", ExitCode.USAGE)
    return covered


def _owner(weight: str) -> str:
    """Return the name of the module that has a weight."""
    return weight.rpartition(".")[0]
