"""Hypothesis strategies for whole syntax trees, and for the many ways to write one tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import pairwise
from random import Random

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from netdsl.errors import Span
from netdsl.syntax import parse, to_text, tree
from netdsl.syntax.lexemes import Lexeme, lexemes

LAYERS = ("Conv", "BB", "Avg", "FC", "GAP", "Norm", "Layer_Scale", "E", "M", "Resnet")
WORDS = (
    "n",
    "c",
    "k",
    "s",
    "e",
    "none",
    "relu6",
    "pre",
    "drop_path",
    "xc",
    "cin",
    "rep",
    "a1",
    "default_",
)
KEYS = (*WORDS, "x", "scale", "def", "k7", "act")


def names(words: tuple[str, ...] = WORDS) -> SearchStrategy[tree.Name]:
    return st.builds(tree.Name, st.sampled_from(words))


@cache
def numbers() -> SearchStrategy[tree.Number]:
    whole = st.integers(0, 999_999_999).map(str) | st.integers(1, 64).map(str)
    fraction = st.from_regex(r"(0|[1-9][0-9]{0,2})\.[0-9]{1,9}", fullmatch=True)
    exponent = st.from_regex(r"[0-9](\.[0-9])?[eE]-[0-9]{1,2}", fullmatch=True)
    return st.builds(tree.Number, whole | fraction | exponent)


@cache
def quantities() -> SearchStrategy[tree.Number]:
    return st.builds(tree.Number, st.sampled_from(("0.85M", "12K", "1.5G")))


def dims(least: int = 2) -> SearchStrategy[tree.Dims]:
    sizes = st.lists(st.integers(0, 512), min_size=least, max_size=3)
    return st.builds(tree.Dims, sizes.map(tuple))


@cache
def texts() -> SearchStrategy[tree.Text]:
    characters = st.characters(exclude_characters='"\n\0', exclude_categories=("Cs",))
    return st.builds(tree.Text, st.sampled_from(("nn.GELU", "# x ( ->")) | st.text(characters))


def chains(operand: SearchStrategy[tree.Expr], operators: str) -> SearchStrategy[tree.Operation]:
    rest = st.tuples(st.sampled_from(operators.split()), operand)
    return st.builds(tree.Operation, operand, st.lists(rest, min_size=1, max_size=3).map(tuple))


def sums(factor: SearchStrategy[tree.Expr]) -> SearchStrategy[tree.Expr]:
    product = factor | chains(factor, "* / // %")
    return product | chains(product, "+ -")


@cache
def atoms() -> SearchStrategy[tree.Expr]:
    return numbers() | names()


@cache
def expressions() -> SearchStrategy[tree.Expr]:
    def more(inner: SearchStrategy[tree.Expr]) -> SearchStrategy[tree.Expr]:
        operand = atoms() | st.builds(tree.Parenthesis, inner)
        return sums(operand | st.builds(tree.Negative, operand))

    return st.recursive(atoms(), more, max_leaves=6)


def lists(value: SearchStrategy[tree.Value]) -> SearchStrategy[tree.List]:
    return st.builds(tree.List, st.lists(value, min_size=1, max_size=3).map(tuple))


@cache
def values() -> SearchStrategy[tree.Value]:
    return st.recursive(expressions() | dims() | texts(), lists, max_leaves=4)


def options(value: SearchStrategy[tree.Value]) -> SearchStrategy[tree.Option]:
    return st.builds(tree.Option, st.sampled_from(KEYS), value)


@cache
def flags() -> SearchStrategy[tuple[tree.Option | tree.Name, ...]]:
    return st.lists(options(values()) | names(), max_size=2).map(tuple)


@cache
def arguments() -> SearchStrategy[tree.Argument]:
    counts = sums(atoms()) | lists(values())
    pinned = st.builds(tree.Pinned, counts)
    return counts | pinned | dims() | texts() | options(values())


@cache
def layers() -> SearchStrategy[tree.Layer]:
    words = st.lists(arguments(), max_size=3).map(tuple)
    return st.builds(tree.Layer, st.sampled_from(LAYERS), words)


@cache
def repeats() -> SearchStrategy[tree.Repeat | None]:
    count = sums(atoms()) | lists(values())
    return st.none() | st.builds(tree.Repeat, count, st.booleans())


def items(
    core: SearchStrategy[tree.Layer | tree.Group | tree.Combine],
) -> SearchStrategy[tree.Item]:
    label = st.none() | names((*WORDS, "x2"))
    return st.builds(tree.Item, core, label, st.none() | dims(1))


def bodies(*, least: int = 0) -> SearchStrategy[tree.Body]:
    def more(inner: SearchStrategy[tree.Item]) -> SearchStrategy[tree.Item]:
        body = st.lists(inner, max_size=3).map(tuple)
        group = st.builds(tree.Group, body.filter(bool), repeats())
        branch = st.builds(tree.Branch, st.none() | names(), body)
        branches = st.lists(branch, min_size=1, max_size=3).map(tuple)
        kinds = st.sampled_from(("Res", "Add", "Cat", "Mul"))
        return items(group | st.builds(tree.Combine, kinds, flags(), branches, repeats()))

    item = st.recursive(items(layers()), more, max_leaves=5)
    return st.lists(item, min_size=least, max_size=4).map(tuple)


@cache
def entries() -> SearchStrategy[tree.Header]:
    word = st.sampled_from(WORDS)
    target = st.sampled_from((*LAYERS, "Res", "Cat"))
    pairs = st.lists(options(values()), max_size=2)
    wanted = st.lists(options(values() | quantities()), max_size=3)
    formal = st.builds(tree.Formal, word, st.none() | values())
    formals = st.lists(formal, max_size=3).map(tuple)
    return st.one_of(
        st.builds(tree.Setting, word, numbers() | dims() | names() | texts()),
        st.builds(tree.Parameter, st.sampled_from((*WORDS, "scale")), values()),
        st.builds(tree.Default, target, flags()),
        st.builds(tree.Scale, word, pairs.map(tuple)),
        st.builds(tree.Expect, wanted.map(tuple)),
        st.builds(tree.Definition, st.sampled_from(LAYERS), formals, bodies()),
    )


@cache
def files() -> SearchStrategy[tree.File]:
    return st.builds(tree.File, st.lists(entries(), max_size=4).map(tuple), bodies(least=1))


SPACES = (
    *" \n\t\u00a0\u2009\u200b",
    "  ",
    "\r\n",
    "  # ( one\n",
    "\n# two |\r\n",
    "# three )\u2028",
    "\r#\r",
)
SEPARATORS = ("", "", "", " ,", ";", " -> ", "→")


@st.composite
def spellings(draw: st.DrawFn) -> tuple[tree.File, str]:
    """A file with one of the many texts that mean it: glued, spaced, commented, separated."""
    file, random = draw(files()), Random(draw(st.integers(0, 2**32)))
    text = to_text(file)
    for start, end, new in sorted(_edits(parse(text), random), reverse=True):
        text = text[:start] + new + text[end:]
    words = (NOTHING, *lexemes(text))
    return file, "".join(_space(a, b, random) + b.text for a, b in pairwise(words))


def walk(node: object) -> Iterator[object]:
    """Every node of a tree."""
    if isinstance(node, tuple):
        for part in node:
            yield from walk(part)
    elif is_dataclass(node) and not isinstance(node, Span):
        yield node
        for part in fields(node):
            yield from walk(getattr(node, part.name))


NOTHING = Lexeme("start", ";", 0, 0)


def _edits(file: tree.File, random: Random) -> Iterator[tuple[int, int, str]]:
    """Other words for parts of a canonical text."""
    for node in walk(file):
        if isinstance(node, tree.Item):
            yield node.span.end, node.span.end, random.choice(SEPARATORS)
        if isinstance(node, tree.Repeat):
            yield node.span.start, node.span.start + 1, random.choice("x×✕⨯*")
        for option in getattr(node, "arguments", ()) or _flags(node):
            if _has_short_form(option) and random.random() < 0.5:
                yield option.key_span.end, option.value.span.start, ""


def _flags(node: object) -> tuple[tree.Argument, ...]:
    return node.options if isinstance(node, tree.Combine | tree.Default) else ()


def _has_short_form(option: tree.Argument) -> bool:
    value = option.value if isinstance(option, tree.Option) else None
    return (
        value is not None
        and option.key in ("k", "s", "e")
        and (
            isinstance(value, tree.Dims)
            or (isinstance(value, tree.Number) and value.text.isdecimal())
        )
    )


def _space(a: Lexeme, b: Lexeme, random: Random) -> str:
    if _may_touch(a, b) and random.random() < 0.5:
        return ""
    return "".join(random.choices(SPACES, k=random.choice((1, 1, 2))))


def _may_touch(a: Lexeme, b: Lexeme) -> bool:
    """Whether two words stay two words, and mean the same, without a space between them."""
    if b.kind == "colon" and a.kind in ("word", "short"):
        return False  # `k:3` is refused
    if not (a.text[-1].isalnum() or a.text[-1] == "_") or not b.text[0].isalnum():
        return True
    if b.kind == "layer":
        return a.kind != "layer"
    if a.kind in ("number", "dims"):
        return b.kind in ("word", "short") and b.text[0] not in "ex"
    return (a.kind, b.kind) in {("layer", "number"), ("layer", "dims"), ("times", "number")}
