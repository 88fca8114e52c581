"""Layers that are never built, by a count of 0 or for want of a call: what is wrong with them."""

from __future__ import annotations

from collections.abc import Container, Iterable

from netdsl.errors import NetDSLError
from netdsl.ir import Report
from netdsl.lower.bind_mistakes import missing_argument, unknown_option
from netdsl.lower.count import check_call
from netdsl.lower.environment import Environment
from netdsl.lower.mentions import written_layers
from netdsl.lower.names import COMBINATIONS, unknown_layer
from netdsl.ops import CATALOGUE, LayerType, arguments
from netdsl.ops.torch_layer import TorchLayer
from netdsl.syntax import tree


def refuse_left_out(
    bodies: Iterable[object], built: Container[int], environment: Environment, report: Report
) -> None:
    """Report layers that would be errors whatever their numbers are, of those not `built`.

    Another scale may build them. `built` holds the `id` of layers whose mistakes are told already.
    """
    for layer in written_layers(tuple(bodies)):
        if id(layer) not in built:
            try:
                _refuse(layer, environment)
            except NetDSLError as error:
                for diagnostic in error.diagnostics:
                    report(diagnostic)


def _refuse(layer: tree.Layer, environment: Environment) -> None:
    if layer.name in environment.definitions:
        check_call(layer, environment.definitions[layer.name])
    elif layer.name not in CATALOGUE:
        known = (*CATALOGUE, *environment.definitions, *COMBINATIONS)
        raise unknown_layer(layer.name, layer.name_span, known)
    elif CATALOGUE[layer.name] is not TorchLayer:
        _refuse_arguments(layer, CATALOGUE[layer.name], environment)


def _refuse_arguments(layer: tree.Layer, cls: LayerType, environment: Environment) -> None:
    """Raise for an option that a layer does not have, and for an argument that it lacks."""
    known = arguments(cls)
    options = [one for one in layer.arguments if isinstance(one, tree.Option)]
    for option in options:
        if option.key not in known:
            raise unknown_option(option, cls.code, tuple(known))
    numbers = [
        one
        for one in layer.arguments
        if not isinstance(one, tree.Option | tree.Dims)
        and not (isinstance(one, tree.Name) and one.text in cls.flags)
    ]
    given = {*cls.positional[: len(numbers)], *(option.key for option in options)}
    given |= {*environment.defaults.layers.get(cls.code, ())}
    given |= {cls.size for one in layer.arguments if isinstance(one, tree.Dims)}
    missing = [one for one in known.values() if one.default is ... and one.name not in given]
    if missing:
        raise missing_argument(layer, cls, missing[0])
