"""Graph to graph. A pass is a function; the pipeline is a tuple of them."""

from netdsl.passes.fit_shortcuts import misfits as misfits
from netdsl.passes.pipeline import PLAIN as PLAIN
from netdsl.passes.pipeline import RESIDUAL as RESIDUAL
from netdsl.passes.pipeline import run as run
