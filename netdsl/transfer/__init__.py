"""Weights from one network into another that computes the same: pairs of layers, verified."""

from netdsl.transfer.move import Transfer as Transfer
from netdsl.transfer.move import transfer as transfer
from netdsl.transfer.pairs import Pair as Pair
from netdsl.transfer.source import is_here as is_here
from netdsl.transfer.source import open_source as open_source
from netdsl.transfer.source import read_state as read_state
from netdsl.transfer.source import said_beside as said_beside
from netdsl.transfer.weighted import Weighted as Weighted
from netdsl.transfer.weighted import executed as executed
