"""What of a file was meant otherwise than it is read: an input, numbers of layers, notes."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import replace

from netdsl.errors import Diagnostic, Span
from netdsl.ir import Report
from netdsl.lower.arithmetic_mistakes import WIDTHS
from netdsl.lower.environment import Environment
from netdsl.lower.mentions import written_layers
from netdsl.lower.names import unknown_layer
from netdsl.ops import CATALOGUE
from netdsl.syntax import tree
from netdsl.syntax.lexemes import lexemes


def with_input(file: tree.File, report: Report) -> tree.File:
    """Return a file with what a first `Input 3x64x64` says in its header, where it is refused."""
    first = file.body[0].core if file.body else None
    own = [entry.name for entry in file.header if isinstance(entry, tree.Definition)]
    if not isinstance(first, tree.Layer) or first.name != "Input" or "Input" in own:
        return file
    shape, *rest = first.arguments or (None,)
    if not isinstance(shape, tree.Dims | tree.Number):
        return file
    pairs: list[tuple[Span, str, tree.Value]] = [(first.name_span, "input", shape)]
    for key, value in zip(rest[::2], rest[1::2], strict=False):
        if isinstance(key, tree.Name) and not isinstance(value, tree.Option | tree.Pinned):
            pairs.append((key.span, key.text, value))
    for diagnostic in unknown_layer("Input", first.name_span, ()).diagnostics:
        report(diagnostic)
    settings = (tree.Setting(key, value, at, at.to(value.span)) for at, key, value in pairs)
    return replace(file, header=(*file.header, *settings), body=file.body[1:])


def warn_of_numbered_layers(file: tree.File, report: Report) -> None:
    """Warn of `Conv1 Conv2 Conv3`, whose numbers tell the layers apart and are read as widths."""
    named: dict[str, list[tree.Layer]] = {}
    for layer in written_layers((file.header, file.body)):
        named.setdefault(layer.name, []).append(layer)
    for name, layers in named.items():
        width = next(iter(CATALOGUE[name].positional), "") if name in CATALOGUE else ""
        is_row = [_glued(layer) for layer in layers] == list(range(1, len(layers) + 1))
        if width in WIDTHS and layers[1:] and is_row:
            message = f"`{name}2` is a layer of 2 {width}"
            help = f"the number of a layer is left away, and its {width} are written: `{name} 64`"
            report(Diagnostic("W0515", message, layers[1].span, help=help))


def _glued(layer: tree.Layer) -> object:
    """Return the number that is glued to the name of a layer."""
    first = layer.arguments[0] if layer.arguments else None
    if isinstance(first, tree.Number) and first.span.start == layer.name_span.end:
        return first.value
    return None


def warn_of_layers_in_comments(file: tree.File, environment: Environment, report: Report) -> None:
    """Warn of `#2 Conv 64`: the mark of a note, or the number of a line, hides what follows."""
    known = {*CATALOGUE, *environment.definitions}
    for comment in file.comments:
        found = re.match(r"(#\d+)\s+(.+)", comment.text)
        if found and _are_layers(found[2], known) and not _is_remark(comment, found[2]):
            message = f"`{found[1]}` begins a comment: the layers behind it are left out"
            help = f"delete `{found[1]}`; a comment that is meant begins with `# `"
            report(Diagnostic("W0517", message, comment.span, help=help))


def _is_remark(comment: tree.Comment, text: str) -> bool:
    """Say whether a comment is about the layer before it, as in `Max 2  #2 Max`.

    With other numbers it is another layer: `Conv 64  #2 Conv 128`.
    """
    before = comment.span.source.text[: comment.span.start].rpartition("\n")[2]
    layer = re.search(r"[A-Z][A-Za-z_]*[^A-Z]*\Z", before)
    of_layer, said = (
        [word.text for word in lexemes(one)] for one in (layer[0] if layer else "", text)
    )
    return of_layer[: len(said)] == said


def _are_layers(text: str, known: Container[str]) -> bool:
    """Say whether a text begins with a layer, names none that is not there, and has no prose."""
    words = lexemes(re.sub(r"\b[a-z_]+=\S+", "", text))
    names = [word.text for word in words if word.kind == "layer"]
    is_code = all(name in known for name in names)
    is_prose = any(word.kind in ("word", "other") for word in words)
    return bool(words) and words[0].kind == "layer" and is_code and not is_prose
