"""What every layer must satisfy, run on every example in the catalogue, residual and plain."""

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import netdsl
from netdsl.lower.bind import bind
from netdsl.lower.defaults import Defaults
from netdsl.lower.values import Scope
from netdsl.measure import activation_memory
from netdsl.ops import CATALOGUE, arguments
from netdsl.ops.blocks import ResidualBlock
from netdsl.ops.torch_layer import TorchLayer
from netdsl.syntax import parse as parse_text
from netdsl.syntax import to_text, tree
from tests.printed import scramble

# Odd, not square, not three channels: symmetry hides mistakes.
INPUT = (6, 9, 8)
HEADERS = {"Norm group groups=3": "", "Conv 6 norm=group bias=on": "default Norm(groups=3) "}
COMBINATIONS = (
    "Res shortcut=project drop_path=0.5 ( Conv 6 Conv 4 )",
    "Res act=relu shortcut=project (Conv 8 s2 Conv 8 act=none)",
    "Res act=relu ( Conv 8 s2 Conv 8 act=none | Max 3 s2 Conv 8 1x1 act=none )",
    "Conv 4 @a Max 2 Up 2 Res drop_path=0.3 ( AvgTo 9x8 Conv 4 | @a ) Res( BB 4 | )",
    "Add( Conv 6 | Conv 6 1x1 Conv 6 act=none | )",
    "Cat( Conv 4 1x1 | Conv 3 1x1 Conv 5 | Max 3 s1 Conv 2 1x1 )",
    "Mul( Conv 6 act=tanh | Conv 6 1x1 act=sigmoid | )",
    "Mul( GAP Conv 6 1x1 | GAP Conv 6 1x1 act=sigmoid | Conv 6 )",
    "Mul( GAP Conv 6 1x1 norm=none act=sigmoid | Conv 1 norm=none act=sigmoid | ) Conv 3",
    "Conv 4 Mul( | Cat( Across max | Across mean ) Conv 1 3x3 act=sigmoid ) Conv 3",
    "Conv 4 @a Max 2 Conv 8 Up 2 Cat( | @a AvgTo 8 Conv 3 ) :11x8x8",
    "Res( Res( (BB 6)x2 )x3 )x2",
    "(BB [6,8] s=[1,2])x3 GAP FC 5",
)
EXAMPLES = [
    *(e for cls in CATALOGUE.values() for e in cls.examples),
    *COMBINATIONS,
]


def network(source: str, plain: bool = False) -> netdsl.Network:
    return netdsl.parse(HEADERS.get(source, "") + source, input=INPUT, plain=plain or None)


def test_every_layer_has_an_example_and_a_manual() -> None:
    for code, cls in CATALOGUE.items():
        assert cls.examples, code
        assert f"`{code}" in cls.__doc__, code


def test_every_option_of_every_layer_stands_in_an_example() -> None:
    """That is, some example has another value for it; residual blocks share theirs."""
    changed: dict[str, set[str]] = {}
    for code, cls in CATALOGUE.items():
        family = "a block" if issubclass(cls, ResidualBlock) else code
        for example in cls.examples if cls is not TorchLayer else ():
            for item in parse_text(example, "an example").body:
                if isinstance(item.core, tree.Layer) and item.core.name == code:
                    layer, _ = bind(item.core, cls, Scope({}, cin=6), Defaults())
                    changed.setdefault(family, set()).update(
                        name
                        for name, a in arguments(cls).items()
                        if getattr(layer, name) != a.default
                    )
    missing = {
        (code, name)
        for code, cls in CATALOGUE.items()
        if cls is not TorchLayer
        for name in arguments(cls)
        if name not in changed["a block" if issubclass(cls, ResidualBlock) else code]
    }
    assert missing == set()


@pytest.mark.parametrize("plain", [False, True], ids=["residual", "plain"])
@pytest.mark.parametrize("source", EXAMPLES)
class TestEveryLayer:
    def test_inferred_shapes_are_those_that_torch_makes(self, source: str, plain: bool) -> None:
        net = network(source, plain)
        made: dict[str, tuple[int, ...]] = {}
        model = net.module().eval()
        names = {module: name for name, module in model.named_modules()}

        def record(module: nn.Module, _: object, y: torch.Tensor) -> None:
            made[names[module]] = tuple(y.shape[1:])

        for module in names:
            module.register_forward_hook(record)
        model(torch.randn(2, *INPUT))
        inferred = {n.name: n.shape.dims for n in net.checked if n.inputs}
        assert {name: made[name] for name in inferred} == inferred
        assert made[""] == net.output_shape

    def test_cost_is_what_torch_counts(self, source: str, plain: bool) -> None:
        net = network(source, plain)
        model = net.module().eval()
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            model(torch.randn(1, *INPUT))
        assert net.params == sum(p.numel() for p in model.parameters())
        assert 2 * net.macs == counter.get_total_flops()

    def test_printed_source_is_the_compiled_module(self, source: str, plain: bool) -> None:
        net = network(source, plain)
        space: dict[str, Any] = {"__name__": "printed"}
        exec(net.source(), space)
        compiled = scramble(net.module()).eval()
        (cls,) = [v for k, v in space.items() if k == space["__all__"][0]]
        printed = cls().eval()
        printed.load_state_dict(compiled.state_dict())
        assert list(printed.state_dict()) == list(compiled.state_dict())
        x = torch.randn(2, *INPUT)
        assert torch.equal(printed(x), compiled(x))

    def test_prints_back_as_itself(self, source: str, plain: bool) -> None:
        tree = parse_text(source)
        assert parse_text(to_text(tree)) == tree

    def test_can_be_copied_pickled_and_trained(self, source: str, plain: bool) -> None:
        model = scramble(network(source, plain).module()).eval()
        x = torch.randn(2, *INPUT)
        expected = model(x)
        assert torch.equal(copy.deepcopy(model)(x), expected)
        assert torch.equal(pickle.loads(pickle.dumps(model))(x), expected)
        model.train()
        model(x.requires_grad_() * 1).sum().backward()
        assert x.grad is not None
        survive = all(getattr(module, "survives", True) for module in model.modules())
        assert survive == all(p.grad is not None for p in model.parameters())

    def test_channels_last_gives_the_same(self, source: str, plain: bool) -> None:
        model = scramble(network(source, plain).module()).eval()
        x = torch.randn(2, *INPUT)
        y = copy.deepcopy(model).to(memory_format=torch.channels_last)(
            x.contiguous(memory_format=torch.channels_last)
        )
        torch.testing.assert_close(y, model(x), rtol=1e-4, atol=1e-4)

    def test_activation_memory_is_what_autograd_keeps(self, source: str, plain: bool) -> None:
        net = network(source, plain)
        if "Torch" in source:
            return
        sizes = {node.shape.size for node in net.checked}
        model = net.module().train()
        for block in model.modules():
            if hasattr(block, "survives"):
                block.survival = 1.0
        assert kept_bytes(model, sizes) == 4 * activation_memory(net.checked)


@pytest.mark.parametrize(
    "text",
    ["Conv 8 Max 2 AvgTo 3 Flatten FC 3", "norm none Conv 8 act=none BB 16 s2 order=relu_pre"],
)
def test_what_averages_keep_is_counted(text: str) -> None:
    assert_counted(text)


@pytest.mark.parametrize(
    "text",
    [
        "Conv 16 act=none norm=none BB 32 order=relu_pre norm=none shortcut=avgpad",
        "Conv 16 act=none norm=none AvgTo 1 FC 3",
        "Conv 16 act=none norm=none AvgTo 1x1 Conv 5 norm=none",
        "Conv 16 act=none norm=none AvgTo 1x2 FC 3",
        "Conv 16 act=none norm=none AvgTo 2x1 FC 3",
        "Conv 16 norm=none act=none Dropout 0 Conv 3",
        "Conv 16 norm=none act=none Act none Conv 3",
        "Conv 16 @a Dropout 0 Conv 3 Cat(|@a Conv 5) Conv 3",
        "Conv 16 @a Act none Conv 3 Cat(|@a Conv 5) Conv 3",
    ],
)
def test_what_only_passes_a_map_on_keeps_nothing(text: str) -> None:
    assert_counted(text)


@pytest.mark.parametrize(
    "text",
    [
        "Conv 16 Part 1 2 Conv 16",
        "Conv 16 Cat(Part 1 2 Conv 3|Part 2 2 Conv 5) Conv 3",
        "Conv 16 norm=none act=none Cat(Part 1 2 Conv 3|Part 2 2) Conv 3",
        "Conv 16 norm=none act=none Part 1 2 Part 2 2 Norm Act gelu Conv 3",
        "Conv 16 norm=none act=none Part 2 2 Act Conv 3",
        "Conv 16 Part 2 4 Flatten FC 3",
        "Part 1 2 Conv 16",
        "Conv 16 Flatten Part 1 2 FC 3",
    ],
)
def test_a_part_of_a_map_keeps_the_whole_of_it_once(text: str) -> None:
    assert_counted(text)


@pytest.mark.parametrize(
    "layer",
    ["ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "Hardtanh", "Hardswish", "SiLU", "Mish"],
)
def test_what_torch_layers_keep_in_place_is_counted(layer: str) -> None:
    assert_counted(f'Conv 16 act=none norm=none Torch "nn.{layer}" inplace=true Conv 4')


@pytest.mark.parametrize("before", ["Conv 16 norm=none", "Conv 16 norm=none act=none"])
@pytest.mark.parametrize(
    "layer",
    ["nn.ReLU", "nn.Sigmoid", "nn.Tanh", "nn.Softmax dim=1", "nn.LogSoftmax dim=1",
     "nn.Softmin dim=1", "nn.Softmax2d", "nn.Dropout 0.3", "nn.AlphaDropout 0.3", "nn.Dropout2d",
     "nn.FeatureAlphaDropout", "nn.Identity", "nn.ChannelShuffle 2", "nn.PixelShuffle 2",
     "nn.PixelUnshuffle 1", "nn.ZeroPad2d 2", "nn.ConstantPad2d 1 0.5", "nn.CircularPad2d 1",
     "nn.Upsample scale_factor=2", "nn.UpsamplingNearest2d scale_factor=2",
     "nn.UpsamplingBilinear2d scale_factor=2", "nn.Hardsigmoid", "nn.AvgPool2d 2"],
)  # fmt: skip
def test_what_torch_layers_keep_is_counted(layer: str, before: str) -> None:
    name, *arguments = layer.split()
    assert_counted(f'{before} Torch "{name}" {" ".join(arguments)} Conv 4')


def test_a_flattened_map_is_kept_once() -> None:
    assert_counted('Conv 16 Torch "nn.Flatten" FC 3')


def test_a_torch_layer_that_must_not_work_in_place_makes_a_map_of_its_own() -> None:
    text = 'Conv 16 act=none norm=none @a Torch "nn.Hardtanh" inplace=true Conv 4 Cat(|@a) Conv 3'
    assert_counted(text)


@pytest.mark.parametrize("code", [code for code in CATALOGUE if code != "Torch"])
def test_every_mistyped_option_is_refused(code: str) -> None:
    for name in (*arguments(CATALOGUE[code]), "zz"):
        with pytest.raises(netdsl.NetDSLError) as error:
            network(f"{CATALOGUE[code].examples[0]} {name}zq=1")
        assert f"{code} has no option `{name}zq`" in str(error.value)


@pytest.mark.parametrize("code", [code for code in CATALOGUE if code != "Torch"])
def test_every_option_refuses_what_is_not_of_its_type(code: str) -> None:
    for argument in arguments(CATALOGUE[code]).values():
        if argument.name in CATALOGUE[code].positional:
            continue
        with pytest.raises(netdsl.NetDSLError) as error:
            network(f'{CATALOGUE[code].examples[0].split()[0]} 4 {argument.name}="text"')
        assert error.value.diagnostics[0].code in ("E0206", "E0205")


def assert_counted(text: str) -> None:
    net = netdsl.parse(text, input=INPUT)
    sizes = {node.shape.size for node in net.checked}
    assert kept_bytes(net.module(), sizes) == 4 * activation_memory(net.checked)


def kept_bytes(model: nn.Module, sizes: set[int]) -> int:
    """What autograd saves of four images: parameters, the input, statistics, indices left out."""
    x = torch.randn(4, *INPUT, requires_grad=True)
    own = {p.untyped_storage().data_ptr() for p in (*model.parameters(), *model.buffers())}
    own.add(x.untyped_storage().data_ptr())
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        output = tensor.numel() // len(x) in sizes and tensor.dtype == torch.float32
        if output and storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = model(x)
    assert y is not None
    return sum(kept.values())
