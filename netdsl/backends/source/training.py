"""What a printed network needs for training alone: initial values and stochastic depth."""

from __future__ import annotations

from collections.abc import Mapping

from netdsl.backends.source.kinds import Kinds
from netdsl.backends.source.text import Brackets, fold, literal
from netdsl.ir import Graph, Settings
from netdsl.ir.settings import Init
from netdsl.measure.branches import branch_ends

_KAIMING = '''
def initialise(module: nn.Module) -> None:
    """Draw weights from a normal distribution, by the fan out of convolutions (He et al. 2015)."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)
'''
_XAVIER = '''
def initialise(module: nn.Module) -> None:
    """Draw weights from a uniform distribution (Glorot and Bengio 2010)."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
'''
# NOTE: what `netdsl.backends.pytorch` says; the back ends do not know of one another.
_DRAWS = "stochastic depth draws anew for every training step: call eval() for one graph"


def initialise(init: Init) -> list[str]:
    """Return the function that fills the parameters of one module; none for torch's own values."""
    if init == "torch":
        return []
    return (_XAVIER if init == "xavier" else _KAIMING).strip().splitlines()


def constructor_end(graph: Graph, settings: Settings, kinds: Kinds) -> list[str]:
    """Return what ends the constructor of the network."""
    lines = [] if settings.init == "torch" else [f"{' ' * 8}self.apply(initialise)"]
    if any(kind.drops for kind in kinds.all):
        lines.insert(0, f"{' ' * 8}self.random = Random(0)  # draws which blocks a step computes")
    paths = tuple([literal(path) for path in branch_ends(graph)])
    if settings.init == "zero_last" and paths:
        items = paths if len(paths) > 1 else (f"{paths[0]},",)
        lines += fold(Brackets("for path in (", items, "):"), 8)
        lines.append(" " * 12 + 'nn.init.zeros_(self.get_parameter(f"{path}.weight"))')
    return lines


def draw_first() -> list[str]:
    """Return how the forward of a network begins that draws what a training step computes."""
    return [
        "        if self.training:",
        "            if isinstance(x, torch.fx.Proxy):",
        *_refused(16),
        "            self.draw()",
    ]


def draw(kinds: Kinds, names: Mapping[int, str]) -> list[str]:
    """Return the method that draws which residual blocks a training step computes."""
    blocks = tuple([names[kind.number] for kind in kinds.all if kind.drops])
    if not blocks:
        return []
    which = blocks[0] if len(blocks) == 1 else Brackets("(", blocks)
    return [
        "",
        "    def draw(self) -> None:",
        '        """Draw for every residual block whether the next training step computes it."""',
        # NOTE: asked as `netdsl.backends.pytorch` asks it, there and in `draw_first`.
        "        if torch.compiler.is_compiling() or torch.jit.is_tracing() or get_proxy_mode():",
        *_refused(12),
        "        for block in self.modules():",
        *fold(Brackets("if isinstance(", ("block", which), "):"), 12),
        f"{' ' * 16}block.survives = self.random.random() < block.drop_path.survival",
    ]


def _refused(indent: int) -> list[str]:
    """Return how one graph of a network that draws its blocks is refused."""
    return fold(Brackets("raise RuntimeError(", (literal(_DRAWS),)), indent)
