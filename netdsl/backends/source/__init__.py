"""Graph to Python that needs torch alone: a class a kind of block, repeats as loops."""

from netdsl.backends.source.emit import to_source as to_source
