"""Graph to a figure: rows and lanes laid out here, painted by Graphviz."""

from netdsl.backends.drawing.dot import draw as draw
from netdsl.backends.drawing.dot import to_dot as to_dot
from netdsl.backends.drawing.dot import to_svg as to_svg
