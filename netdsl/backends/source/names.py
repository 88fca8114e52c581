"""Kinds to names: what the class of each kind is called, and its docstring."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import count
from keyword import iskeyword
from unicodedata import combining, normalize

from netdsl.backends.source.kinds import Kind, Kinds
from netdsl.ir import Call
from netdsl.ops import CATALOGUE
from netdsl.ops.blocks import WITH_SHORTCUT
from netdsl.plan import ModulePlan

IMPORTED = ("F", "Random", "Tensor", "RuntimeError")  # the last is built in, and raised
SHORTCUTS = {
    "": "an identity shortcut",
    "Project": "a projection shortcut",
    "OwnShortcut": "a shortcut of its own layers",
}
WITHOUT_WEIGHTS = {"ZeroPad": "a subsampled", "AveragePad": "an averaged"}
COMBINATIONS = {
    "Res": "A group of layers",
    "Add": "The sum of branches",
    "Cat": "Branches stacked by channel",
    "Mul": "The product of branches",
    "Branch": "A branch",
}


def class_names(
    kinds: Kinds, network: str, others: Iterable[str], *, plain: bool
) -> dict[int, str]:
    """Return the name of every class by the number of its kind; none is that of another class.

    That of a `plain` network says so.
    """
    *inner, root = kinds.all
    taken = {*IMPORTED, *others}
    names = {root.number: next(x for x in _network_names(network, plain) if x not in taken)}
    taken.add(names[root.number])
    words = _words(kinds)
    alike: dict[str, list[Kind]] = {}
    for kind in inner:
        alike.setdefault(kind.code + _shortcut(kind), []).append(kind)
    for stem, group in alike.items():
        common = set.intersection(*(words[kind.number] for kind in group))
        for kind in group:
            more = _layers(kind) or "".join(sorted(words[kind.number] - common))
            name = stem + more if len(group) > 1 else stem
            candidates = (f"{name}{'' if i == 1 else i}" for i in count(1))
            names[kind.number] = next(x for x in candidates if x not in taken and not iskeyword(x))
            taken.add(names[kind.number])
    return names


def summary(kind: Kind) -> str:
    """Return the sentence that says what the modules of a kind are."""
    code = kind.code
    if code in CATALOGUE:
        (title, *_) = re.split(r"(?<!et al)[,:.]\s", CATALOGUE[code].__doc__)
    else:
        title = COMBINATIONS.get(code, f"{code}, as the text of the network defines it")
    if code not in WITH_SHORTCUT:
        return f"{title}."
    if not _joins(kind):
        return f"{title}, without its shortcut."
    shortcut = _shortcut(kind)
    return f"{title}, with {SHORTCUTS.get(shortcut) or _padded(kind, shortcut)}."


def module_name(name: str) -> str:
    """Return what the module of a class is called in an example, where nobody says it.

    >>> module_name("Net1Plain"), module_name("MyNet"), module_name("Class"), module_name("Json")
    ('net1_plain', 'mynet', 'network_class', 'network_json')
    """
    module = re.sub(r"(?<=.)Plain$", "_plain", name).lower()
    taken = iskeyword(module) or module in {*sys.stdlib_module_names, "torch", "nn"}
    return f"network_{module}" if taken else module


def _network_names(text: str, plain: bool) -> Iterator[str]:
    """The names that fit, the best first: words of the text, without accents."""
    letters = "".join(c for c in normalize("NFKD", text) if not combining(c))
    words = re.findall(r"[A-Za-z0-9]+", letters)
    end = "Plain" if plain and words[-1:] not in (["plain"], ["Plain"]) else ""
    name = "".join(word[0].upper() + word[1:] for word in words)
    if name[:1].isalpha() and not iskeyword(name + end):
        yield name + end
    yield f"Network{name}{end}"
    yield from (f"Network{i}{end}" for i in count(2))


def _padded(kind: Kind, target: str) -> str:
    """What a shortcut without weights does, in one of the blocks of a kind at least."""
    calls = [
        child.arguments
        for x in kind.instances
        for run in x.runs
        for part in run.layers[0]
        if isinstance(child := part.child, Call) and child.target == target
    ]
    words = [WITHOUT_WEIGHTS[target]] if any(call["stride"] != 1 for call in calls) else []
    words += ["zero-padded" if words else "a zero-padded"] * any(call["channels"] for call in calls)
    return f"{', '.join(words)} shortcut"


def _shortcut(kind: Kind) -> str:
    """The shortcut of a residual block, if it is no identity."""
    for part in kind.parts():
        if isinstance(part.child, Call) and part.child.target in ("ZeroPad", "AveragePad"):
            return part.child.target
        if part.name == "shortcut":
            return "Project" if isinstance(part.child, Call) else "OwnShortcut"
    return ""


def _words(kinds: Kinds) -> dict[int, set[str]]:
    """Of every kind, what tells it from others of its code: its own, and what is in its blocks."""
    found: dict[int, set[str]] = {}
    for kind in kinds.all:
        words = {_shortcut(kind), "Drop" if kind.drops else ""}
        words.add("" if _joins(kind) or kind.code not in WITH_SHORTCUT else "NoShortcut")
        for part in kind.parts():
            if isinstance(part.child, ModulePlan):
                words |= found[kinds.of[part.child.path][0].number]
            elif part.child.target == "nn.Dropout":
                words.add("Dropout")
        found[kind.number] = words
    return found


def _joins(kind: Kind) -> bool:
    return any(isinstance(x.child, Call) and x.child.target == "Add" for x in kind.parts())


def _layers(kind: Kind) -> str:
    """The layers of a short branch: what tells branches apart."""
    stems = [run.stem.capitalize() for run in kind.first.runs for _ in run.layers]
    return "".join(stems) if kind.code == "Branch" and len(stems) <= 3 else ""
