"""Patterns of networks, `INPUT -> [[CONV -> RELU]*2 -> POOL?]*3 -> FC`, as CS231n writes them."""

from __future__ import annotations

import re

from netdsl.syntax.here import Here, Say

_WEIGHTED = {"CONV": "Conv …", "FC": "FC …"}
_OTHERS = {"POOL": "Max 2", "RELU": "Act relu", "DROPOUT": "Dropout", "BN": "Norm"}
_BRINGS = {"BN": "norm", "RELU": "act"}  # of a convolution, in this order
_WORD = rf"\b(?:{'|'.join((*_WEIGHTED, *_OTHERS, 'SOFTMAX'))})\b"
_TIMES = r"\*\s*(?:[0-9]{1,9}|[A-Za-z])(?!\w)"
_PATTERN = re.compile(rf"\bINPUT\b(?:\s*(?:->|→|,|\[|\]|\?|{_WORD}|{_TIMES}))+")
_TOKEN = re.compile(rf"[\[\]]|{_WORD}|{_TIMES}")


def _pattern(match: re.Match[str]) -> Here | None:
    """Return the layers of a pattern, which says no widths; None for one without layers."""
    tokens = _TOKEN.findall(match[0])
    if not any(word in _WEIGHTED for word in tokens):
        return None
    last = max((i for i, token in enumerate(tokens) if token == "FC"), default=-1)
    pieces = [
        _piece(token, tokens[max(0, i - 2) : i], tokens[i + 1 : i + 3], is_last=i == last)
        for i, token in enumerate(tokens)
    ]
    written = re.sub(r"(?<=\() | (?=\))|(?<=\)) (?=x)", "", " ".join(filter(None, pieces)))
    helps = ["the pattern says neither channels nor features"]
    if re.search(r"POOL\s*\?", match[0]):
        helps.append("`POOL?` is a pool that may be left away")
    if names := list(dict.fromkeys(re.findall(r"x ([a-z])\b", written))):
        said = ", ".join(f"`{name}`" for name in names)
        of = "is a parameter" if len(names) == 1 else "are parameters"
        helps.append(f"{said} {of} of the header, as in `{names[0]} = 2`")
    return Here(f"`{written}`", "; ".join(helps))


def _piece(token: str, before: list[str], behind: list[str], *, is_last: bool) -> str:
    """Return what a word or a sign of a pattern is written; nothing for what a layer brings."""
    if token in "[]":
        return "(" if token == "[" else ")"
    if token.startswith("*"):
        times = token[1:].strip()
        return f"x{times}" if times.isdecimal() else f"x {times.lower()}"
    if token == "CONV":
        missing = [one for part, one in _BRINGS.items() if part not in _parts(behind)]
        return " ".join([_WEIGHTED[token], *(f"{one}=none" for one in missing)])
    if token == "FC":
        has_act = behind[:1] == ["RELU"]
        act = {(True, True): " act=relu", (False, False): " act=none"}.get((is_last, has_act), "")
        return _WEIGHTED[token] + act
    return "" if _is_brought(before, token) else _OTHERS.get(token, "")


def _parts(behind: list[str]) -> list[str]:
    """Return the norm and the activation right behind a convolution, in the order it has them."""
    return behind[:2] if behind[:2] == [*_BRINGS] else behind[:1]


def _is_brought(before: list[str], part: str) -> bool:
    """Say whether a norm or an activation stands behind a layer that brings it."""
    if part not in _BRINGS:
        return False
    if part == "RELU" and before[-1:] == ["BN"]:
        return before[-2:-1] == ["CONV"]
    return before[-1:] == ["CONV"] or (before[-1:] == ["FC"] and part == "RELU")


PATTERNS: tuple[tuple[re.Pattern[str], Say], ...] = ((_PATTERN, _pattern),)
