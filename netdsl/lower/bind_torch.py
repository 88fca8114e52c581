"""Arguments to a class of torch.nn, which has names and types of its own."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from netdsl.errors import fail
from netdsl.lower.bound import Bound, option_text, value_text
from netdsl.lower.values import Quoted, Scope, Value, evaluate
from netdsl.ops.torch_layer import TorchLayer, allowed, is_in_place, options_of
from netdsl.suggest import closest
from netdsl.syntax import tree

_CONSTANTS = {"true": True, "on": True, "false": False, "off": False, "none": None}


def bind_torch(written: tree.Layer, scope: Scope) -> tuple[TorchLayer, str]:
    """Return the layer and its canonical text."""
    target, *rest = written.arguments or (None,)
    if not isinstance(target, tree.Text):
        message = 'Torch needs a layer class in quotes: `Torch "nn.Hardswish"`'
        raise fail("E0204", message, written.span)
    problem = allowed(target.value)
    if problem:
        raise fail("E0206", problem, target.span)
    numbers: list[Any] = []
    bound = Bound()
    for argument in rest:
        if isinstance(argument, tree.Option):
            _refuse_option(argument, target.value)
            value = _value(argument, target.value, scope)
            bound.put(argument.key, value, argument.span, "Torch")
            text = f'"{value}"' if isinstance(value, str) else value
            bound.words.append(option_text(argument.key, text))
        elif isinstance(argument, tree.Pinned | tree.Text):
            raise fail("E0205", "Torch takes numbers and options", argument.span)
        else:
            numbers.append(_python(evaluate(argument, scope)))
            bound.words.append(value_text(numbers[-1]))
    if is_in_place(target.value, len(numbers)):
        help = "give it by name: `inplace=true`"
        message = f"one of the numbers would be `inplace` of {target.value}"
        raise fail("E0206", message, written.span, help=help)
    layer = TorchLayer(target.value, tuple(numbers), tuple(bound.values.items()))
    return layer, " ".join(["Torch", str(target), *bound.words])


def _refuse_option(option: tree.Option, target: str) -> None:
    """Refuse an option that the class has not, or that a module decides and not its text."""
    known = options_of(target)
    if known is not None and option.key not in known:
        near = closest(option.key, known)
        meant = f"; did you mean `{near}`?" if near else ""
        help = None if near else f"it has {', '.join(known)}" if known else "it has no options"
        message = f"{target} has no option `{option.key}`{meant}"
        raise fail("E0203", message, option.key_span, help=help)


def _value(option: tree.Option, target: str, scope: Scope) -> Any:
    """Return the value of an option; torch takes any that is not 0 for `inplace`."""
    value = _python(evaluate(option.value, scope, (*_CONSTANTS,)))
    if option.key == "inplace" and value not in (True, False):
        message = f"inplace of {target} takes on or off, not {option.value}"
        raise fail("E0206", message, option.value.span)
    return value


def _python(value: Value) -> Any:
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, Quoted):
        return str(value)
    return _CONSTANTS.get(value, value) if isinstance(value, str) else value
