"""Forms to the same forms that, written as they are told, leave the words of a text apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from netdsl.syntax.here import Form
from netdsl.syntax.lexemes import lexemes

_LAST = re.compile(r"[\w×✕⨯.]+\Z")
_FIRST = re.compile(r"[\w×✕⨯.]+")
_WINDOW = 64  # characters beside a form, in which the word is that may run into it


def kept_apart(text: str, forms: Sequence[Form]) -> Iterator[Form]:
    """Yield forms with a blank where two words would be read as one.

    `norm=none` before `act=relu` is no `norm=noneact=relu`, and `64` before `3x3` no `643x3`.
    """
    before, end = "", 0
    for form, following in zip_longest(forms, forms[1:]):
        before = text[max(end, form.start - _WINDOW) : form.start] or before
        end = form.end
        behind = "" if following and following.start == end else text[end : end + _WINDOW]
        code = form.here.code
        if code is None:
            before = ""
            yield form
            continue
        blank = " " * _runs_together(before, code or behind)
        blank_behind = " " * (code != "" and _runs_together(code, behind))
        yield _with_blanks(form, code, blank, blank_behind)
        before = code or blank or before


def _with_blanks(form: Form, code: str, blank: str, behind: str) -> Form:
    if not blank and not behind:
        return form
    return replace(form, here=form.here.written(f"{blank}{code}{behind}"))


def _runs_together(before: str, behind: str) -> bool:
    """Say whether one text right behind another makes another word; `s2p0` is two options.

    >>> _runs_together("bias=off", "act=relu"), _runs_together("Conv", "64 s2")
    (True, False)
    """
    last, first = _LAST.search(before), _FIRST.match(behind)
    if last is None or first is None:
        return False
    border = len(last[0])
    return any(
        word.start < border < word.end and word.kind != "short"
        for word in lexemes(last[0] + first[0])
    )
