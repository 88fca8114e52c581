"""The catalogue: every layer the language knows. One class is one layer, and nothing else."""

from netdsl.ops import act as act
from netdsl.ops import attention as attention
from netdsl.ops import blocks as blocks
from netdsl.ops import channels as channels
from netdsl.ops import conv as conv
from netdsl.ops import dense as dense
from netdsl.ops import norm as norm
from netdsl.ops import pool as pool
from netdsl.ops import regularise as regularise
from netdsl.ops import resize as resize
from netdsl.ops import torch_layer as torch_layer
from netdsl.ops import wiring as wiring
from netdsl.ops.catalogue import CATALOGUE as CATALOGUE
from netdsl.ops.catalogue import LayerType as LayerType
from netdsl.ops.describe import Argument as Argument
from netdsl.ops.describe import arguments as arguments
from netdsl.ops.describe import settings_of as settings_of
