"""Modules that are copied from their like are what constructors make, with values of their own."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from netdsl import parse
from netdsl.backends.modules import Maker
from netdsl.ir import Call

CALLS = [
    Call("nn.Conv2d", {"in_channels": 4, "out_channels": 6, "kernel_size": (3, 5), "bias": False}, 3),
    Call("nn.Conv2d", {"in_channels": 4, "out_channels": 6, "kernel_size": 1, "groups": 2}, 2),
    Call("nn.ConvTranspose2d", {"in_channels": 4, "out_channels": 6, "kernel_size": 2}, 3),
    Call("nn.Linear", {"in_features": 5, "out_features": 7}, 2),
    Call("nn.BatchNorm2d", {"num_features": 6}, 1),
    Call("nn.BatchNorm2d", {"num_features": 6, "affine": False}, 1),
    Call("nn.GroupNorm", {"num_groups": 2, "num_channels": 6}, 2),
    Call("ChannelNorm", {"normalized_shape": 6, "eps": 1e-6}, 1),
    Call("LayerScale", {"channels": 6, "start": 1e-6}, 1),
    Call("nn.ReLU", {"inplace": True}),
    Call("nn.PReLU", {"num_parameters": 6}, 1),
    Call("nn.MultiheadAttention", {"embed_dim": 6, "num_heads": 2}, 2),
    Call("ZeroPad", {"stride": 2, "channels": 3}, 2),
]  # fmt: skip


def constructed(call: Call) -> nn.Module:
    from netdsl.backends import layers

    home = nn if call.target.startswith("nn.") else layers
    module: nn.Module = getattr(home, call.target.removeprefix("nn."))(**call.arguments)
    return module


@pytest.mark.parametrize("call", CALLS, ids=str)
@pytest.mark.parametrize("init", ["kaiming", "torch"])
def test_a_copy_has_all_that_a_constructor_makes(call: Call, init: str) -> None:
    first, second = (Maker(init, 0).make(call, "a") for _ in range(2))  # type: ignore[arg-type]
    expected = constructed(call)
    for module in (first, second):
        assert type(module) is type(expected)
        assert str(module) == str(expected)
        assert vars(module).keys() == vars(expected).keys()
        assert {k: (v.shape, v.dtype, v.stride()) for k, v in module.state_dict().items()} == {
            k: (v.shape, v.dtype, v.stride()) for k, v in expected.state_dict().items()
        }
        assert [p.requires_grad for p in module.parameters()] == [
            p.requires_grad for p in expected.parameters()
        ]
        assert module.training


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_copies_share_nothing_that_can_change(call: Call) -> None:
    maker = Maker("kaiming", 0)
    one, other = maker.make(call, "a"), maker.make(call, "b")
    for name, value in vars(one).items():
        if isinstance(value, dict | list | set):
            assert value is not vars(other)[name], name
    storages = [{t.data_ptr() for t in m.state_dict().values() if t.numel()} for m in (one, other)]
    assert storages[0].isdisjoint(storages[1])
    one.register_forward_hook(lambda *_: None)
    assert (len(one._forward_hooks), len(other._forward_hooks)) == (1, 0)


def test_norms_start_as_ones_and_zeros_after_others_were_trained() -> None:
    net = parse("Conv 4 FC 3", input=(3, 9, 8))
    with torch.no_grad():
        for tensor in net.module().state_dict().values():
            tensor.fill_(7)
    model = net.module()
    assert model.conv1_norm.weight.tolist() == [1.0] * 4
    assert model.conv1_norm.running_mean.tolist() == [0.0] * 4
    assert model.conv1_norm.num_batches_tracked.item() == 0


@pytest.mark.parametrize("header", ["", "init xavier", "init torch", "init zero_last"])
def test_values_depend_on_seed_and_name_alone(header: str) -> None:
    net = parse(f'{header} Conv 4 BB 4 BB 6 s2 Torch "nn.PReLU" 6 FC 5', input=(3, 9, 8))
    torch.manual_seed(1)
    one = net.module(seed=3).state_dict()
    torch.manual_seed(2)
    torch.rand(5)
    parse("Conv 8 FC 7", input=(3, 9, 8)).module(seed=9)
    other = net.module(seed=3).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_callers_random_numbers_stay_as_they_are() -> None:
    net = parse('init torch Conv 4 Torch "nn.Conv2d" 4 5 3 padding=1 FC 5', input=(3, 9, 8))
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    net.module()
    assert torch.equal(torch.rand(3), expected)


def test_large_weights_are_what_torch_fills_at_once() -> None:
    weight = parse("Conv 96 Conv 100", input=(3, 9, 8)).module(seed=4).conv2.weight  # 86,400
    from netdsl.backends.initialisation import generator

    expected = torch.empty_like(weight).detach()
    random = generator(4, "conv2.weight")
    nn.init.kaiming_normal_(expected, mode="fan_out", nonlinearity="relu", generator=random)
    assert torch.equal(weight, expected)


def test_a_default_device_and_type_are_minded() -> None:
    net = parse("Conv 4 FC 3", input=(3, 9, 8))
    with torch.device("meta"):
        assert {p.device.type for p in net.module().parameters()} == {"cpu"}
    torch.set_default_dtype(torch.float64)
    try:
        assert {p.dtype for p in net.module().parameters()} == {torch.float64}
    finally:
        torch.set_default_dtype(torch.float32)
    assert {p.dtype for p in net.module().parameters()} == {torch.float32}


def test_stochastic_blocks_are_found_in_order() -> None:
    model = parse("drop_path 0.5 Conv 4 (BB 4)x3 GAP FC 5", input=(3, 9, 8)).module()
    assert model._stochastic == ("bb1", "bb2", "bb3")


@pytest.mark.parametrize("init", ["kaiming", "torch"])
def test_networks_of_a_fake_mode_leave_nothing_behind(init: str) -> None:
    net = parse(f'init {init} Conv 4 BB 8 Torch "nn.PReLU" 8 FC 3', input=(3, 8, 8))
    with FakeTensorMode():
        assert isinstance(net.module()(torch.randn(2, 3, 8, 8)), FakeTensor)
    state = net.module().state_dict()
    assert not any(isinstance(tensor, FakeTensor) for tensor in state.values())


def test_threads_that_build_at_once_draw_the_same_and_leave_the_stream_alone() -> None:
    net = parse("init torch (Conv 64)x6 GAP FC 10", input=(3, 64, 64))
    alone = net.module(1).state_dict()
    interval, before = sys.getswitchinterval(), torch.get_rng_state()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as threads:
            built = list(threads.map(lambda _: net.module(1).state_dict(), range(40)))
    finally:
        sys.setswitchinterval(interval)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(state[name], alone[name]) for state in built for name in alone)


def test_no_graph_is_made_of_one_draw_of_stochastic_depth() -> None:
    model = parse("drop_path 0.5 (BB 4)x2 GAP FC 3", input=(4, 8, 8)).module()
    x = torch.randn(2, 4, 8, 8)
    for trace in (torch.fx.symbolic_trace, lambda model: make_fx(model)(x)):
        with pytest.raises(RuntimeError, match="stochastic depth draws anew"):
            trace(model.train())
        assert torch.allclose(trace(model.eval())(x), model(x))


def test_measuring_a_layer_of_torch_is_not_counted_with_what_a_caller_counts() -> None:
    with FlopCounterMode(display=False) as counter:
        parse('Torch "nn.Conv2d" 3 7 3 GAP FC 3', input=(3, 41, 40))
    assert counter.get_total_flops() == 0


@pytest.mark.parametrize("act", ["relu", "leaky_relu", "elu"])
def test_what_enters_and_leaves_a_scope_is_not_overwritten(act: str) -> None:
    text = f"act {act} def D() {{ Act Conv 8 act=none }} Conv 8 act=none (D)x2 (BB 8 order=relu_pre)x2 GAP FC 3"
    model = parse(text, input=(3, 8, 8), plain=True).module()
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []
    for child in model.children():
        child.register_forward_hook(lambda _, x, y: kept.append((y, y.clone())))
    model(torch.randn(2, 3, 8, 8))
    assert len(kept) == len(list(model.children()))
    assert all(torch.equal(seen, copy) for seen, copy in kept)
    y = model.conv1(torch.randn(2, 3, 8, 8))
    for scope in (model.d1, model.d2, model.bb1, model.bb2):
        y = checkpoint(scope, y, use_reentrant=False)
    y.sum().backward()
    assert model.conv1.weight.grad is not None


@pytest.mark.parametrize("act", ["relu", "leaky_relu", "elu", "hardswish"])
def test_hooks_see_every_layer_where_none_works_in_place(act: str) -> None:
    text = f"act {act} Conv 4 BB 8 s2 SE r=4 Dropout 0.5 GAP FC 6 act={act} FC 3"
    model, x = parse(text, input=(3, 8, 8)).module().eval(), torch.randn(2, 3, 8, 8)
    y = model(x)
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []
    back: list[nn.Module] = []
    for layer in model.modules():
        layer.inplace = False  # type: ignore[assignment]
        layer.register_forward_hook(lambda _, x, y: kept.append((y, y.clone())))
        layer.register_full_backward_hook(lambda layer, *_: back.append(layer))
    again = model(x.requires_grad_())
    again.sum().backward()
    assert torch.equal(y, again)
    assert all(torch.equal(seen, copy) for seen, copy in kept)
    assert set(back) == set(model.modules())


def test_parameters_are_made_on_the_cpu_and_those_of_printed_source_where_torch_makes_them() -> (
    None
):
    net = parse("Conv 4 FC 3", input=(3, 8, 8))
    printed: dict[str, Any] = {"__name__": "printed"}
    exec(net.source(), printed)
    with torch.device("meta"):
        modules = [net.module(), printed["Network"](), net.module().to("meta")]
    assert [{p.device.type for p in m.parameters()} for m in modules] == [
        {"cpu"},
        {"meta"},
        {"meta"},
    ]
