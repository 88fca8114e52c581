"""Tree to graph: looks names up, binds arguments, unrolls repeats, expands blocks."""

from netdsl.lower.bound import value_text as value_text
from netdsl.lower.classes import end_in_classes as end_in_classes
from netdsl.lower.header import read_header as read_header
from netdsl.lower.lower import Lowered as Lowered
from netdsl.lower.lower import lower as lower
from netdsl.lower.override import Overrides as Overrides
from netdsl.lower.override import given as given
from netdsl.lower.override import given_setting as given_setting
from netdsl.lower.override import make_overrides as make_overrides
from netdsl.lower.scales import scale_values as scale_values
from netdsl.lower.use import Loader as Loader
from netdsl.lower.use import inline as inline
from netdsl.lower.write_in import says as says
from netdsl.lower.write_in import write_in as write_in
