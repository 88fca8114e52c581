"""Makes every shortcut fit: an identity where the shapes agree, else what its policy says."""

from __future__ import annotations

from dataclasses import replace

from netdsl.amounts import sized
from netdsl.errors import Diagnostic, Misfit, NetDSLError
from netdsl.ir import UNKNOWN, Graph, Node, Shape, Size
from netdsl.ir.limits import PARAMETERS
from netdsl.ops.blocks import PROJECTING
from netdsl.ops.convolution import Convolution, has_bias
from netdsl.ops.pool import AvgPool
from netdsl.ops.wiring import (
    AveragePad,
    Shortcut,
    ShortcutAdd,
    StochasticDepth,
    ZeroPad,
    border,
    with_border,
)


def fit_shortcuts(graph: Graph) -> Graph:
    """Replace every `Shortcut`; raise if one cannot be made to fit.

    Under the policy `identity` a shortcut whose shapes differ is left out, with its addition and
    its stochastic depth.
    """
    if not any(isinstance(node.op, Shortcut) for node in graph):
        return graph.prune()
    absent, found = absent_shortcuts(graph), misfits(graph)
    findings = list(found.values())

    def change(node: Node, rebuilt: Graph) -> Node:
        if node.name in absent:
            return rebuilt[node.inputs[0]]
        if not isinstance(node.op, Shortcut):
            return node
        x, entry = rebuilt.inputs(node)
        if node.name in found:
            return x
        try:
            return _fitted(node, node.op, x, entry, rebuilt)
        except Misfit as misfit:
            found_here = Diagnostic(misfit.code, misfit.message, node.span, help=misfit.help)
            findings.append(found_here.within(node.calls))
            return x

    fitted = graph.map(change)
    if findings:
        raise NetDSLError(*findings)
    return fitted.prune()


def misfits(graph: Graph) -> dict[str, Diagnostic]:
    """Return what is wrong with shortcuts by their nodes, so far as shapes are known."""
    absent, found = absent_shortcuts(graph), dict[str, Diagnostic]()
    for node in graph:
        if isinstance(node.op, Shortcut) and node.name not in absent:
            x, _ = graph.input_shapes(node)
            diagnostic = None if UNKNOWN in (x, node.op.target) else _misfit(node, node.op, x)
            if diagnostic:
                found[node.name] = diagnostic.within(node.calls)
    return found


def absent_shortcuts(graph: Graph) -> set[str]:
    """The nodes of every residual block that has no shortcut under the policy `identity`."""
    absent: set[str] = set()
    for node in graph:
        if isinstance(node.op, ShortcutAdd):
            branch, shortcut = graph.inputs(node)
            op = shortcut.op
            if not isinstance(op, Shortcut):  # it was fitted
                continue
            if op.is_absent(graph[shortcut.inputs[0]].shape):
                absent |= {node.name, shortcut.name}
                if isinstance(branch.op, StochasticDepth):
                    absent.add(branch.name)
    return absent


def _misfit(node: Node, op: Shortcut, x: Shape) -> Diagnostic | None:
    """Say why no shortcut of this policy leads from `x` to the end of the branch."""
    y = op.target
    if x == y and op.policy != "always":
        return None
    if not (x.is_map and y.is_map):
        return _misfit_of_vectors(node, op, x)
    if ZeroPad(op.stride, 0).infer(x).hw != y.hw:
        message = f"no shortcut leads from {x} to {y}"
        help = f"the branch has a stride of {_stride(op)}, and its map is not input / stride"
        return Diagnostic("E0304", message, node.span, help=f"{help}{_written_out(op, x)}")
    if op.policy in ("pad", "avgpad") and y.channels < x.channels:
        message = f"a shortcut that pads cannot go from {x.channels} to {y.channels} channels"
        return Diagnostic("E0304", message, node.span, help="use `shortcut=project`")
    return None


def _written_out(op: Shortcut, x: Shape) -> str:
    """Say how a shortcut of stride 1 is written that is cropped, or padded, to the branch."""
    n = border(x, op.target) if op.stride == (1, 1) else None
    if n is None:
        return ""
    fitted = "" if x.channels == op.target.channels else f" Conv {op.target.channels} 1x1 act=none"
    return f"; `Res( … | {with_border(n)}{fitted} )` {'crops' if n < 0 else 'pads'} the shortcut"


def _misfit_of_vectors(node: Node, op: Shortcut, x: Shape) -> Diagnostic | None:
    """Say the same where an end of the branch is a vector, which zeros alone make fit."""
    y = op.target
    help = None if y.is_map else f"write it out, as in `Res( … | FC {y} act=none )`"
    if x.is_map != y.is_map:
        return Diagnostic("E0304", f"no shortcut leads from {x} to {y}", node.span, help=help)
    if op.policy in PROJECTING:
        message = f"a projection needs a feature map, and {x} is a vector"
        return Diagnostic("E0304", message, node.span)
    if y.channels < x.channels:
        message = f"a shortcut that pads cannot go from {x} to {y} channels"
        return Diagnostic("E0304", message, node.span, help=help)
    return None


def _fitted(node: Node, op: Shortcut, x: Node, entry: Node, graph: Graph) -> Node:
    if op.policy == "always" or (op.policy in PROJECTING and x.shape != op.target):
        return _project(node, op, entry if op.norm_place == "shared" else x, graph)
    if x.shape == op.target:
        return x
    pad = ZeroPad if op.policy == "pad" else AveragePad
    return replace(node, op=pad(op.stride, op.target.channels - x.shape.channels), inputs=(x.name,))


def _project(node: Node, op: Shortcut, x: Node, graph: Graph) -> Node:
    """Add the projection with its norm, and return the last of the two."""
    params = op.kernel**2 * x.shape.channels * op.target.channels
    if params > PARAMETERS:
        message = f"a projection of {params:,} parameters exceeds the limit of {PARAMETERS:,}"
        raise Misfit("E0403", message)
    p, stride = (op.kernel - 1) // 2, op.stride
    if op.policy == "avgproject" and stride != (1, 1):
        x, stride = _average(node, stride, x, graph), (1, 1)
    convolution = Convolution(
        op.target.channels, (op.kernel, op.kernel), stride, (p, p),
        bias=has_bias(op.bias, op.norm), counted=False,
    )  # fmt: skip
    norm = replace(node, name=f"{node.name}_norm", op=op.normalization)
    if op.norm != "none" and op.norm_place == "before":
        op.normalization.infer(x.shape)
        x = graph.add(replace(norm, inputs=(x.name,), shape=x.shape))
    project = replace(node, op=convolution, inputs=(x.name,))
    if op.norm != "none" and op.norm_place == "after":
        op.normalization.infer(op.target)
        graph.add(project)
        return replace(norm, inputs=(project.name,))
    return project


def _average(node: Node, stride: Size, x: Node, graph: Graph) -> Node:
    """Add the average pool that leaves the projection a stride of 1, and return it."""
    height, width = map(min, stride, x.shape.hw)  # no window is larger than the map
    pool = AvgPool((height, width), stride, ceil=True)
    shape = pool.infer(x.shape)
    name = f"{node.name}_pool"
    return graph.add(replace(node, name=name, op=pool, inputs=(x.name,), shape=shape))


def _stride(op: Shortcut) -> str:
    return sized(dict.fromkeys(op.stride))
