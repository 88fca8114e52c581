"""A network to one that gives the same without the batch norms behind its convolutions."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import fuse_conv_bn_eval, fuse_linear_bn_eval

from netdsl.first_line import first_line

_CONVOLUTIONS = (
    (nn.Conv1d, nn.BatchNorm1d),
    (nn.Conv2d, nn.BatchNorm2d),
    (nn.Conv3d, nn.BatchNorm3d),
)
# They give as many dimensions as they read.
_KEEPING = (nn.Linear, nn.BatchNorm1d, nn.Dropout, nn.Identity, nn.ReLU, nn.GELU, nn.SiLU)


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """A network in evaluation mode; `folded` of its `norms` batch norms are part of others now.

    `reason` says why none is, where the network cannot be traced or its layers not fused.
    """

    model: nn.Module
    norms: int
    folded: int
    reason: str | None = None


def fold(model: nn.Module) -> Folded:
    """Return a copy, on the CPU, with each batch norm folded into the layer whose output it reads.

    That is a convolution or a linear layer that nobody else reads, so that its weights and its
    bias can take over the scale and the shift. A norm behind anything else stays, as in blocks
    that normalise before they convolve. The network that is given stays as it is.
    """
    copied = copy.deepcopy(model).cpu().eval().requires_grad_(False)
    norms = sum(isinstance(module, _BatchNorm) for module in copied.modules())
    try:
        traced = _traced(copied)
        fused = [(*pair, _fused(traced, *pair)) for pair in _pairs(traced)]
    except Exception as error:  # forwards and layers may be anybody's
        return Folded(copied, norms, 0, first_line(error))
    for layer, norm, module in fused:
        traced.set_submodule(str(layer.target), module)
        norm.replace_all_uses_with(layer)
        traced.graph.erase_node(norm)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return Folded(traced, norms, len(fused))


def _traced(model: nn.Module) -> fx.GraphModule:
    if _has_hooks(model):  # which tracing would lose; those of modules inside are kept
        raise ValueError("the network has hooks, which cannot be traced")
    return fx.symbolic_trace(model)


def _has_hooks(module: nn.Module) -> bool:
    """Say whether somebody changes what a module reads or gives, as pruning does."""
    return bool(module._forward_pre_hooks or module._forward_hooks)


def _is_changed(module: nn.Module) -> bool:
    """Say whether a module has hooks or a `forward` of its own, and computes something else."""
    return _has_hooks(module) or "forward" in vars(module)


def _pairs(traced: fx.GraphModule) -> Iterator[tuple[fx.Node, fx.Node]]:
    """Yield each layer with the batch norm that can be folded into it."""
    modules = dict(traced.named_modules())
    calls = [node for node in traced.graph.nodes if node.op == "call_module"]
    uses = Counter(str(node.target) for node in calls)
    # Weights that the forward reads by itself are not to change under it.
    read = {str(n.target).rpartition(".")[0] for n in traced.graph.nodes if n.op == "get_attr"}
    for norm in calls:
        if not norm.args or not isinstance(norm.args[0], fx.Node):
            continue
        layer = norm.args[0]
        alone = len(layer.users) == 1 and uses[str(layer.target)] == uses[str(norm.target)] == 1
        if (
            layer in calls
            and alone
            and str(layer.target) not in read
            and _fits(modules, layer, norm)
        ):
            yield layer, norm


def _fits(modules: Mapping[str, nn.Module], layer: fx.Node, norm: fx.Node) -> bool:
    before, after = modules[str(layer.target)], modules[str(norm.target)]
    if _is_changed(before) or _is_changed(after) or getattr(after, "running_mean", None) is None:
        return False
    # NOTE: exact types, for a subclass may compute something else.
    kinds = (type(before), type(after))
    linear = kinds == (nn.Linear, nn.BatchNorm1d) and _is_flat(modules, layer)
    return linear or kinds in _CONVOLUTIONS


def _is_flat(modules: Mapping[str, nn.Module], node: fx.Node) -> bool:
    """Say whether a node is known to give (N, C), as behind a flatten.

    Of (N, L, C) a linear layer changes the last dimension, and a batch norm the one before it.
    """
    if node.op != "call_module":
        dimensions = (*node.args[1:], *node.kwargs.items())
        is_first = dimensions in ((1,), (("start_dim", 1),))
        return node.target in ("flatten", torch.flatten) and is_first
    module, before = modules[str(node.target)], next(iter(node.args), None)
    if type(module) is nn.Flatten:
        return (module.start_dim, module.end_dim) == (1, -1)
    return type(module) in _KEEPING and isinstance(before, fx.Node) and _is_flat(modules, before)


def _fused(traced: fx.GraphModule, layer: fx.Node, norm: fx.Node) -> nn.Module:
    """Return a layer with the numbers of both, computed in float64 and rounded once."""
    before, after = (traced.get_submodule(str(node.target)) for node in (layer, norm))
    kind = next(before.parameters()).dtype
    fuse = fuse_linear_bn_eval if isinstance(before, nn.Linear) else fuse_conv_bn_eval
    exact = (copy.deepcopy(module).double() for module in (before, after))
    fused: nn.Module = fuse(*exact)  # type: ignore[arg-type,type-var]
    return fused.to(kind).requires_grad_(False)
