"""The intermediate representation: ops, their shapes and costs, and the graph of them."""

from netdsl.ir.build import Block as Block
from netdsl.ir.build import Builder as Builder
from netdsl.ir.build import Report as Report
from netdsl.ir.graph import Graph as Graph
from netdsl.ir.graph import Node as Node
from netdsl.ir.op import Call as Call
from netdsl.ir.op import Cost as Cost
from netdsl.ir.op import Family as Family
from netdsl.ir.op import Keeps as Keeps
from netdsl.ir.op import Op as Op
from netdsl.ir.op import Window as Window
from netdsl.ir.outline import Entry as Entry
from netdsl.ir.outline import Leaf as Leaf
from netdsl.ir.outline import Outline as Outline
from netdsl.ir.outline import Repeat as Repeat
from netdsl.ir.outline import Section as Section
from netdsl.ir.settings import Settings as Settings
from netdsl.ir.shape import UNKNOWN as UNKNOWN
from netdsl.ir.shape import Shape as Shape
from netdsl.ir.shape import Size as Size
