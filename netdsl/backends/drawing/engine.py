"""The child process that draws: `engine.py drawing.dot svg png` writes drawing.svg and drawing.png.

Run as a file, so that it loads nothing of netdsl; it uses the Graphviz inside pygraphviz's wheel.
"""

from __future__ import annotations

import sys
from pathlib import Path

NO_ENGINE = 3  # exit status where there is no such Graphviz


def main(path: Path, formats: list[str]) -> int:
    """Lay the graph of a DOT file out once, and write it in every format beside the file."""
    try:
        from pygraphviz import AGraph
        from pygraphviz import graphviz as engine
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return NO_ENGINE
    graph = AGraph(string=path.read_text("utf-8"))
    context = engine.gvContextWithBuiltins()
    if engine.gvLayout(context, graph.handle, b"nop2"):
        return 1
    for name in formats:
        status, data = engine.gvRenderData(context, graph.handle, name.encode())
        if status:
            return 1
        path.with_suffix(f".{name}").write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
