"""Grammar rules to syntax tree: one method a rule, called by the parser while it reads.

A terminal is a rule too: its method turns a token into a node. No method can fail: what the grammar
lets pass and a person did not mean is noted in `faults`, and the reading goes on.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, TypeAlias

from netdsl.errors import Diagnostic, Source, Span
from netdsl.syntax import tree
from netdsl.syntax.shorthand import SHORT_OPTIONS, sizes, spell_out
from netdsl.syntax.slips import slip_in_zeros

Parts: TypeAlias = Any  # a list of tokens and nodes, in the order of the grammar's rule
Token: TypeAlias = Any  # lark's, with `value`, `start_pos`, `end_pos`

_NO_NAME = re.compile("[^a-z0-9_]")


class Builder(threading.local):
    """One parser serves all threads; each thread has its own source here."""

    def begin(self, source: Source) -> None:
        """Make ready to read a source."""
        self.source = source
        self.faults: list[Diagnostic] = []

    def file(self, parts: Parts) -> tree.File:
        """`norm batch Conv 64`, without its comments."""
        body = tuple(part for part in parts if type(part) is tree.Item)
        header = tuple(parts[: len(parts) - len(body)])
        return tree.File(header, body, (), Span(self.source, 0, len(self.source.text)))

    def setting(self, parts: Parts) -> tree.Setting:
        """`norm batch`."""
        key, value = parts
        return tree.Setting(key.text, value, key.span, key.span.to(value.span))

    def parameter(self, parts: Parts) -> tree.Parameter:
        """`n = 9`."""
        name, value = parts
        self._doubt_name(name)
        return tree.Parameter(name.text, value, name.span, name.span.to(value.span))

    def default(self, parts: Parts) -> tree.Default:
        """`default BB(dropout=0.5 pre)`."""
        first, layer, _, *flags, last = parts
        span = self._between(first, last)
        return tree.Default(layer.value, self._spelt_out(flags), self._at(layer), span)

    def scale(self, parts: Parts) -> tree.Scale:
        """`scale s(width=0.5)`."""
        first, name, _, *options, last = parts
        return tree.Scale(name.text, tuple(options), name.span, self._between(first, last))

    def expect(self, parts: Parts) -> tree.Expect:
        """`expect(params=0.85M depth=56)`."""
        first, _, *options, last = parts
        return tree.Expect(tuple(options), self._between(first, last))

    def definition(self, parts: Parts) -> tree.Definition:
        """`def Stage(c, n, s=2) { … }`."""
        first, name, *_, last = parts
        formals = tuple(part for part in parts if type(part) is tree.Formal)
        body = tuple(part for part in parts if type(part) is tree.Item)
        span = self._between(first, last)
        return tree.Definition(name.value, formals, body, self._at(name), span)

    def formal(self, parts: Parts) -> tree.Formal:
        """`c`, `s=2`."""
        name, *default = parts
        self._doubt_name(name)
        span = name.span.to(parts[-1].span)
        return tree.Formal(name.text, default[0] if default else None, span)

    def item(self, parts: Parts) -> tree.Item:
        """`(BB 64)x2 @enc :64x32x32`."""
        core, *marks = parts
        label = marks[0] if marks and type(marks[0]) is tree.Name else None
        shape = marks[-1] if marks and type(marks[-1]) is tree.Dims else None
        if shape is not None and label is None:
            self._doubt_shape(core, shape)
        return tree.Item(core, label, shape, core.span.to(parts[-1].span))

    def layer(self, parts: Parts) -> tree.Layer:
        """`Conv 64 k7s2`."""
        name, *arguments = parts
        here = self._at(name)
        span = here.to(arguments[-1].span) if arguments else here
        return tree.Layer(name.value, self._spelt_out(arguments), here, span)

    def group(self, parts: Parts) -> tree.Group:
        """`(Conv 64)x2`."""
        first, *body, last = parts
        repeat = None
        if type(last) is tree.Repeat:
            repeat, last = last, body.pop()
        span = Span(self.source, first.start_pos, repeat.span.end if repeat else last.end_pos)
        return tree.Group(tuple(body), repeat, span)

    def combine(self, parts: Parts) -> tree.Combine:
        """`Cat( Conv 64 | @enc )x2`."""
        name, *rest = parts
        repeat = rest.pop() if type(rest[-1]) is tree.Repeat else None
        marks = [i for i, part in enumerate(rest) if hasattr(part, "type")]
        branches = tuple(self._branch_of(rest[i:j]) for i, j in pairwise(marks))
        span = Span(self.source, name.start_pos, repeat.span.end if repeat else rest[-1].end_pos)
        options = self._spelt_out(rest[: marks[0]])
        return tree.Combine(name.value, options, branches, repeat, self._at(name), span)

    def repeat(self, parts: Parts) -> tree.Repeat:
        """`x3!`."""
        times, count, *pin = parts
        end = pin[0].end_pos if pin else count.span.end
        return tree.Repeat(count, bool(pin), Span(self.source, times.start_pos, end))

    def shape(self, parts: Parts) -> tree.Dims:
        """`:64x32x32`, `:10`."""
        _, size = parts
        if type(size) is tree.Dims:
            return size
        if not size.text.isdecimal():
            message = "a shape is written in whole numbers: `:10`, `:64x32x32`"
            self.faults.append(Diagnostic("E0119", message, size.span))
        return tree.Dims((int(size.value),), size.span)

    def pinned(self, parts: Parts) -> tree.Pinned:
        """`16!`."""
        value, pin = parts
        return tree.Pinned(value, Span(self.source, value.span.start, pin.end_pos))

    def option(self, parts: Parts) -> tree.Option:
        """`k=3`; under `expect` also `params=0.85M`."""
        key, value = parts
        return tree.Option(key.text, value, key.span, key.span.to(value.span))

    condition = option

    def operation(self, parts: Parts) -> tree.Operation:
        """`a + b * c`: a chain of products, each of them a chain of factors."""
        terms = [[parts[0]]]
        signs = []
        for operator, operand in zip(parts[1::2], parts[2::2], strict=True):
            if operator in ("+", "-"):
                signs.append(operator.value)
                terms.append([operand])
            else:
                terms[-1] += [operator.value, operand]
        first, *others = (_chain(p[0], zip(p[1::2], p[2::2], strict=True)) for p in terms)
        whole: tree.Operation = _chain(first, zip(signs, others, strict=True))
        return whole

    def negative(self, parts: Parts) -> tree.Negative:
        """`-a`."""
        sign, operand = parts
        return tree.Negative(operand, Span(self.source, sign.start_pos, operand.span.end))

    def parenthesis(self, parts: Parts) -> tree.Parenthesis:
        """`(a + b)`."""
        first, inner, last = parts
        return tree.Parenthesis(inner, self._between(first, last))

    def listed(self, parts: Parts) -> tree.List:
        """`[64, 128]`."""
        first, *values, last = parts
        return tree.List(tuple(values), self._between(first, last))

    def number(self, token: Token) -> tree.Number:
        """`64`, `0.5`, `1e-6`."""
        span = self._at(token)
        self._doubt_zeros(span)
        return tree.Number(token.value, span)

    def word(self, token: Token) -> tree.Name:
        """`none`; `k1×7` is one too."""
        text = token.value
        if not text.isascii():
            if not SHORT_OPTIONS.fullmatch(text):
                message = "a repeat needs a group, as in `(Conv 64)x2`"
                self.faults.append(Diagnostic("E0105", message, self._at(token)))
            text = re.sub("[×✕⨯]", "x", text)
        return tree.Name(text, self._at(token))

    def key(self, token: Token) -> tree.Name:
        """`k =`; the node is the name before the sign."""
        text = _NO_NAME.split(token.value, 1)[0]
        return tree.Name(text, Span(self.source, token.start_pos, token.start_pos + len(text)))

    def label(self, token: Token) -> tree.Name:
        """`@enc`; the node is the name behind the sign."""
        return tree.Name(token.value[1:], Span(self.source, token.start_pos + 1, token.end_pos))

    def dims(self, token: Token) -> tree.Dims:
        """`3x5`."""
        span = self._at(token)
        self._doubt_zeros(span)
        return tree.Dims(sizes(token.value), span)

    def string(self, token: Token) -> tree.Text:
        """`"ResNet-56"`."""
        return tree.Text(token.value[1:-1], self._at(token))

    NUMBER = QUANTITY = number
    WORD, KEY, LABEL, DIMS, STRING = word, key, label, dims, string

    def _spelt_out(self, words: Parts) -> tuple[Any, ...]:
        """Return arguments with their short options spelt out; `k03` is refused."""
        arguments = spell_out(words)
        for argument in arguments:
            if type(argument) is tree.Option and argument.short:
                self._doubt_zeros(argument.value.span)
        return arguments

    def _branch_of(self, parts: Parts) -> tree.Branch:
        """What stands behind `(` or `|`, up to the next `|` or `)`."""
        before, *parts = parts
        start = end = before.end_pos
        reads = None
        if parts:
            start, end = parts[0].span.start, parts[-1].span.end
        if parts and type(parts[0]) is tree.Name:
            reads, *parts = parts
            start -= 1
        return tree.Branch(reads, tuple(parts), Span(self.source, start, end))

    def _doubt_name(self, name: tree.Name) -> None:
        """Refuse `x2 = 3`."""
        if re.fullmatch("x[0-9]*", name.text):
            message = f"`{name}` is read as a repeat, it cannot be a name"
            self.faults.append(Diagnostic("E0105", message, name.span))

    def _doubt_zeros(self, span: Span) -> None:
        """Refuse `01`."""
        message = slip_in_zeros(span.text)
        if message:
            self.faults.append(Diagnostic("E0109", message, span))

    def _doubt_shape(self, core: Any, shape: tree.Dims) -> None:
        """Refuse `Conv 64 k:3`, where `:3` would assert a shape; `FC n:10` does mean one."""
        last = core.arguments[-1] if type(core) is tree.Layer and core.arguments[1:] else None
        if type(last) is not tree.Name or shape.values[2:]:
            return
        if last.span.end + 1 == shape.span.start:
            message = f"an option is written with `=`: `{last}={shape}`"
            self.faults.append(Diagnostic("E0118", message, last.span.to(shape.span)))

    def _at(self, token: Token) -> Span:
        return Span(self.source, token.start_pos, token.end_pos)

    def _between(self, first: Token, last: Token) -> Span:
        return Span(self.source, first.start_pos, last.end_pos)


def _chain(first: Any, rest: Iterable[tuple[str, Any]]) -> Any:
    """Return one operation of all operands, or the only operand."""
    rest = tuple(rest)
    if not rest:
        return first
    return tree.Operation(first, rest, first.span.to(rest[-1][1].span))
