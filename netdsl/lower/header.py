"""Header to environment: settings, parameters, defaults, definitions, scales, expectations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from netdsl.errors import Diagnostic, Label, NetDSLError, Span, fail
from netdsl.ir import Settings
from netdsl.lower.bind import Defaults, bind_options
from netdsl.lower.convert import cast, convert
from netdsl.lower.use import Loader, imported
from netdsl.lower.values import POISON, Quoted, Scope, Unresolved, Value, evaluate, number
from netdsl.ops import CATALOGUE, arguments, closest
from netdsl.ops.blocks import Res
from netdsl.syntax import tree

Report = Callable[[Diagnostic], None]

SETTINGS = arguments(Settings)
FLAGS = frozenset(word for cls in CATALOGUE.values() for word in cls.flags)
EXPECTED = ("params", "macs", "depth", "out")


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line or the caller says in place of the file.

    `names` holds parameters and settings by name, as values or as their text.
    """

    names: Mapping[str, object] = field(default_factory=dict)
    scale: str | None = None


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
        except NetDSLError as error:
            reader.poison(entry)
            for diagnostic in error.diagnostics:
                report(diagnostic)
    reader.refuse_unknown_scales(file.header)
    reader.refuse_unknown_overrides()
    return reader.environment


class _Header:
    """Reads entry after entry; parameters are defined before they are used."""

    def __init__(self, overrides: Overrides, loader: Loader, report: Report) -> None:
        self.overrides = dict(overrides.names)
        self.selected = overrides.scale
        self.loader = loader
        self.report = report
        used: set[str] = set()
        self.environment = Environment(Defaults(), {}, used, {}, [], {}, scale=self.selected or "")
        self.scope = Scope(self.environment.names, used)
        self.seen: dict[tuple[str, str], Span] = {}
        self.scaled: dict[str, Value] = {}

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
        options = scales[self.selected].options
        self.environment.scaled = frozenset(option.key for option in options)
        for option in options:
            words = SETTINGS[option.key].choices if option.key in SETTINGS else ()
            value = evaluate(option.value, Scope({}), words)
            if option.key == "width":
                self.environment.defaults.width = Fraction(number(option.value, Scope({})))
            elif option.key == "depth":
                self.environment.depth = Fraction(number(option.value, Scope({})))
            elif option.key not in self.overrides:
                self.scaled[option.key] = value

    def apply_settings(self) -> None:
        """Take the settings that override the file's."""
        for key in [key for key in self.overrides if key in SETTINGS]:
            value = given(self.overrides.pop(key))
            self._set(key, cast(SETTINGS[key], value, None, ""))
            self.seen["setting", key] = _NOWHERE
        for key in [key for key in self.scaled if key in SETTINGS]:
            self._set(key, cast(SETTINGS[key], self.scaled.pop(key), None, ""))
            self.seen["setting", key] = _NOWHERE

    def poison(self, entry: tree.Header) -> None:
        """Keep a parameter whose value is wrong from causing errors where it is used."""
        if isinstance(entry, tree.Parameter):
            self.environment.names.setdefault(entry.name, POISON)

    def refuse_unknown_scales(self, header: tuple[tree.Header, ...]) -> None:
        """Refuse what a scale sets and the file does not have, chosen or not."""
        known = ("width", "depth", *SETTINGS, *self.environment.parameters)
        for option in [o for e in header if isinstance(e, tree.Scale) for o in e.options]:
            if option.key not in known:
                near = closest(option.key, known)
                meant = f"; did you mean `{near}`?" if near else ""
                message = f"a scale sets width, depth, parameters or settings, not `{option.key}`"
                self.report(Diagnostic("E0208", f"{message}{meant}", option.key_span))

    def refuse_unknown_overrides(self) -> None:
        """Refuse what is set from outside and what the file does not have."""
        for key in (*self.overrides, *self.scaled):
            if key not in self.environment.parameters:
                known = (*self.environment.parameters, *SETTINGS)
                near = closest(key, known)
                own = ", ".join(self.environment.parameters) or "none"
                hint = f"did you mean `{near}`?" if near else f"it has {own}"
                self.report(Diagnostic("E0208", f"the file has no parameter `{key}`; {hint}"))

    def _once(self, kind: str, name: str, span: Span) -> bool:
        """Whether this is the first of its name; a second one in the file is an error."""
        first = self.seen.setdefault((kind, name), span)
        if first is span:
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
            raise _unknown_setting(entry)
        argument = SETTINGS[entry.key]
        if self._once("setting", entry.key, entry.key_span):
            value = convert(argument, entry.value, self.scope, "")
            limit(entry.key, value, entry.value.span)
            self._set(entry.key, value)

    def _parameter(self, entry: tree.Parameter) -> None:
        refuse_reserved(entry.name, entry.name_span)
        self._once("parameter", entry.name, entry.name_span)
        outside = self.overrides.get(entry.name, self.scaled.get(entry.name))
        value = evaluate(entry.value, self.scope) if outside is None else given(outside)
        self.environment.names[entry.name] = value
        self.environment.parameters[entry.name] = entry.name_span

    def _default(self, entry: tree.Default) -> None:
        cls = Res if entry.layer == "Res" else CATALOGUE.get(entry.layer)
        if cls is None:
            raise unknown_layer(entry.layer, entry.layer_span, (*CATALOGUE, "Res"))
        self._once("default", entry.layer, entry.layer_span)
        flags = getattr(cls, "flags", {})
        bound = bind_options(entry.options, cls, entry.layer, self.scope, flags)
        self.environment.defaults.layers[entry.layer] = bound.values

    def _scale(self, entry: tree.Scale) -> None:
        self._once("scale", entry.name, entry.name_span)

    def _expect(self, entry: tree.Expect) -> None:
        self.environment.expectations.append(entry)

    def _definition(self, entry: tree.Definition) -> None:
        self._define(entry)
        for formal in entry.formals:
            refuse_reserved(formal.name, formal.span)

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
        for brought in imported(entry.value, self.loader):
            if isinstance(brought, tree.Definition):
                self._define(brought)
            else:
                self._parameter(brought)
                self.environment.used.add(brought.name)


_NOWHERE = Span(tree.NOWHERE.source, -1, -1)


def given(value: object) -> Value:
    """Return a value that came from outside the file, as text or as a Python object.

    >>> given("18"), given(0.5), given(True), given("relu")
    (18, Fraction(1, 2), 'on', 'relu')
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return Fraction(repr(value))
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, tuple | list):
        return tuple(int(n) for n in value)
    assert isinstance(value, int | Fraction), value
    return value


def _parsed(text: str) -> Value:
    if re.fullmatch(r"-?[0-9]{1,9}", text):
        return int(text)
    if re.fullmatch(r"-?[0-9]{1,9}\.[0-9]{1,9}|[0-9]{1,9}(\.[0-9]{1,9})?e-[0-9]{1,2}", text):
        return Fraction(text)
    if re.fullmatch(r"[0-9]{1,9}([x×][0-9]{1,9}){1,2}", text):
        return tuple(int(n) for n in re.split("[x×]", text))
    return text if re.fullmatch(r"[a-z][a-z0-9_]*", text) else Quoted(text)


def limit(key: str, value: Any, span: Span | None) -> None:
    """Refuse a setting outside of what makes sense."""
    bounds = {"drop_path": (0, 1), "shortcut_kernel": (1, 99), "classes": (1, 10**8)}
    low, high = bounds.get(key, (None, None))
    if low is not None and high is not None and not low <= value <= high:
        raise fail("E0206", f"`{key}` must be between {low} and {high:,}, not {value}", span)


def refuse_reserved(name: str, span: Span) -> None:
    """Refuse a parameter whose name means something already."""
    if name in SETTINGS or name == "use":
        help = f"write `{name} …`, without the `=`"
        raise fail("E0209", f"`{name}` is a setting, not a parameter", span, help=help)
    if name in FLAGS or name in ("x", "cin", "on", "off", "true", "false"):
        raise fail("E0209", f"`{name}` has a meaning of its own in a network", span)
    if re.fullmatch(r"[a-z][0-9].*", name):
        raise fail("E0209", f"`{name}` reads as the option {name[0]}={name[1:]}", span)


def unknown_layer(name: str, span: Span, known: tuple[str, ...]) -> NetDSLError:
    """Return the error of a layer that is neither in the catalogue nor defined."""
    near = closest(name, known)
    meant = f"; did you mean `{near}`?" if near else ""
    help = None if near else f"the layers are {', '.join(known)}"
    return fail("E0201", f"unknown layer `{name}`{meant}", span, help=help)


def _unknown_setting(entry: tree.Setting) -> NetDSLError:
    if entry.key.capitalize() in CATALOGUE or entry.key.upper() in CATALOGUE:
        code = next(c for c in CATALOGUE if c.lower() == entry.key)
        return fail(
            "E0202", f"unknown setting `{entry.key}`; layers start with a capital: `{code}`",
            entry.key_span,
        )  # fmt: skip
    near = closest(entry.key, (*SETTINGS, "use"))
    meant = f"; did you mean `{near}`?" if near else ""
    help = None if near else f"the settings are {', '.join(SETTINGS)}"
    if not near and isinstance(entry.value, tree.Number):
        help = f"a parameter is written `{entry.key} = {entry.value}`"
    return fail("E0202", f"unknown setting `{entry.key}`{meant}", entry.key_span, help=help)
