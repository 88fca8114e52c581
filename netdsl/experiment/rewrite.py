"""Tree to tree for ablations: options taken off layers, layers taken out, channels halved."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields, is_dataclass, replace
from typing import Any

from netdsl.errors import Span
from netdsl.lower import says, scale_values
from netdsl.syntax import tree

_HALF = "half_width"


def without_option(file: tree.File, key: str, layers: Collection[str] | None = None) -> tree.File:
    """Return the file without an option of layers, and without it in `default`; of all if None."""

    def kept(layer: str, written: tuple[Any, ...]) -> tuple[Any, ...]:
        if layers is not None and layer not in layers:
            return written
        return tuple(one for one in written if not says(layer, one, key))

    def change(node: Any) -> Any:
        if isinstance(node, tree.Layer):
            return replace(node, arguments=kept(node.name, node.arguments))
        if isinstance(node, tree.Combine):
            return replace(node, options=kept(node.name, node.options))
        if isinstance(node, tree.Default):
            return replace(node, options=kept(node.layer, node.options))
        return node

    changed: tree.File = _mapped(file, change)
    header = tuple(e for e in changed.header if not isinstance(e, tree.Default) or e.options)
    return replace(changed, header=header)


def bare(file: tree.File, layer: str) -> tree.File:
    """Return the file with all layers of a name as they are without arguments."""

    def change(node: Any) -> Any:
        if isinstance(node, tree.Layer) and node.name == layer:
            return replace(node, arguments=())
        return node

    found: tree.File = _mapped(file, change)
    return found


def without_layer(file: tree.File, layer: str) -> tree.File:
    """Return the file without the layers of a name, and without groups that hold nothing else."""

    def change(node: Any) -> Any:
        if not (isinstance(node, tuple) and any(isinstance(item, tree.Item) for item in node)):
            return node
        return tuple(item for item in node if not _is_gone(item, layer))

    found: tree.File = _mapped(file, change)
    return found


def half_as_wide(file: tree.File, scale: str | None) -> tuple[tree.File, str]:
    """Return the file with a scale of half the channels, and its name; what `scale` says holds."""
    scales = {entry.name: entry for entry in file.header if isinstance(entry, tree.Scale)}
    said = scales[scale].options if scale else ()
    width = scale_values(scales[scale]).get("width", 1) if scale else 1
    half = tree.Option("width", tree.Number(f"{float(width) / 2:g}"))
    kept = tuple(option for option in said if option.key != "width")
    return replace(file, header=(*file.header, tree.Scale(_HALF, (half, *kept)))), _HALF


def _is_gone(item: tree.Item, layer: str) -> bool:
    core = item.core
    if isinstance(core, tree.Layer):
        return core.name == layer
    return isinstance(core, tree.Group) and not core.body


def _mapped(node: Any, change: Callable[[Any], Any]) -> Any:
    """Return a tree with every node changed, from the leaves upwards."""
    if isinstance(node, tuple):
        return change(tuple(_mapped(one, change) for one in node))
    if not is_dataclass(node) or isinstance(node, type | Span):
        return node
    said = {f.name: _mapped(getattr(node, f.name), change) for f in fields(node) if f.init}
    return change(replace(node, **said))
