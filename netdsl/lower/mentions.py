"""Trees to what they mention: words, layers, and the definitions that these lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache

from netdsl.errors import Span
from netdsl.syntax import tree

# Types of what a node holds, as they are annotated: most of a tree, which no walk need enter.
_MENTIONS_NOTHING = ("str", "int", "bool", "Span", "tuple[int, ...]")


def reachable(
    body: tree.Body, definitions: Mapping[str, tree.Definition]
) -> tuple[set[str], set[str]]:
    """Return the words that a body leads to, and the definitions that it calls.

    What a count of 0 leaves out is among them: another scale may put it in.
    """
    words, called = names_in(body), set[str]()
    waiting = layers_in(body) & definitions.keys()
    while waiting:
        definition = definitions[waiting.pop()]
        called.add(definition.name)
        words |= free_names(definition)
        waiting |= (layers_in(definition.body) & definitions.keys()) - called
    return words, called


def free_names(definition: tree.Definition) -> set[str]:
    """Return the words that a definition reads from around it.

    A default may read the parameters before its own: in `def A(c=c)` the second `c` is another.
    """
    formals = [formal.name for formal in definition.formals]
    words = names_in(definition.body) - {*formals}
    for number, formal in enumerate(definition.formals):
        words |= names_in(formal.default) - {*formals[:number]}
    return words


def names_in(node: object) -> set[str]:
    """Return every bare word below a node of the tree."""
    return {n.text for n in _below(node) if isinstance(n, tree.Name)}


def layers_in(node: object) -> set[str]:
    """Return the name of every layer and combination below a node of the tree."""
    return {n.name for n in _below(node) if isinstance(n, tree.Layer | tree.Combine)}


def written_layers(node: object) -> list[tree.Layer]:
    """Return every layer below a node of the tree, in the order of the text."""
    layers = (n for n in _below(node) if isinstance(n, tree.Layer))
    return sorted(layers, key=lambda layer: layer.span.start)


def options_in(node: object, key: str) -> Iterator[tuple[str, Span, tree.Option]]:
    """Yield every option of this name, behind the name and the place of the layer that has it."""
    for n in _below(node):
        match n:
            case tree.Layer(name, arguments, span=place) | tree.Combine(
                name, arguments, name_span=place
            ):
                for one in arguments:
                    if isinstance(one, tree.Option) and one.key == key:
                        yield name, place, one


def _below(node: object) -> Iterator[object]:
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, tuple):
            stack += top
        else:
            yield top
            kind: type = type(top)
            parts = [getattr(top, name) for name in _parts(kind)]
            stack += [part for part in parts if part is not None]


@cache
def _parts(kind: type) -> tuple[str, ...]:
    """Return what a node of the tree holds that may mention something: no label is a word."""
    held = fields(kind) if is_dataclass(kind) else ()
    parts = [part.name for part in held if part.type not in _MENTIONS_NOTHING]
    return tuple(name for name in parts if name not in ("label", "reads"))
