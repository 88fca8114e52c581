"""Bytes of a file to its text."""

from __future__ import annotations

from netdsl.errors import NetDSLError, Source, Span, fail
from netdsl.syntax.scan import nul, refuse_too_large

_BOM = "\ufeff"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def decode(data: bytes, name: str = "<text>") -> str:
    r"""Return the text of a UTF-8 file; a byte order mark is dropped, CRLF stays.

    >>> decode(b"\xef\xbb\xbfConv 64\r\n")
    'Conv 64\r\n'
    """
    head = Source(name, data[:200].decode(errors="replace"))
    refuse_too_large(head, len(data))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _not_utf_8(name, data, error.start) from None
    if "\0" in text:
        raise nul(Source(name, text))
    return text.removeprefix(_BOM)


def _not_utf_8(name: str, data: bytes, start: int) -> NetDSLError:
    before = data[:start].decode()
    source = Source(name, before + data[start:].decode(errors="replace"))
    line, _ = source.position(len(before))
    message = f"byte {start:,}, in line {line}, is 0x{data[start]:02x}: not UTF-8"
    help = "it looks like UTF-16; save it as UTF-8" if data.startswith(_UTF_16) else None
    return fail("E0104", message, Span(source, len(before), len(before) + 1), help=help)
