"""Which options and defaults the layers of a network read, and which change nothing anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from netdsl.errors import Diagnostic, Span

Why = str | None  # why something changes nothing; None where some layer reads it


@dataclass(slots=True)
class Reads:
    """What was seen so far: a repetition or a call may read what all others leave alone."""

    options: dict[tuple[str, int], tuple[str, Span, Why]] = field(default_factory=dict)
    defaults: dict[str, Why] = field(default_factory=dict)  # as in `BB.dropout`
    settings: set[str] = field(default_factory=set)  # that stood in for what a layer did not say
    noticed: dict[tuple[str, str], Diagnostic] = field(default_factory=dict)

    def option(self, owner: str, name: str, span: Span, why: Why) -> None:
        """Enter an option as a layer has it that is written there."""
        place = span.source.name, span.start
        if why is None or place not in self.options:
            self.options[place] = f"`{name}` of this {owner}", span, why

    def default(self, name: str, why: Why) -> None:
        """Enter a default that a layer takes."""
        if why is None or name not in self.defaults:
            self.defaults[name] = why

    def notice(self, diagnostic: Diagnostic) -> None:
        """Enter what is probably not meant: the first of its kind stands for all."""
        self.noticed.setdefault((diagnostic.code, diagnostic.message), diagnostic)

    def idle_options(self) -> Iterator[tuple[str, Span, str]]:
        """Yield options that no layer reads: what to call them, where they are, and why."""
        for words, span, why in self.options.values():
            if why is not None:
                yield words, span, why
