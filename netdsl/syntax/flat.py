"""Tree nodes to canonical text on one line."""

from __future__ import annotations

from netdsl.syntax import tree

GAP = "  "


def item_text(item: tree.Item) -> str:
    """Return an item on one line; two spaces stand between items.

    >>> from netdsl.syntax import parse
    >>> [item_text(item) for item in parse("(Conv 64 k7s2 BB3)×2 @enc , Cat(|Max 3 s1)").body]
    ['(Conv 64 k=7 s=2  BB 3)x2 @enc', 'Cat( | Max 3 s=1)']
    """
    core = item.core
    if isinstance(core, tree.Layer):
        return opening(core) + closing(item)
    if isinstance(core, tree.Group):
        return opening(core) + body_text(core.body) + closing(item)
    return opening(core) + " | ".join(map(_branch_text, core.branches)) + closing(item)


def layer_text(layer: tree.Layer) -> str:
    """Return a layer with its arguments: `Conv 64 k=7 s=2`."""
    return _spaced(layer.name, *layer.arguments)


def body_text(body: tree.Body) -> str:
    """Return some items on one line."""
    return GAP.join(map(item_text, body))


def entry_text(entry: tree.Header) -> str:
    """Return a header entry on one line.

    >>> from netdsl.syntax import parse
    >>> [entry_text(entry) for entry in parse("n=(56-2)/6 def S(c,s=2){BB c}").header]
    ['n = (56 - 2) / 6', 'def S(c, s=2) { BB c }']
    """
    match entry:
        case tree.Setting():
            return f"{entry.key} {entry.value}"
        case tree.Parameter():
            return f"{entry.name} = {_formula(entry.value)}"
        case tree.Default():
            return f"default {entry.layer}({_spaced(*entry.options)})"
        case tree.Scale():
            return f"scale {entry.name}({_spaced(*entry.options)})"
        case tree.Expect():
            return f"expect({_spaced(*entry.options)})"
        case tree.Definition():
            return f"{heading(entry)} {body_text(entry.body)} }}".replace("{  }", "{ }")


def heading(entry: tree.Definition) -> str:
    """Return what stands before the body: `def Stage(c, s=2) {`."""
    formals = ", ".join(
        formal.name if formal.default is None else f"{formal.name}={formal.default}"
        for formal in entry.formals
    )
    return f"def {entry.name}({formals}) {{"


def opening(core: tree.Layer | tree.Group | tree.Combine) -> str:
    """Return what stands before the items inside, or a whole layer."""
    match core:
        case tree.Layer():
            return layer_text(core)
        case tree.Group():
            return "("
        case tree.Combine():
            return _spaced(core.name, *core.options, "(") if core.options else f"{core.name}("


def closing(item: tree.Item) -> str:
    """Return what stands behind the items inside: bracket, repeat, label and shape."""
    core = item.core
    bracket = "" if isinstance(core, tree.Layer) else ")" + _repeat_text(core.repeat)
    label = f" @{item.label}" if item.label else ""
    shape = f" :{item.shape}" if item.shape else ""
    return bracket + label + shape


def _branch_text(branch: tree.Branch) -> str:
    reads = [f"@{branch.reads}"] if branch.reads else []
    return GAP.join([*reads, *map(item_text, branch.body)])


def _repeat_text(repeat: tree.Repeat | None) -> str:
    if repeat is None:
        return ""
    count = str(repeat.count)
    return f"x{' ' if count[0].isalpha() else ''}{count}{'!' if repeat.pinned else ''}"


def _formula(value: tree.Value) -> str:
    """Return a value with spaces around its operators."""
    match value:
        case tree.Operation():
            rest = (f" {operator} {_formula(operand)}" for operator, operand in value.rest)
            return _formula(value.first) + "".join(rest)
        case tree.Parenthesis():
            return f"({_formula(value.inner)})"
        case tree.Negative():
            return f"-{_formula(value.operand)}"
    return str(value)


def _spaced(*parts: object) -> str:
    return " ".join(map(str, parts))
