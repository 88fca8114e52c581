"""Counts the layers of a network before it is unrolled, so that a hostile one costs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import ceil

from netdsl.errors import Diagnostic, NetDSLError, Span, fail
from netdsl.ir.limits import LAYERS
from netdsl.lower.bound import option_text, value_text
from netdsl.lower.environment import Environment
from netdsl.lower.names import words_beside
from netdsl.lower.values import OF_THE_PLACE, Scope, Unresolved, Value, evaluate, number, plain
from netdsl.syntax import tree


def check_size(file: tree.File, environment: Environment) -> None:
    """Raise if the network has more layers than the limit."""
    _Counter(environment).body(file.body, Scope(environment.names))


def times(repeat: tree.Repeat | None, scope: Scope, depth: Fraction) -> int:
    """Return how often a group is repeated; `depth` stretches it unless it is pinned."""
    if repeat is None:
        return 1
    value = number(repeat.count, scope)
    if not isinstance(value, int) or value < 0:
        raise fail(
            "E0206", f"a group is repeated a whole number of times, not {plain(value)}", repeat.span
        )
    if depth != 1 and not repeat.pinned:
        value = ceil(value * depth)
    if value > LAYERS:
        raise _too_many(value, repeat.span)
    return value


class _Counter:
    """Walks the tree as lowering will, with counts in place of layers.

    What cannot be evaluated counts as nothing: lowering will say what is wrong with it.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.memo: dict[tuple[str, tuple[tuple[str, Value], ...]], int] = {}

    def body(self, body: tree.Body, scope: Scope) -> int:
        total = 0
        for item in body:
            total += self._item(item.core, scope)
            if total > LAYERS:
                raise _too_many(total, item.span)
        return total

    def _item(self, core: tree.Layer | tree.Group | tree.Combine, scope: Scope) -> int:
        if isinstance(core, tree.Layer):
            definition = self.environment.definitions.get(core.name)
            return self._call(core, definition, scope) if definition else 1
        n = _quiet_times(core.repeat, scope, self.environment.depth)
        inner = Scope(scope.names, index=0 if core.repeat else scope.index, cin=0)
        total = max(self._once(core, inner), 1)
        if core.repeat is None or not inner.dynamic:
            scope.dynamic |= inner.dynamic
            return self._checked(n * total, core.span)
        for index in range(1, n):
            inner.index = index
            total = self._checked(total + max(self._once(core, inner), 1), core.span)
        return total if n else 0

    def _once(self, core: tree.Group | tree.Combine, scope: Scope) -> int:
        if isinstance(core, tree.Group):
            return self.body(core.body, scope)
        return 1 + sum(self.body(branch.body, scope) for branch in core.branches)

    def _call(self, call: tree.Layer, definition: tree.Definition, scope: Scope) -> int:
        try:
            names, _ = formal_values(call, definition, scope, self.environment.names)
        except (NetDSLError, Unresolved):
            return 1
        key = (call.name, tuple(names.items()))
        if key not in self.memo:
            inner = Scope({**self.environment.names, **names}, cin=0)
            self.memo[key] = self.body(definition.body, inner)
        return self._checked(self.memo[key] + 1, call.span)

    def _checked(self, total: int, span: Span) -> int:
        if total > LAYERS:
            raise _too_many(total, span)
        return total


def formal_values(
    call: tree.Layer, definition: tree.Definition, scope: Scope, header: Mapping[str, Value]
) -> tuple[dict[str, Value], frozenset[str]]:
    """Return the value of every parameter of a definition for one call, and which rest on `cin`.

    Arguments are read where the call stands; defaults where the definition does, in the header.
    All that is wrong with the arguments is raised at once.
    """
    names = [formal.name for formal in definition.formals]
    positions = iter(names)
    given: dict[str, Value] = {}
    from_cin: set[str] = set()
    faults: list[Diagnostic] = []
    is_resolved = True
    for argument in call.arguments:
        is_beyond = any(fault.code == "E0205" for fault in faults)  # which is told once
        if is_beyond and not isinstance(argument, tree.Option):
            continue
        try:
            name, expr = _formal(call, argument, names, positions)
            if name in given:
                raise fail("E0207", f"{call.name} has its `{name}` twice", argument.span)
            given[name], read_cin = _word_or_value(expr, scope)
            from_cin |= {name} if read_cin else set()
        except NetDSLError as error:
            faults += error.diagnostics
        except Unresolved:
            is_resolved = False
    if faults:
        raise NetDSLError(*faults)
    if not is_resolved:
        raise Unresolved
    return _with_defaults(call, definition, given, from_cin, Scope(header, scope.used))


def check_call(call: tree.Layer, definition: tree.Definition) -> None:
    """Raise for an argument that a definition does not have, and for one that it lacks."""
    names = [formal.name for formal in definition.formals]
    positions = iter(names)
    given = {_formal(call, argument, names, positions)[0] for argument in call.arguments}
    for formal in definition.formals:
        if formal.default is None and formal.name not in given:
            raise _missing(call, formal)


def call_text(call: tree.Layer, values: dict[str, Value]) -> str:
    """Return the call of a definition with its arguments resolved."""
    positions = iter(values)
    words = [
        option_text(a.key, values[a.key])
        if isinstance(a, tree.Option)
        else value_text(values[next(positions)])
        for a in call.arguments
    ]
    return " ".join([call.name, *words])


def _formal(
    call: tree.Layer, argument: tree.Argument, names: list[str], positions: Iterator[str]
) -> tuple[str, tree.Value]:
    """Return which parameter an argument is for, and its expression."""
    known = f"it has {', '.join(names)}" if names else "it has none"
    if isinstance(argument, tree.Option):
        if argument.key not in names:
            message = f"{call.name} has no parameter `{argument.key}`; {known}"
            raise fail("E0203", message, argument.key_span)
        return argument.key, argument.value
    name = next(positions, "")
    if not name:
        raise fail("E0205", f"{call.name} has fewer parameters; {known}", argument.span)
    if isinstance(argument, tree.Pinned):
        help = f"write it in the definition, where `{name}` is the channels of a layer"
        raise fail("E0114", "`!` is for the channels of a layer", argument.span, help=help)
    return name, argument


def _with_defaults(
    call: tree.Layer, definition: tree.Definition, given: dict[str, Value], from_cin: set[str],
    header: Scope,
) -> tuple[dict[str, Value], frozenset[str]]:  # fmt: skip
    """Fill in the defaults in order: each may use the parameters before it."""
    values: dict[str, Value] = {}
    for formal in definition.formals:
        if formal.name in given:
            values[formal.name] = given[formal.name]
        elif formal.default is None:
            raise _missing(call, formal)
        else:
            names = {**header.names, **values}
            inner = Scope(names, header.used, from_cin=frozenset(from_cin & {*values}))
            values[formal.name], read_cin = _word_or_value(formal.default, inner)
            from_cin |= {formal.name} if read_cin else set()
    return values, frozenset(from_cin)


def _missing(call: tree.Layer, formal: tree.Formal) -> NetDSLError:
    return fail("E0204", f"{call.name} needs its `{formal.name}`", call.span)


def _word_or_value(expr: tree.Value, scope: Scope) -> tuple[Value, bool]:
    """Return a value, which may be a word, and whether it was reckoned from `cin`."""
    before, scope.read_cin = scope.read_cin, False
    value = evaluate(expr, scope, words_beside((*scope.names, *OF_THE_PLACE, "classes")))
    read_cin, scope.read_cin = scope.read_cin, before
    return value, read_cin


def _quiet_times(repeat: tree.Repeat | None, scope: Scope, depth: Fraction) -> int:
    try:
        return times(repeat, scope, depth)
    except Unresolved:
        return 1
    except NetDSLError as error:
        if error.diagnostics[0].code == "E0402":
            raise
        return 1


def _too_many(count: int, span: Span) -> NetDSLError:
    return fail("E0402", f"{count:,} layers exceed the limit of {LAYERS:,}", span)
