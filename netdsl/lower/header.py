"""Header to environment: settings, parameters, defaults, definitions, scales, expectations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any

from netdsl.errors import Diagnostic, Label, NetDSLError, Span, fail
from netdsl.ir import Report
from netdsl.lower.bind import bind_options
from netdsl.lower.convert import convert
from netdsl.lower.defaults import Defaults
from netdsl.lower.environment import Environment
from netdsl.lower.mentions import names_in
from netdsl.lower.names import (
    SETTINGS,
    refuse_reserved,
    refuse_twice,
    unknown_layer,
    unknown_setting,
    words_beside,
)
from netdsl.lower.outside import (
    OF_ANY_NETWORK,
    note_choices,
    refuse_unknown,
    refuse_unknown_scales,
    set_layer_options,
)
from netdsl.lower.override import Overrides, given, given_setting
from netdsl.lower.scales import scale_values
from netdsl.lower.use import Loader, imported
from netdsl.lower.values import POISON, Scope, Unresolved, evaluate
from netdsl.ops import CATALOGUE
from netdsl.ops.blocks import Res
from netdsl.ops.norm import Norm
from netdsl.ops.torch_layer import TorchLayer
from netdsl.ops.wiring import JOINS
from netdsl.syntax import tree


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
    environment = reader.environment
    set_layer_options(environment, overrides, file, report)
    refuse_unknown_scales(environment, file.header, report)
    refuse_unknown((*reader.overrides, *reader.scaled), environment, overrides, report)
    note_choices(environment, overrides, file.header)
    return environment


class _Unread(NetDSLError):
    """A file that is used and cannot be read."""


class _Header:
    """Reads entry after entry; parameters are defined before they are used."""

    def __init__(self, overrides: Overrides, loader: Loader, report: Report) -> None:
        self.overrides = {k: v for k, v in overrides.names.items() if "." not in k}
        self.said = overrides
        self.selected = overrides.scale
        self.loader = loader
        self.report = report
        used: set[str] = set()
        self.environment = Environment(Defaults(), {}, used, {}, [], {}, scale=self.selected or "")
        self.scope = Scope(self.environment.names, used)
        self.seen: dict[tuple[str, str], Span | None] = {}
        self.scaled: dict[str, Any] = {}
        self.brought: dict[Span, Span] = {}  # by a `use`, and which

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
        if any(given(v) != values[k] for k, v in chosen.items() if k not in OF_ANY_NETWORK):
            self.scaled.pop("name", None)  # of another network than this one

    def apply_settings(self) -> None:
        """Take the settings that override the file's."""
        for key in [key for key in self.overrides if key in SETTINGS]:
            with self._naming(key):
                self._set(key, given_setting(key, self.overrides.pop(key)))
            self.seen["setting", key] = _NOWHERE
        for key in [key for key in self.scaled if key in SETTINGS]:
            self._set(key, self.scaled.pop(key))
            self.seen["setting", key] = _NOWHERE

    @contextmanager
    def _naming(self, name: str) -> Iterator[None]:
        """Say of what is wrong with a value from outside what says it."""
        try:
            yield
        except NetDSLError as error:
            raise NetDSLError(*(self.said.named(one, name) for one in error.diagnostics)) from None

    def poison(self, entry: tree.Header) -> None:
        """Keep a parameter whose value is wrong from causing errors where it is used or set."""
        if isinstance(entry, tree.Parameter):
            self.environment.names.setdefault(entry.name, POISON)
            self.environment.poisoned.add(entry.name)

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
        else:
            self._replaced(entry.value)

    def _parameter(self, entry: tree.Parameter) -> None:
        refuse_reserved(entry.name, entry.name_span)
        if entry.name in ("width", "depth"):
            message = f"`{entry.name}` is what a scale multiplies by, not a parameter"
            raise fail("E0209", message, entry.name_span)
        self._once("parameter", entry.name, entry.name_span)
        outside = self.scaled | self.overrides
        if entry.name in outside:
            with self._naming(entry.name):
                value = given(outside[entry.name])
            self._replaced(entry.value)
        else:
            value = evaluate(entry.value, self.scope, words_beside(self.environment.names))
        self.environment.names[entry.name] = value
        self.environment.parameters[entry.name] = entry.name_span

    def _replaced(self, value: tree.Value) -> None:
        """Take what a value reads that others say in its place for used, unless they say it too."""
        self.environment.used |= names_in(value) - self.overrides.keys()

    def _default(self, entry: tree.Default) -> None:
        self.environment.used |= names_in(entry.options)  # of a default at fault too
        cls = Res if entry.layer == "Res" else CATALOGUE.get(entry.layer)
        if entry.layer in JOINS:
            raise fail("E0203", f"{entry.layer} has no options", entry.span)
        if entry.layer in self.environment.definitions:
            message = f"{entry.layer} is a definition: its defaults stand in its `def`"
            raise fail("E0203", message, entry.span)
        if cls is None:
            raise unknown_layer(entry.layer, entry.layer_span, (*CATALOGUE, "Res"))
        if cls is TorchLayer:
            raise fail("E0203", "Torch has no defaults: its options are of one class", entry.span)
        self._once("default", entry.layer, entry.layer_span)
        defaults = self.environment.defaults
        bound = bind_options(entry.options, cls, entry.layer, self.scope, cls.flags, defaults)
        if cls is Norm and "kind" in bound.values:
            kind = bound.values["kind"]
            message = "a default of Norm has options for all norms, and does not choose their kind"
            help = f"write `norm {kind}` in the header"
            raise fail("E0203", message, bound.spans["kind"], help=help)
        self.environment.defaults.layers[entry.layer] = bound.values

    def _scale(self, entry: tree.Scale) -> None:
        if entry.name == "none":
            message = "`none` is what `expect` calls no scale by"
            raise fail("E0209", message, entry.name_span, help="give the scale another name")
        self._once("scale", entry.name, entry.name_span)
        if entry.name != self.selected:
            scale_values(entry)  # for its errors

    def _expect(self, entry: tree.Expect) -> None:
        refuse_twice(entry.options)
        self.environment.expectations.append(entry)

    def _definition(self, entry: tree.Definition) -> None:
        self._define(entry)
        first: dict[str, Span] = {}
        for formal in entry.formals:
            refuse_reserved(formal.name, formal.span, formal=True)
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
            raise _Unread(Diagnostic("E0213", message, entry.value.span))
        try:
            found = list(imported(entry.value, self.loader))
        except NetDSLError as error:
            raise _Unread(*error.diagnostics) from None
        definitions = [one for one in found if isinstance(one, tree.Definition)]
        self.environment.uses[entry.span] = {one.name for one in definitions}
        again = []
        for brought in found:
            if brought.name_span in self.brought:
                again.append(brought)
                continue
            self.brought[brought.name_span] = entry.span
            if isinstance(brought, tree.Definition):
                self._define(brought)
            else:
                self._parameter(brought)
                self.environment.used.add(brought.name)
        if again:
            message = f"this `use` brings `{again[0].name}` a second time"
            first = self.brought[again[0].name_span]
            labels = [Label(first, "first here")] if first != entry.span else []
            help = "one `use` of a file is enough"
            raise fail("E0207", message, entry.span, labels=labels, help=help)


_NOWHERE = Span(tree.NOWHERE.source, -1, -1)
