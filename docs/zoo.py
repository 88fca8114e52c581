"""The zoo of torchvision: what was measured of it, and the page that shows it.

`python docs/zoo.py` runs every network beside its original, which takes minutes, and keeps the
results in zoo.json; `make docs` writes the page from them.
"""

from __future__ import annotations

import ast
import inspect
import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import netdsl
from netdsl.shelf import shipped, variants

FOLDER = Path(__file__).parent
PAGE, RESULTS = FOLDER / "zoo.md", FOLDER / "zoo.json"
COLUMNS = "| variant | parameters | MACs | logits |\n| --- | ---: | ---: | --- |"
ABOUT = """\
# The zoo

Every convolutional classifier of torchvision, a file a family. Each variant is a name: `netdsl
build resnext50_32x4d`, `netdsl draw densenet121`, `netdsl transfer convnext_tiny --from
torchvision:convnext_tiny -o weights.safetensors`.

Parameters and MACs (multiply-adds for one image of the size in the file) are equal to those of
the original in every row. *Logits* compares both networks in evaluation on {images} small images,
with every parameter and buffer drawn at random so that each has an effect; a difference is
relative to the largest logit. Tests hold all three. Auxiliary heads of GoogLeNet and Inception
are left out, and so is stochastic depth, which torchvision scales in another way.

[Classics](#classics) are networks of papers that torchvision lacks.

Lines are those of code: without comments, docstrings and blank lines, for torchvision without the
tables of its weights, for netdsl without `expect`. Measured with torchvision {torchvision} and
torch {torch}.
"""


@dataclass(frozen=True, slots=True)
class Family:
    """A file of the zoo, and the module of torchvision that defines the same networks."""

    title: str
    file: str
    module: str


FAMILIES = (
    Family("AlexNet", "alexnet", "alexnet"),
    Family("VGG", "vgg", "vgg"),
    Family("ResNet, ResNeXt, Wide ResNet", "resnet", "resnet"),
    Family("DenseNet", "densenet", "densenet"),
    Family("SqueezeNet", "squeezenet", "squeezenet"),
    Family("GoogLeNet", "googlenet", "googlenet"),
    Family("Inception v3", "inception", "inception"),
    Family("MobileNet v2", "mobilenet_v2", "mobilenetv2"),
    Family("MobileNet v3", "mobilenet_v3", "mobilenetv3"),
    Family("ShuffleNet v2", "shufflenet_v2", "shufflenetv2"),
    Family("MNASNet", "mnasnet", "mnasnet"),
    Family("EfficientNet", "efficientnet", "efficientnet"),
    Family("EfficientNet v2", "efficientnet_v2", "efficientnet"),
    Family("RegNet X", "regnet_x", "regnet"),
    Family("RegNet Y", "regnet_y", "regnet"),
    Family("ConvNeXt", "convnext", "convnext"),
)


# Classics, and what they were compared with: with timm once, with all else by tests.
_MOBILE = "Howard et al. 2017, table 6"
_SENET = "torchvision's ResNet with its `SqueezeExcitation` in it"
_RESNET_D = "torchvision's ResNet with both changes"
COMPARED = {
    "lenet5": "torch, written by hand",
    "densenet_bc_100_12": "torchvision's DenseNet with the stem for CIFAR",
    "densenet_bc_190_40": "Huang et al. 2017, table 2: 25.6 M parameters",
    "pyramidnet110_a48": "torch, written by hand",
    "pyramidnet110_a84": "torch, written by hand",
    "pyramidnet110_a270": "torch, written by hand",
    "unet": "torch, written by hand",
    "mobilenet_1_0": f"{_MOBILE}; timm's `mobilenetv1_100`, logits equal with its ReLU6",
    "mobilenet_0_75": _MOBILE,
    "mobilenet_0_5": _MOBILE,
    "mobilenet_0_25": _MOBILE,
    "xception": "timm's `legacy_xception`, logits equal",
    "se_resnet50": f"{_SENET}; timm's `seresnet50`, logits equal",
    "se_resnet101": "timm's `seresnet101`, logits equal",
    "se_resnet152": "timm's `seresnet152`, logits equal",
    "darknet53": "torch, written by hand; timm's `darknet53`, logits equal with its slope of 0.01",
    "resnet50d": f"{_RESNET_D}; timm's `resnet50d`, logits equal",
    "resnet101d": "timm's `resnet101d`, logits equal",
}


def page() -> str:
    """Return the page: counts as netdsl makes them now, all else as it was measured."""
    kept = json.loads(RESULTS.read_text("utf-8"))
    lines = ["| family | file | lines | lines in torchvision |", "| --- | --- | ---: | ---: |"]
    parts = []
    for family in FAMILIES:
        path = shipped()[family.file]
        lines.append(
            f"| {family.title} | [{path.name}](../architectures/torchvision/{path.name}) | "
            f"{own_lines(path)} | {kept['lines'][family.module]} |"
        )
        rows = [_row(name, kept["difference"][name]) for name in names(family)]
        parts.append("\n".join([f"## {family.title}\n", COLUMNS, *rows]))
    about = ABOUT.format(**kept["with"])
    return "\n\n".join([about, "\n".join(lines), *parts, classics()]) + "\n"


def classics() -> str:
    """Return the networks of papers that torchvision lacks, and what each was compared with."""
    homes = shipped() | variants()
    lines = [
        "| network | file | parameters | MACs | compared with |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    for name, reference in COMPARED.items():
        net, file = netdsl.load(name), homes[name].name
        lines.append(
            f"| `{name}` | [{file}](../architectures/classics/{file}) | {net.params:,} | "
            f"{net.macs:,} | {reference} |"
        )
    about = (
        "Networks of papers, without weights of their own: `netdsl transfer se_resnet50 --from\n"
        "timm:seresnet50 -o weights.safetensors` brings those of timm. Those of its MobileNet and\n"
        "Darknet-53 were trained with other activations.\n"
    )
    return "\n".join(["## Classics\n", about, *lines])


def names(family: Family) -> list[str]:
    """Return the variants of a family, in the order of its file."""
    path = shipped()[family.file]
    return [name for name, home in variants().items() if home == path] or [family.file]


def own_lines(path: Path) -> int:
    """Return how many lines a file of ours has, without comments and expectations."""
    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    return sum(bool(line) and not line.startswith(("#", "expect(")) for line in lines)


def code_lines(source: str) -> int:
    """Return how many lines of a Python module are code that defines networks."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if not _is_weights(node)]
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            body[:1] = [] if len(body) > 1 else [ast.Pass()]
    left = {
        line
        for node in ast.walk(tree)
        if hasattr(node, "lineno")
        for line in (node.lineno, node.end_lineno if isinstance(node, ast.expr) else node.lineno)
    }
    return len(left)


def measure() -> dict[str, Any]:
    """Run every network beside its original and return what was found."""
    import torch
    import torchvision

    modules = {f.module: import_module(f"torchvision.models.{f.module}") for f in FAMILIES}
    return {
        "with": {
            "torch": torch.__version__.partition("+")[0],
            "torchvision": torchvision.__version__.partition("+")[0],
            "images": 2,
        },
        "lines": {name: code_lines(inspect.getsource(module)) for name, module in modules.items()},
        "difference": {name: _difference(name) for f in FAMILIES for name in names(f)},
    }


def _difference(name: str) -> float | None:
    """How far the logits are apart; None for what is too large to be run here."""
    from netdsl.transfer import open_source

    side = 96 if name.startswith("inception") else 64
    net = netdsl.load(name, input=(3, side, side))
    if net.params > 5e8:
        return None
    return net.transfer(open_source(f"torchvision:{name}", "none")).difference


def _row(name: str, far: float | None) -> str:
    net = netdsl.load(name)
    logits = "too large to be run here: counts alone"
    if far is not None:
        logits = f"differ by {far:.0e}" if far else "equal bit for bit"
    return f"| `{name}` | {net.params:,} | {net.macs:,} | {logits} |"


def _is_weights(node: ast.stmt) -> bool:
    """Whether a statement is about trained weights: their tables, their accuracies."""
    names = [node.name] if isinstance(node, ast.ClassDef) else []
    if isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    return any(name.endswith("_Weights") or name == "_COMMON_META" for name in names)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


if __name__ == "__main__":
    RESULTS.write_text(json.dumps(measure(), indent=1) + "\n", "utf-8")
    PAGE.write_text(page(), "utf-8")
