"""Header to environment: settings, parameters, defaults, definitions, scales, expectations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from netdsl.errors import Diagnostic, Label, NetDSLError, Span, fail
from netdsl.ir import Report, Settings
from netdsl.lower.bind import Defaults, bind_options
from netdsl.lower.convert import cast, convert
from netdsl.lower.mentions import layers_in, names_in
from netdsl.lower.names import (
    SETTINGS,
    outside_option,
    refuse_reserved,
    unknown_layer,
    unknown_setting,
    words_beside,
)
from netdsl.lower.override import Overrides, given, given_setting
from netdsl.lower.scales import scale_values
from netdsl.lower.use import Loader, imported
from netdsl.lower.values import POISON, Scope, Unresolved, Value, evaluate
from netdsl.ops import CATALOGUE, closest
from netdsl.ops.blocks import Res
from netdsl.ops.norm import Norm
from netdsl.ops.scale import round_channels
from netdsl.ops.torch_layer import TorchLayer
from netdsl.syntax import tree

# What callers and scales may say of a file without choosing among what it has.
_OF_ANY_NETWORK = {"name", "input", "classes", "residual", "init", "width", "depth"}


@dataclass(slots=True)
class Environment:
    """What the header says, resolved."""

    defaults: Defaults
    names: dict[str, Value]
    used: set[str]
    definitions: dict[str, tree.Definition]
    expectations: list[tree.Expect]
    parameters: dict[str, Span]
    depth: Fraction = Fraction(1)
    scale: str = ""
    scaled: frozenset[str] = frozenset()

    @property
    def settings(self) -> Settings:
        return self.defaults.settings


def read_header(
    file: tree.File, overrides: Overrides, loader: Loader, report: Report
) -> Environment:
    """Resolve the header; what is wrong in it is reported, and the rest is still read."""
    reader = _Header(overrides, loader, report)
    reader.apply_scale(file.header)
    reader.apply_settings()
    for entry in file.header:
        try:
            reader.read(entry)
        except Unresolved:
            reader.poison(entry)
        except _Unread:  # of all that the file would bring, nothing is known
            raise
        except NetDSLError as error:
            reader.poison(entry)
            for diagnostic in error.diagnostics:
                report(diagnostic)
    reader.apply_layer_options(file)
    reader.refuse_unknown_scales(file.header)
    reader.refuse_unknown_overrides()
    reader.note_choices(file.header)
    return reader.environment


class _Unread(NetDSLError):
    """A file that is used and cannot be read."""


class _Header:
    """Reads entry after entry; parameters are defined before they are used."""

    def __init__(self, overrides: Overrides, loader: Loader, report: Report) -> None:
        self.chosen = frozenset(overrides.names)
        self.overrides = {k: v for k, v in overrides.names.items() if "." not in k}
        self.layer_options = {k: v for k, v in overrides.names.items() if "." in k}
        self.selected = overrides.scale
        self.loader = loader
        self.report = report
        used: set[str] = set()
        self.environment = Environment(Defaults(), {}, used, {}, [], {}, scale=self.selected or "")
        self.scope = Scope(self.environment.names, used)
        self.seen: dict[tuple[str, str], Span | None] = {}
        self.scaled: dict[str, Any] = {}
        self.poisoned: set[str] = set()

    def read(self, entry: tree.Header) -> None:
        """Read one entry."""
        {
            tree.Setting: self._setting, tree.Parameter: self._parameter,
            tree.Default: self._default, tree.Scale: self._scale,
            tree.Expect: self._expect, tree.Definition: self._definition,
        }[type(entry)](entry)  # type: ignore[operator]  # fmt: skip

    def apply_scale(self, header: tuple[tree.Header, ...]) -> None:
        """Read the chosen scale ahead of all else: it sets parameters, settings, width, depth."""
        scales = {entry.name: entry for entry in header if isinstance(entry, tree.Scale)}
        if self.selected is None:
            return
        if self.selected not in scales:
            known = f"; it has {', '.join(scales)}" if scales else ""
            raise fail("E0212", f"the file has no scale `{self.selected}`{known}")
        values = scale_values(scales[self.selected])
        self.environment.scaled = frozenset(values)
        self.environment.defaults.width = values.pop("width", Fraction(1))
        self.environment.depth = values.pop("depth", Fraction(1))
        self.scaled = {k: value for k, value in values.items() if k not in self.overrides}
        chosen = {k: v for k, v in self.overrides.items() if k in values}
        if any(given(v) != values[k] for k, v in chosen.items() if k not in _OF_ANY_NETWORK):
            self.scaled.pop("name", None)  # of another network than this one

    def apply_settings(self) -> None:
        """Take the settings that override the file's."""
        for key in [key for key in self.overrides if key in SETTINGS]:
            self._set(key, given_setting(key, self.overrides.pop(key)))
            self.seen["setting", key] = _NOWHERE
        for key in [key for key in self.scaled if key in SETTINGS]:
            self._set(key, self.scaled.pop(key))
            self.seen["setting", key] = _NOWHERE

    def poison(self, entry: tree.Header) -> None:
        """Keep a parameter whose value is wrong from causing errors where it is used or set."""
        if isinstance(entry, tree.Parameter):
            self.environment.names.setdefault(entry.name, POISON)
            self.poisoned.add(entry.name)

    def apply_layer_options(self, file: tree.File) -> None:
        """Take the defaults of layers that are set from outside: `BB.dropout`."""
        written = layers_in((file.body, *self.environment.definitions.values()))
        for key, value in self.layer_options.items():
            try:
                name, option = key.split(".", 1)
                argument = outside_option(name, option, written)
                default = self.environment.defaults.layers.setdefault(name, {})
                number = cast(argument, given(value), None, name)
                width = self.environment.defaults.width
                if argument.scaled and width != 1:
                    number = round_channels(number * width)
                default[option] = number
            except NetDSLError as error:
                for diagnostic in error.diagnostics:
                    self.report(diagnostic)

    def refuse_unknown_scales(self, header: tuple[tree.Header, ...]) -> None:
        """Refuse what a scale sets and the file does not have, chosen or not.

        An expectation may speak of a scale that the file has, or of `none`.
        """
        scales = [entry.name for entry in header if isinstance(entry, tree.Scale)]
        for option in [o for e in self.environment.expectations for o in e.options]:
            if option.key == "scale" and str(option.value) not in ("none", *scales):
                has = f"; it has {', '.join(scales)}" if scales else ""
                message = f"the file has no scale `{option.value}`{has}"
                self.report(Diagnostic("E0212", message, option.value.span))
        known = ("width", "depth", *SETTINGS, *self.environment.parameters, *self.poisoned)
        for option in [o for e in header if isinstance(e, tree.Scale) for o in e.options]:
            if option.key not in known:
                near = closest(option.key, known)
                meant = f"; did you mean `{near}`?" if near else ""
                message = f"a scale sets width, depth, parameters or settings, not `{option.key}`"
                self.report(Diagnostic("E0208", f"{message}{meant}", option.key_span))

    def refuse_unknown_overrides(self) -> None:
        """Refuse what is set from outside and what the file does not have."""
        for key in (*self.overrides, *self.scaled):
            if key not in (*self.environment.parameters, *self.poisoned):
                known = (*self.environment.parameters, *SETTINGS)
                near = closest(key, known)
                own = ", ".join(self.environment.parameters) or "none"
                hint = f"did you mean `{near}`?" if near else f"it has {own}"
                self.report(Diagnostic("E0208", f"the file has no parameter `{key}`; {hint}"))

    def note_choices(self, header: tuple[tree.Header, ...]) -> None:
        """Note what the file leaves to callers, scales and parameters, all of which may change."""
        of_scales = {o.key for e in header if isinstance(e, tree.Scale) for o in e.options}
        defaults, parameters = self.environment.defaults, self.environment.parameters.keys()
        defaults.as_written = {*self.chosen, *of_scales} <= _OF_ANY_NETWORK
        for entry in header:
            if isinstance(entry, tree.Setting) and not names_in(entry.value).isdisjoint(parameters):
                defaults.open.add(entry.key)
            elif isinstance(entry, tree.Default):
                options = [o for o in entry.options if isinstance(o, tree.Option)]
                open = [o.key for o in options if not names_in(o.value).isdisjoint(parameters)]
                defaults.open |= {f"{entry.layer}.{key}" for key in open}

    def _once(self, kind: str, name: str, span: Span) -> bool:
        """Whether this is the first of its name; a second one in the file is an error."""
        first = self.seen.setdefault((kind, name), None)
        if first is None:
            self.seen[kind, name] = span
            return True
        if first is _NOWHERE:
            self.seen[kind, name] = span
            return False
        raise fail(
            "E0207", f"`{name}` is set twice", span, labels=[Label(first, "first here")]
        )  # fmt: skip

    def _set(self, key: str, value: Any) -> None:
        defaults = self.environment.defaults
        defaults.settings = replace(defaults.settings, **{key: value})
        if key == "classes":
            self.environment.names["classes"] = value

    def _setting(self, entry: tree.Setting) -> None:
        if entry.key == "use":
            self._use(entry)
            return
        if entry.key not in SETTINGS:
            raise unknown_setting(entry)
        argument = SETTINGS[entry.key]
        if self._once("setting", entry.key, entry.key_span):
            value = convert(argument, entry.value, self.scope, "")
            self._set(entry.key, value)

    def _parameter(self, entry: tree.Parameter) -> None:
        refuse_reserved(entry.name, entry.name_span)
        if entry.name in ("width", "depth"):
            message = f"`{entry.name}` is what a scale multiplies by, not a parameter"
            raise fail("E0209", message, entry.name_span)
        self._once("parameter", entry.name, entry.name_span)
        outside = self.overrides.get(entry.name, self.scaled.get(entry.name))
        words = words_beside(self.environment.names)
        value = evaluate(entry.value, self.scope, words) if outside is None else given(outside)
        self.environment.names[entry.name] = value
        self.environment.parameters[entry.name] = entry.name_span

    def _default(self, entry: tree.Default) -> None:
        cls = Res if entry.layer == "Res" else CATALOGUE.get(entry.layer)
        if entry.layer in ("Add", "Cat"):
            raise fail("E0203", f"{entry.layer} has no options", entry.span)
        if entry.layer in self.environment.definitions:
            message = f"{entry.layer} is a definition: its defaults stand in its `def`"
            raise fail("E0203", message, entry.span)
        if cls is None:
            raise unknown_layer(entry.layer, entry.layer_span, (*CATALOGUE, "Res"))
        if cls is TorchLayer:
            raise fail("E0203", "Torch has no defaults: its options are of one class", entry.span)
        self._once("default", entry.layer, entry.layer_span)
        flags = getattr(cls, "flags", {})
        defaults = self.environment.defaults
        bound = bind_options(entry.options, cls, entry.layer, self.scope, flags, defaults)
        if cls is Norm and "kind" in bound.values:
            kind = bound.values["kind"]
            message = "a default of Norm has options for all norms, and does not choose their kind"
            help = f"write `norm {kind}` in the header"
            raise fail("E0203", message, bound.spans["kind"], help=help)
        self.environment.defaults.layers[entry.layer] = bound.values

    def _scale(self, entry: tree.Scale) -> None:
        self._once("scale", entry.name, entry.name_span)
        if entry.name != self.selected:
            scale_values(entry)  # for its errors

    def _expect(self, entry: tree.Expect) -> None:
        self.environment.expectations.append(entry)

    def _definition(self, entry: tree.Definition) -> None:
        self._define(entry)
        first: dict[str, Span] = {}
        for formal in entry.formals:
            refuse_reserved(formal.name, formal.span)
            if formal.name in first:
                message = f"{entry.name} has its `{formal.name}` twice"
                labels = [Label(first[formal.name], "first here")]
                raise fail("E0207", message, formal.span, labels=labels)
            first[formal.name] = formal.span

    def _define(self, entry: tree.Definition) -> None:
        if entry.name in CATALOGUE:
            raise fail("E0209", f"`{entry.name}` is a layer of the language", entry.name_span)
        self._once("definition", entry.name, entry.name_span)
        self.environment.definitions[entry.name] = entry

    def _use(self, entry: tree.Setting) -> None:
        """Bring the definitions of another file, and the parameters that they read."""
        if not isinstance(entry.value, tree.Text):
            message = 'use takes a path in quotes: `use "blocks.arch"`'
            raise fail("E0213", message, entry.value.span)
        try:
            found = list(imported(entry.value, self.loader))
        except NetDSLError as error:
            raise _Unread(*error.diagnostics) from None
        for brought in found:
            if isinstance(brought, tree.Definition):
                self._define(brought)
            else:
                self._parameter(brought)
                self.environment.used.add(brought.name)


_NOWHERE = Span(tree.NOWHERE.source, -1, -1)
