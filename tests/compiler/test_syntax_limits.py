"""What is refused before it is read: sizes, nesting, digits, bytes that are no text."""

from __future__ import annotations

import gc
import time
from importlib.resources import files

import pytest
from lark import Lark

from netdsl.errors import NetDSLError, Source
from netdsl.syntax import decode, parse, tree
from netdsl.syntax.scan import refuse_too_large

LARGE = 1 << 20


def message(text: str) -> str:
    with pytest.raises(NetDSLError) as error:
        parse(text)
    (diagnostic,) = error.value.diagnostics
    return f"{diagnostic.code} {diagnostic.message}"


def undecodable(data: bytes) -> str:
    with pytest.raises(NetDSLError) as error:
        decode(data, "net.arch")
    return str(error.value)


def test_large_text_is_refused() -> None:
    assert (
        message("# " + "x" * LARGE) == "E0106 the text has 1,048,578 bytes, the limit is 1,048,576"
    )
    assert message("#" + "é" * (LARGE // 2)).startswith("E0106 the text has 1,048,577 bytes")
    assert "1,048,577 bytes" in undecodable(b"#" * (LARGE + 1))


def test_text_at_the_limit_is_read() -> None:
    assert parse("Conv 64 #" + "x" * (LARGE - 9)).comments[0].text == "#" + "x" * (LARGE - 9)


def test_many_words_are_refused() -> None:
    expected = "E0106 the text has 200,001 words and signs, the limit is 200,000"
    assert message("A1" * 100_000 + "A") == expected


def test_as_many_words_as_there_may_be_are_not_refused() -> None:
    refuse_too_large(Source("net.arch", "A1" * 100_000), 200_000)


def test_deep_nesting_is_refused() -> None:
    expected = "E0107 brackets are nested 65 deep, the limit is 64"
    assert message("(" * 65 + "A" + ")" * 65) == expected
    assert message("Conv k=" + "[" * 65 + "1" + "]" * 65) == expected
    assert message("(" * 9000) == "E0107 brackets are nested 9,000 deep, the limit is 64"


def test_nesting_at_the_limit_is_read() -> None:
    parse("(" * 64 + "A" + ")" * 64)
    parse("Conv k=" + "[" * 63 + "(1)" + "]" * 63)


def test_brackets_in_comments_and_strings_do_not_nest() -> None:
    parse(f'name "{"(" * 99}" Conv 64 # {"[" * 99}\nConv 32')


def test_digits_beyond_the_limit_are_refused() -> None:
    expected = "E0109 a number has at most 15 digits, this one has 5,000"
    assert message(f"Conv {'1' * 5000}") == expected
    assert message(f"Conv 3x{'1' * 5000}") == expected
    assert message(f"Conv 0.{'1' * 5000}") == expected


@pytest.mark.parametrize(
    "text", ["(", ")", "[1 ", "Conv k= ", "& ", "A|", "A x2 ", '"', "@ ", "1", "a-"]
)
def test_hostile_text_is_refused_in_bounded_time(text: str) -> None:
    # a second where nothing else runs; what grows with the square of the text takes minutes
    start = time.process_time()
    with pytest.raises(NetDSLError):
        parse(text * (100_000 // len(text)))
    assert time.process_time() - start < 20


def test_byte_order_mark_and_carriage_returns_are_accepted() -> None:
    assert decode(b"\xef\xbb\xbfConv 64\r\nFC 10\r\n", "net.arch") == "Conv 64\r\nFC 10\r\n"


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    shown = """\
error[E0104]: byte 11, in line 2, is 0xff: not UTF-8
  --> net.arch:2:4
   |
 2 | FC \ufffd10
   |    ^"""
    assert undecodable(b"Conv 64\nFC \xff10\n") == shown


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_named(order: str) -> None:
    shown = undecodable("\ufeffConv 64".encode(order))
    assert shown.endswith("= help: it looks like UTF-16; save it as UTF-8")


def test_nul_is_refused_with_its_place() -> None:
    assert "E0104]: byte 11, in line 2, is NUL\n  --> net.arch:2:4" in undecodable(
        b"Conv 64\nFC \0"
    )
    assert message("# é\0") == "E0104 byte 4, in line 1, is NUL"


def test_long_sum_is_no_deeper_than_a_short_one() -> None:
    (item,) = parse("Conv " + "+".join(["1"] * 20_000)).body
    assert isinstance(item.core, tree.Layer)
    (total,) = item.core.arguments
    assert isinstance(total, tree.Operation)
    assert len(total.rest) == 19_999


def test_collector_is_left_as_it_was() -> None:
    parse("Conv 64")
    assert gc.isenabled()


def test_grammar_has_no_conflicts_and_no_terminals_that_collide() -> None:
    grammar = files("netdsl.grammars").joinpath("netdsl.lark").read_text("utf-8")
    Lark(grammar, start="file", parser="lalr", lexer="contextual", strict=True)
