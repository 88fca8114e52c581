"""Warnings about networks that are legal and probably not meant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence

from netdsl.amounts import counted, sized
from netdsl.errors import Diagnostic, Span
from netdsl.ir import Graph, Node, Settings, Shape, Size
from netdsl.measure.branches import stuck_branches
from netdsl.measure.totals import additions, total
from netdsl.ops.act import Activation
from netdsl.ops.channels import LayerScale
from netdsl.ops.convolution import Convolution, TransposedConvolution
from netdsl.ops.dense import Flatten, Linear
from netdsl.ops.norm import Normalization
from netdsl.ops.pool import AvgPoolTo, GlobalAvgPool
from netdsl.ops.regularise import Dropout
from netdsl.ops.torch_layer import TorchLayer
from netdsl.ops.wiring import ShortcutAdd, StochasticDepth
from netdsl.syntax.torch_arguments import LARGEST_KERNEL

LARGE = 10**6
LARGE_KERNEL = 9
_SELDOM_TWICE = (Activation, Normalization, GlobalAvgPool, Flatten)
_IDEMPOTENT = ("relu", "relu6")  # the second of two others makes another function
_OFF = {"norm": "norm=none", "activation": "act=none"}


def advise(
    graph: Graph, settings: Settings, spans: Mapping[str, Span], defaults: Container[str]
) -> Iterator[Diagnostic]:
    """Yield what a careful colleague would point out.

    `spans` says where the file has settings, and `defaults` which options have one: `Conv.p`.
    """
    drop_path = spans.get("drop_path")
    yield from _large(graph)
    yield from turned(graph, spans)
    yield from _sizes(graph, defaults)
    yield from _bare_sums(graph)
    if settings.residual:  # a plain twin may have two where a sum was between them
        yield from _doubled(graph)
        yield from _repeated(graph)
    yield from count_scores(graph, settings)
    if not settings.residual and (sums := additions(graph)):
        times = "once" if sums == 1 else f"{sums} times"
        yield Diagnostic("N0514", f"what `Add` adds stays in a plain network, here {times}")
    if not settings.residual and settings.drop_path:
        message = "a plain network has no stochastic depth: drop_path is ignored"
        yield Diagnostic("N0504", message, drop_path)
    if settings.residual and settings.drop_path and not _drops(graph):
        is_around = any(isinstance(node.op, ShortcutAdd) for node in graph)
        why = "no block has a shortcut" + ", and a Res around blocks drops none" * is_around
        yield Diagnostic("W0502", f"the setting `drop_path` is never used: {why}", drop_path)
    if settings.residual and settings.init == "zero_last":
        yield from _stuck(graph)


def _sizes(graph: Graph, defaults: Container[str]) -> Iterator[Diagnostic]:
    """Warn of kernels that look like sizes of outputs, padded patches, and an idle `Deconv`."""
    found: dict[Span | None, Diagnostic] = {}
    for node in graph:
        if (odd := _odd_size(graph, node, defaults)) and node.span not in found:
            message, help = odd
            found[node.span] = Diagnostic("W0515", message, node.span, help=help)
    yield from found.values()


def _odd_size(graph: Graph, node: Node, defaults: Container[str]) -> tuple[str, str] | None:
    """Return what is odd about the kernel or the stride of a convolution, and what is meant."""
    op, shape = node.op, node.shape
    if isinstance(op, TransposedConvolution) and op.kernel == op.stride == (1, 1):
        message = "a Deconv without kernel and stride leaves the map as large as it is"
        return message, f"`Deconv {op.channels} s2` doubles it"
    if not isinstance(op, Convolution):
        return None
    if op.kernel == op.stride and not _is_brought(node) and _pads_unsaid(op, node.span, defaults):
        message = f"patches of {sized(op.kernel)} lie side by side, and are padded"
        pad = op.padding[0] if len({*op.padding}) == 1 else f"={sized(op.padding)}"
        return message, f"`p0` begins at the first pixel; write `p{pad}` if the padding is meant"
    if shape.hw == (1, 1) or _says("k", node.span, defaults):
        return None
    (x,) = graph.input_shapes(node)
    if _fills(op, x.hw, shape.hw):
        so = "as large as the map"
    elif _is_dense(op) and min(op.kernel) > LARGEST_KERNEL:
        so, shape = "larger than any that is usual", Shape(op.channels, *op.kernel)
    else:
        return None
    height, width = op.kernel
    kernel = f"k{height}" if height == width else f"k={height}x{width}"
    help = f"the shape of an output is written `:{shape}`, behind the layer; write `{kernel}` if "
    return f"`{sized(op.kernel)}` is a kernel here, and {so}", f"{help}it is meant"


def _pads_unsaid(op: Convolution, span: Span | None, defaults: Container[str]) -> bool:
    """Say whether a convolution pads as odd kernels do, and nobody names its padding."""
    usual = (op.kernel[0] // 2, op.kernel[1] // 2)
    return any(op.padding) and op.padding == usual and not _says("p", span, defaults)


def _says(option: str, span: Span | None, defaults: Container[str]) -> bool:
    """Say whether a layer names an option of one letter, as `k7` or `k=7x7`, or a default of it."""
    if span is None:
        return False
    if re.search(rf"(?<![A-Za-z_]){option}(?:\s*=|\d)", span.text):
        return True
    has_size = option == "k" and re.search(r"\d\s*[x×]\s*\d", span.text)  # which is another kernel
    code = re.match("[A-Za-z]*", span.text)
    return not has_size and code is not None and f"{code[0]}.{option}" in defaults


def _fills(op: Convolution, before: Size, behind: Size) -> bool:
    """Say whether a kernel is as large as the map; a small one only where the map stays so."""
    if max(op.kernel) > LARGE_KERNEL:
        return op.kernel in (before, behind)
    return _is_dense(op) and min(op.kernel) > 5 and op.kernel == before == behind


def _is_dense(op: Convolution) -> bool:
    """Say whether a convolution of stride 1 mixes all channels into several.

    Those of one channel alone have large kernels (ConvNeXt), and so have the gates of CBAM.
    """
    return op.stride == (1, 1) and op.groups == 1 < op.channels


def _bare_sums(graph: Graph) -> Iterator[Diagnostic]:
    """Warn of a head that reads the sum of blocks which norm or activate what they read."""
    first: dict[str, Node] = {}
    for node in graph:
        first.setdefault(node.layer, node)
        if not isinstance(node.op, GlobalAvgPool | Flatten | Linear):
            continue
        (end,) = graph.inputs(node)
        if isinstance(end.op, Dropout):
            (end,) = graph.inputs(end)
        if isinstance(end.op, ShortcutAdd) and end.layer in first:
            begin = first[end.layer]
            if begin.name != end.name and (_is_norm(begin) or _is_act(begin)):
                behind = "Norm  Act" if _is_norm(begin) else "Act"
                message = f"what `{end.layer}` adds up goes to the head as it is"
                help = f"behind the last block of this order stands `{behind}` (He et al. 2016)"
                yield Diagnostic("W0516", message, node.span, help=help)


def _drops(graph: Graph) -> bool:
    return any(isinstance(node.op, StochasticDepth) for node in graph)


def _stuck(graph: Graph) -> Iterator[Diagnostic]:
    for span, stop in {end.span: stop for end, stop in stuck_branches(graph)}.items():
        what, instead = "a ReLU", "end it with `act=none`"
        if isinstance(stop, TorchLayer):
            instead = f'end it without `Torch "{stop.target}"`'
        if isinstance(stop, LayerScale):
            what, instead = "a LayerScale of 0", "let the factor begin at another number"
        message = f"the branch begins at zero and stays there: {what} behind its end learns nothing"
        help = f"{instead}, or leave `init zero_last` away"
        yield Diagnostic("W0508", message, span, help=help)


def turned(graph: Graph, spans: Mapping[str, Span]) -> Iterator[Diagnostic]:
    """Warn of an input that looks like height x width x channels, as arrays of images are."""
    c, h, w = graph.input.shape.channels, *graph.input.shape.hw
    if c == h > w and (w in (1, 3) or h > 4 * w):
        message = f"the input has {c} channels and a width of {w}"
        help = f"it is written channels x height x width: `input {w}x{c}x{h}`"
        yield Diagnostic("W0510", message, spans.get("input"), help=help)


def _doubled(graph: Graph) -> Iterator[Diagnostic]:
    """Warn of a `Norm` or an `Act` behind a layer that brings its own.

    Whoever translates `Conv2d BatchNorm2d ReLU` word by word has each of them twice.
    """
    written = [node for node in graph if not _is_brought(node)]
    places = Counter(node.span for node in written)
    found: dict[Span | None, list[tuple[str, str]]] = {}
    doubled = [(node, twice) for node in written if (twice := _brought(graph, node))]
    readers = graph.consumers() if doubled else {}
    for node, twice in doubled:
        if not _is_branch(graph, node, readers):
            found.setdefault(node.span, []).append(twice)
    for span, those in found.items():
        kind, layer = those[0]
        message = f"`{layer}` has its {kind} already, and this is another one behind it"
        help = f"leave it away, or give the layer before it `{_OFF[kind]}`"
        if len(those) < places[span]:  # a block that is called behind others too
            message += f", {len(those)} of {places[span]} times"
            help = f"give the layer before it `{_OFF[kind]}`"
        yield Diagnostic("W0511", message, span, help=help)


def _repeated(graph: Graph) -> Iterator[Diagnostic]:
    """Warn of a layer right behind the same one, which in most cases leaves it nothing to do."""
    places = Counter(node.span for node in graph)
    found: dict[Span | None, list[Node]] = {}
    for node in graph:
        if isinstance(node.op, _SELDOM_TWICE) and node.inputs and not _is_brought(node):
            (before,) = graph.inputs(node)
            if before.op == node.op and not _is_brought(before):
                found.setdefault(node.span, []).append(before)
    for span, before_it in found.items():
        if len(before_it) == places[span]:  # a block may be called behind others too
            first, *_ = before_it
            is_enough = not isinstance(first.op, Activation) or first.op.kind in _IDEMPOTENT
            message = f"`{first.name}` before it is the same{', and once is enough' * is_enough}"
            yield Diagnostic("W0511", message, span, help="leave one of the two away")


def _is_branch(graph: Graph, node: Node, readers: Mapping[str, Sequence[str]]) -> bool:
    """Say whether a node is a whole branch by itself, as the norm of RepVGG beside convolutions."""
    joins = all(len(graph[name].inputs) > 1 for name in readers[node.name])
    return joins and len(readers[node.inputs[0]]) > 1


def _brought(graph: Graph, node: Node) -> tuple[str, str] | None:
    """Return what the layer before a norm or an activation brings of that kind, and its name."""
    if not node.inputs:
        return None
    before = graph.inputs(node)[0]
    if _is_norm(node):
        if _is_act(before) and _is_brought(before):
            before = graph.inputs(before)[0]
        return ("norm", before.layer) if _is_norm(before) and _is_brought(before) else None
    both = _is_act(node) and _is_act(before) and _is_brought(before)
    return ("activation", before.layer) if both else None


def _is_act(node: Node) -> bool:
    return isinstance(node.op, Activation) and node.op.kind != "none"


def _is_norm(node: Node) -> bool:
    return isinstance(node.op, Normalization)


def _is_brought(node: Node) -> bool:
    """Say whether a node comes with another layer, and was not written itself."""
    return node.name != node.layer


def count_scores(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Yield an error where a vector, or a map of 1x1, at the end has not one score a class."""
    output = graph.output
    is_vector = not output.shape.is_map or output.shape.hw == (1, 1)
    if is_vector and settings.classes not in (None, output.shape.channels):
        scores = counted(output.shape.channels, "score")
        message = f"the network gives {scores} for {counted(settings.classes or 0, 'class')}"
        yield Diagnostic("E0310", message, output.span, help="write `FC classes`")


def _large(graph: Graph) -> Iterator[Diagnostic]:
    params = total(graph).params
    for node in graph:
        if not isinstance(node.op, Linear):
            continue
        (x,) = graph.inputs(node)
        own = graph.cost(node).params
        if isinstance(x.op, Flatten) and own > LARGE and 2 * own > params:
            (image,) = graph.inputs(x)
            # Whoever writes `AvgTo 7` in front means the flattened map to have that size (VGG).
            chosen = isinstance(image.op, AvgPoolTo)
            if image.shape.is_map and image.shape.hw != (1, 1) and not chosen:
                left = params - own + (image.shape.channels + node.op.bias) * node.op.features
                message = (
                    f"FC {node.op.features} flattens {image.shape}: {own:,} of {params:,} "
                    f"parameters; `GAP` before it leaves {left:,}"
                )
                yield Diagnostic("W0501", message, node.span)
