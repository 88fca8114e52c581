"""The last `FC` of a file, made to give as many numbers as there are classes."""

from __future__ import annotations

from dataclasses import replace

from netdsl.lower.override import Overrides
from netdsl.ops import CATALOGUE
from netdsl.syntax import tree


def follow_classes(file: tree.File, overrides: Overrides) -> tree.File:
    """Let a last `FC 200` under `classes 200` mean the classes, where these are overridden."""
    declared = [e.value for e in file.header if isinstance(e, tree.Setting) and e.key == "classes"]
    place = _features(file)
    if "classes" not in overrides.names or not declared or place is None:
        return file
    _, features = place
    return end_in_classes(file) if features == declared[0] else file


def end_in_classes(file: tree.File) -> tree.File:
    """Return a file whose last layer, if it is an `FC`, gives a number for each class."""
    place = _features(file)
    if place is None:
        return file
    number, features = place
    *others, last = file.body
    core = last.core
    assert isinstance(core, tree.Layer), "the features are those of a layer"
    follows = tree.Name("classes", features.span)
    arguments = (*core.arguments[:number], follows, *core.arguments[number + 1 :])
    # A shape that says the same, as in `FC 200 :200`, follows too: it would say nothing more.
    asserted = last.shape.values if last.shape else ()
    shape = None if list(map(str, asserted)) == [str(features)] else last.shape
    last = replace(last, core=replace(core, arguments=arguments), shape=shape)
    return replace(file, body=(*others, last))


def _features(file: tree.File) -> tuple[int, tree.Argument] | None:
    """Return the features of a last `FC` and their place among its arguments, if they are said."""
    core = file.body[-1].core if file.body else None
    if not isinstance(core, tree.Layer) or core.name != "FC":
        return None
    flags = CATALOGUE[core.name].flags
    for number, argument in enumerate(core.arguments):
        is_flag = isinstance(argument, tree.Name) and argument.text in flags
        if not isinstance(argument, tree.Option) and not is_flag:
            return number, argument
    return None
