"""What callers and scales set, and what of it a file does not have."""

from __future__ import annotations

from collections.abc import Iterable

from netdsl.errors import Diagnostic, NetDSLError, fail
from netdsl.ir import Report
from netdsl.lower.convert import cast
from netdsl.lower.environment import Environment
from netdsl.lower.mentions import layers_in, names_in
from netdsl.lower.names import SETTINGS, outside_option
from netdsl.lower.override import Overrides, given
from netdsl.ops.scale import round_channels
from netdsl.suggest import closest
from netdsl.syntax import tree

# What callers and scales may say of a file without choosing among what it has.
OF_ANY_NETWORK = {"name", "input", "classes", "residual", "init", "width", "depth"}
_CHOOSES = '`--scale NAME`, in Python `scale="NAME"`,'
# How what is no parameter of any file is asked for.
_ASKED = {
    "scale": f"{_CHOOSES} chooses a scale",
    "plain": "`--plain` asks for the plain twin",
    "width": f"a scale of the file sets the width, and {_CHOOSES} chooses one",
    "depth": f"a scale of the file sets the depth, and {_CHOOSES} chooses one",
}


def set_layer_options(
    environment: Environment, overrides: Overrides, file: tree.File, report: Report
) -> None:
    """Take the defaults of layers that are set from outside: `BB.dropout`."""
    written = layers_in((file.body, *environment.definitions.values()))
    for key, value in overrides.names.items():
        if "." not in key:
            continue
        try:
            name, option = key.split(".", 1)
            if name in environment.definitions:
                message = f"{name} is a definition: its `{option}` is given where it is called"
                raise fail("E0203", message)
            argument = outside_option(name, option, written)
            default = environment.defaults.layers.setdefault(name, {})
            number = cast(argument, given(value), None, name)
            width = environment.defaults.width
            if argument.scaled and width != 1:
                number = round_channels(number * width)
            default[option] = number
        except NetDSLError as error:
            for diagnostic in error.diagnostics:
                report(overrides.named(diagnostic, key))


def refuse_unknown_scales(
    environment: Environment, header: tuple[tree.Header, ...], report: Report
) -> None:
    """Refuse what a scale sets and the file does not have, chosen or not.

    An expectation may speak of a scale that the file has, or of `none`.
    """
    scales = [entry.name for entry in header if isinstance(entry, tree.Scale)]
    for option in [o for e in environment.expectations for o in e.options]:
        if option.key == "scale" and str(option.value) not in ("none", *scales):
            has = f"; it has {', '.join(scales)}" if scales else ""
            message = f"the file has no scale `{option.value}`{has}"
            report(Diagnostic("E0212", message, option.value.span))
    known = ("width", "depth", *SETTINGS, *environment.parameters, *environment.poisoned)
    for option in [o for e in header if isinstance(e, tree.Scale) for o in e.options]:
        if option.key not in known:
            near = closest(option.key, known)
            meant = f"; did you mean `{near}`?" if near else ""
            message = f"a scale sets width, depth, parameters or settings, not `{option.key}`"
            report(Diagnostic("E0208", f"{message}{meant}", option.key_span))


def refuse_unknown(
    keys: Iterable[str], environment: Environment, overrides: Overrides, report: Report
) -> None:
    """Refuse what is set from outside and what the file does not have."""
    for key in keys:
        if key not in (*environment.parameters, *environment.poisoned):
            near = closest(key, (*environment.parameters, *SETTINGS))
            own = ", ".join(environment.parameters) or "none"
            hint = f"did you mean `{near}`?" if near else f"it has {own}"
            message = f"the file has no parameter `{key}`; {hint}"
            report(overrides.named(Diagnostic("E0208", message, help=_ASKED.get(key)), key))


def note_choices(
    environment: Environment, overrides: Overrides, header: tuple[tree.Header, ...]
) -> None:
    """Note what the file leaves to callers, scales and parameters, all of which may change."""
    of_scales = {o.key for e in header if isinstance(e, tree.Scale) for o in e.options}
    defaults, parameters = environment.defaults, environment.parameters.keys()
    defaults.as_written = {*overrides.names, *of_scales} <= OF_ANY_NETWORK
    for entry in header:
        if isinstance(entry, tree.Setting) and not names_in(entry.value).isdisjoint(parameters):
            defaults.open.add(entry.key)
        elif isinstance(entry, tree.Default):
            options = [o for o in entry.options if isinstance(o, tree.Option)]
            open = [o.key for o in options if not names_in(o.value).isdisjoint(parameters)]
            defaults.open |= {f"{entry.layer}.{key}" for key in open}
