"""Text to syntax tree and back: all that can be said of a text without knowing a single layer."""

from netdsl.syntax.decode import decode
from netdsl.syntax.flat import entry_text, item_text, layer_text
from netdsl.syntax.parser import parse
from netdsl.syntax.printer import to_text

__all__ = ["decode", "entry_text", "item_text", "layer_text", "parse", "to_text"]
