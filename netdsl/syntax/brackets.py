"""Brackets to pairs: which closes which, and a fault for each that has no partner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from netdsl.errors import MOST, Diagnostic, Label, NetDSLError, Source, Span, fail

DEPTH = 64
COUNTED = 100  # that are found, to say how many more there are

_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(slots=True)
class Brackets:
    """The brackets of a source, by their offsets.

    `partners` leads from an opening bracket to the one that closes it. `unclosed` holds those
    that nothing closes, each with the outer bracket that was closed before it, if any; `stray` the
    closing ones that close nothing, each with the opening one that it met and does not fit.
    """

    source: Source
    partners: dict[int, int] = field(default_factory=dict)
    unclosed: dict[int, int | None] = field(default_factory=dict)
    stray: dict[int, int | None] = field(default_factory=dict)

    def faults(self) -> Iterator[Diagnostic]:
        """Yield one fault for each bracket without a partner, and one for each wrong pair."""
        text = self.source.text
        wrong = self._wrong_pairs()
        for opened, outer in self.unclosed.items():
            sign = text[opened]
            if opened in wrong:
                closed = wrong[opened]
                message = f"`{text[closed]}` does not close `{sign}`"
                yield self._fault(message, closed, (opened, "opened here"))
            elif outer is not None:
                message = f"`{sign}` is not closed before `{text[outer]}`"
                yield self._fault(message, opened, (outer, "closes an outer bracket"))
            else:
                yield self._fault(f"`{sign}` is not closed", opened)
        for closed in sorted(self.stray.keys() - wrong.values()):
            yield self._fault(f"`{text[closed]}` closes nothing", closed)

    def mend(self, text: str) -> str:
        """Make pairs of the wrong pairs; return a text with the right signs for them."""
        for opened, closed in self._wrong_pairs().items():
            self.partners[opened] = closed
            del self.unclosed[opened], self.stray[closed]
            text = text[:closed] + _PAIRS[text[opened]] + text[closed + 1 :]
        return text

    def _wrong_pairs(self) -> dict[int, int]:
        stray = self.stray.items()
        return {opened: closed for closed, opened in stray if opened in self.unclosed}

    def _fault(self, message: str, at: int, partner: tuple[int, str] | None = None) -> Diagnostic:
        labels = (Label(self._span(partner[0]), partner[1]),) if partner else ()
        return Diagnostic("E0103", message, self._span(at), labels)

    def _span(self, offset: int) -> Span:
        return Span(self.source, offset, offset + 1)


def match_brackets(source: Source, offsets: Sequence[int]) -> Brackets:
    """Pair the brackets that stand at these offsets; nesting beyond the limit is refused.

    After the first twenty that close nothing the rest is not looked at.

    >>> match_brackets(Source("net.arch", "(Conv [64)"), [0, 6, 9])
    Brackets(source=..., partners={0: 9}, unclosed={6: 9}, stray={})
    """
    found = Brackets(source)
    stack: list[int] = []
    for i, offset in enumerate(offsets):
        if source.text[offset] in _PAIRS:
            stack.append(offset)
            if len(stack) > DEPTH:
                raise _too_deep(source, offsets[i:])
        else:
            _close(found, stack, offset)
            if len(found.stray) == MOST:
                return found
    found.unclosed |= dict.fromkeys(stack)
    return found


def _close(found: Brackets, stack: list[int], offset: int) -> None:
    """Take the partner of a closing bracket off the stack, with what it leaves unclosed."""
    text = found.source.text
    fits = [i for i, opened in enumerate(stack) if _PAIRS[text[opened]] == text[offset]]
    if not fits:
        found.stray[offset] = stack[-1] if stack else None
        return
    found.unclosed |= dict.fromkeys(stack[fits[-1] + 1 :], offset)
    found.partners[stack[fits[-1]]] = offset
    del stack[fits[-1] :]


def _too_deep(source: Source, offsets: Sequence[int]) -> NetDSLError:
    depth = deepest = DEPTH
    for offset in offsets:
        depth += 1 if source.text[offset] in _PAIRS else -1
        deepest = max(deepest, depth)
    message = f"brackets are nested {deepest:,} deep, the limit is {DEPTH}"
    return fail("E0107", message, Span(source, offsets[0], offsets[0] + 1))
