"""Printed networks run without netdsl and are the compiled ones, in weights and outputs."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import netdsl
from netdsl.ops import CATALOGUE
from tests.printed import record, run_apart

# Odd, not square, not three channels: symmetry hides mistakes.
INPUT = (6, 9, 8)
GROUPS = "default Norm(groups=3) "
EXAMPLES = [
    GROUPS + example if "group" in example else example
    for cls in CATALOGUE.values()
    for example in cls.examples
]
STAGE = "def Stage(c, n, s=2) { (BB c s=[s,1])x n } "
MB = (
    "def MB(c, s=1, k=3, e=4) { Res drop_path=0.1 shortcut=identity ( Conv e*cin 1x1 act=silu "
    "DWConv k=k s=s act=silu SE c=[cin/4] act=silu Conv c 1x1 act=none ) } "
)
INCEPTION = (
    "def Inception(a, b, c) { Cat( Conv a 1x1 | Conv b 1x1 Conv c | Conv b 1x1 Conv c Conv c | "
    "Max 3 s1 Conv a 1x1 ) } "
)
DENSE = "def Dense(k) { Cat( | Norm Act Conv 4*k 1x1 Conv k norm=none act=none ) } "
NETWORKS = [
    'name "ResNet-20" classes 10 shortcut pad Conv 16 (BB 16)x3 (BB 32 s=[2,1])x3 '
    "(BB 64 s=[2,1])x3 GAP FC classes",
    f"{STAGE} Conv 16 Stage 16 3 s=1 Stage 32 4 Stage 64 2 GAP FC 5",
    f"{STAGE} shortcut project Conv 8 Stage 16 3 Stage 32 5 Stage 64 3 GAP FC 5",
    "shortcut project Conv 8 s2 (Bott 16)x3 (Bott 32 s=[2,1])x4 (Bott 64 s=[2,1] g2)x3 GAP FC 7",
    "Res( Res( (BB 6)x2 )x3 )x2",
    "Res act=relu (BB 8 s2 (BB 8)x3) Res shortcut=project (Conv 16 s2 Conv 16 act=none)",
    "Res( BB 6 Conv 8 )",
    "Res act=relu ( Conv 8 s2 Conv 8 act=none | Max 3 s2 Conv 8 1x1 ) (Res( Conv 8 Conv 8 | ))x3",
    "Conv 4 @a (Res drop_path=0.5 act=relu ( Conv 4 | Conv 4 1x1 ))x3 Res( BB 4 drop_path=0.3 | @a )",
    "Add( Conv 6 | Conv 6 1x1 Conv 6 act=none | )",
    "Cat( Conv 4 1x1 | Conv 3 1x1 Conv 5 | Max 3 s1 Conv 2 1x1 )",
    "Conv 4 @a Mul( Conv 6 act=tanh | Conv 6 1x1 act=sigmoid ) Mul( | GAP Conv 6 1x1 ) Mul( @a Conv 1 | )",
    "Conv 4 @a Max 2 Conv 8 Up 2 Cat( | @a AvgTo 8 Conv 3 ) :11x8x8",
    "Conv 4 @a Conv 4 @b Conv 4 Add( | @a | @b Conv 4 ) Add( @b | @a | ) Cat( @a | @b Max 3 s1 )",
    "Conv 6 @a Cat( Conv 3 Cat( | @a Conv 2 ) | Add( @a | Conv 6 ) )",
    "drop_path 0.5 Conv 8 (BB 8)x4 (BB 16 s=[2,1])x4 GAP FC 5",
    "drop_path 0.4 shortcut project (Bott 16 s=[2,1])x3 (BB 16 pre drop_path=0.5)x3 Norm Act FC 3",
    "Res drop_path=0.5 (Conv 6 Dropout 0.5 Conv 6 act=none) (BB 8 drop_path=0.5 dropout=0.3)x3",
    "shortcut project (BB 8 order=bn_after_add s=[2,1] drop_path=0.3)x3 FC 3",
    "(Conv 8)x7 Max 2 (Conv 16 k=[1,3])x3 (DWConv)x4 (Max 2)x2 FC 5 FC 7 FC 3",
    "norm none (Conv 8)x3 (Act gelu)x4 (Dropout)x3 GAP FC 5",
    f"{MB} Conv 8 s2 act=silu MB 8 (MB 12 s=[2,1] k=5)x3 (MB 16 e=6)x2 GAP FC 9",
    f"{INCEPTION} Inception 3 4 5 Inception 6 4 8 (Inception 4 2 3)x3",
    f"{DENSE} (Dense 3)x5 Norm Act",
    "init zero_last Conv 8 (BB 8)x2 Res( (BB 8 pre)x3 ) FC 3",
    "init xavier norm group default Norm(groups=3) Conv 6 (SE r2)x3 (BB 6 order=pre)x4 Norm Act",
    "Conv 8 (SE r2)x2 SE c=3 gate=hardsigmoid Deconv 3 s=2x3 GAP",
    'Torch "nn.Hardswish" inplace=true (Torch "nn.PReLU" 6)x3 Torch "nn.Softplus" beta=0.5',
    'Conv 4 :4x9x8 Torch "nn.Upsample" scale_factor=2 mode="bilinear" Conv 3 k=3x5 s=2x1',
    "def None() { Conv 3 } def Tensor(c) { (Conv c)x2 } def F(c) { BB c s2 } "
    "def Network(c) { Conv c (Conv c)x3 } None Tensor 4 Tensor 5 F 8 Network 8 Network 9",
    "name \"class \\ 1 'x'\" Conv 3",
    "Conv 3  Norm kind=none",
    f"{'Res( ' * 30}Conv 6{' )' * 30}",
    f"Conv 4 {' '.join(f'@a{i} Conv 4' for i in range(40))} "
    f"Cat( | {' | '.join(f'@a{i}' for i in range(40))} )",
    f"Conv 4 {' '.join(f'@a{i} Conv 4' for i in range(40))} "
    f"Add( | {' | '.join(f'@a{i}' for i in range(40))} )",
    f"Conv 4 {' '.join(f'@a{i} Conv 4' for i in range(40))} "
    f"Mul( | {' | '.join(f'@a{i}' for i in range(40))} )",
    f"def Very{'long' * 25}(c) {{ (Conv c)x5 }} Very{'long' * 25} 4 Very{'long' * 25} 8",
]
TEXTS = [(text, plain) for text in [*EXAMPLES, *NETWORKS] for plain in (False, True)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every network printed, with the weights and outputs of the compiled one."""
    path = tmp_path_factory.mktemp("printed")
    for i, (text, plain) in enumerate(TEXTS):
        net = netdsl.parse(text, input=INPUT, plain=plain or None)
        record(net, path / f"net{i}.py", images=3, steps=3)
    return path


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, str]:
    return run_apart(folder)


@pytest.mark.parametrize("case", range(len(TEXTS)), ids=[f"{t} {p}"[:70] for t, p in TEXTS])
def test_printed_network_is_the_compiled_one(case: int, results: dict[str, str]) -> None:
    assert results[f"net{case}"] == "the same"


def test_printed_files_are_as_ruff_would_have_them(folder: Path) -> None:
    pytest.importorskip("ruff")
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--no-cache", "--line-length=100"]
    for command in (["format", "--diff"], ["check", "--extend-select=I,UP,RET505,N801"]):
        done = subprocess.run(
            [*ruff, *command, *options, str(folder)], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


def test_file_run_by_itself_prints_shape_and_parameters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.py"
    path.write_text(netdsl.parse("Conv 4 FC 3", input=INPUT).source(), encoding="utf-8")
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out == "(1, 3) 1091\n"


def test_fresh_weights_have_the_distribution_of_the_compiled_ones() -> None:
    net = netdsl.parse("Conv 64 k1 FC 50", input=(64, 5, 7))
    torch.manual_seed(0)
    printed, compiled = executed(net.source()).state_dict(), net.module().state_dict()
    for name in ("conv1.weight", "fc1.weight"):
        assert printed[name].std().item() == pytest.approx(compiled[name].std().item(), rel=0.1)
    assert torch.equal(printed["fc1.bias"], compiled["fc1.bias"])


def test_zero_last_sets_the_last_norms_of_branches_to_zero() -> None:
    net = netdsl.parse("init zero_last BB 6 Res( (BB 6)x2 )", input=INPUT)
    printed, compiled = executed(net.source()).state_dict(), net.module().state_dict()
    zero = [
        name for name, value in compiled.items() if name.endswith("norm.weight") and not value.any()
    ]
    assert zero == [
        "bb1.conv2_norm.weight",
        "res1.bb1.conv2_norm.weight",
        "res1.bb2.conv2_norm.weight",
    ]
    assert all(not printed[name].any() for name in zero)


def executed(text: str) -> torch.nn.Module:
    space: dict[str, object] = {"__name__": "printed"}
    exec(text, space)
    network = space[space["__all__"][0]]()  # type: ignore[index,operator]
    assert isinstance(network, torch.nn.Module)
    return network
