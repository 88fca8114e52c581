"""Properties of random networks: layout means nothing, twins differ by shortcuts, shapes are torch's."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import netdsl
from netdsl.ops.wiring import AveragePad, ShortcutAdd, StochasticDepth, ZeroPad

SHAPE = (3, 11, 10)
WIRING = (ShortcutAdd, AveragePad, ZeroPad, StochasticDepth)

widths = st.integers(3, 9)
simple = st.one_of(
    st.builds("Conv {}".format, widths),
    st.builds("Conv {} k{} s{}".format, widths, st.sampled_from((1, 3, 5)), st.integers(1, 2)),
    st.builds("DWConv 3x5 m{}".format, st.integers(1, 2)),
    st.sampled_from(
        ("Norm", "Act gelu", "Dropout 0.3", "SE r2", "Max 3 s1", "Avg 1", "Deconv 5 k3")
    ),
)
blocks = st.builds(
    "BB {} s{} order={} shortcut={} dropout={}".format,
    widths,
    st.integers(1, 2),
    st.sampled_from(("original", "bn_after_add", "relu_before_add", "relu_pre", "pre")),
    st.sampled_from(("project", "avgproject", "always", "identity")),
    st.sampled_from((0, 0.5)),
) | st.builds("Bott {} e3 shortcut=project".format, st.sampled_from((3, 6, 9)))


def groups(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(items, min_size=1, max_size=3).map(" ".join)
    return st.one_of(
        st.builds("({})x{}".format, body, st.integers(0, 3)),
        st.builds("Res shortcut=project ( {} )".format, body),
        st.builds("Res act=relu ( Conv {0} Conv {0} | Conv {0} 1x1 )".format, widths),
        st.builds("Res drop_path=0.5 ( SE r1 {} | )".format, st.sampled_from(("", "Dropout"))),
        st.builds("Cat( {} | Conv 4 1x1 s1 | )".format, st.sampled_from(("Conv 3", "Conv 2 5x5"))),
        st.builds("Add( Conv {0} | Conv {0} 1x1 )".format, widths),
        st.builds("Mul( Conv {0} | Conv {0} 1x1 act=sigmoid )".format, widths),
        st.builds("Mul( | Conv {} act=sigmoid )".format, st.just(1)),
    )


networks = st.lists(
    st.recursive(simple | blocks, groups, max_leaves=5), min_size=1, max_size=4
).map(lambda items: " ".join([*items, "GAP FC 4"]))


def small(text: str) -> netdsl.Network:
    return netdsl.parse(text, input=SHAPE)


@settings(max_examples=60)
@given(networks)
def test_twins_differ_by_shortcuts_alone(text: str) -> None:
    net = small(text)
    twin = net.plain()
    projections = {n.name for n in net.checked if ".shortcut" in n.name}
    kept = {n.name: (n.op.infer, n.shape) for n in net.checked
            if not isinstance(n.op, WIRING) and n.name not in projections}  # fmt: skip
    assert list(kept) == [n.name for n in twin.checked]
    assert [shape for _, shape in kept.values()] == [n.shape for n in twin.checked]
    mine, theirs = net.module(seed=1).state_dict(), twin.module(seed=1).state_dict()
    assert list(theirs) == [key for key in mine if ".shortcut" not in key]
    assert all(torch.equal(theirs[key], mine[key]) for key in theirs)


@settings(max_examples=60)
@given(networks)
def test_inferred_shapes_and_counts_are_torchs(text: str) -> None:
    net = small(text)
    model = net.module().eval()
    with torch.no_grad():
        y = model(torch.randn(2, *SHAPE))
    assert tuple(y.shape[1:]) == net.output_shape
    assert net.params == sum(p.numel() for p in model.parameters())


LAYOUTS = (
    lambda text: text.replace(" ", "\n"),
    lambda text: text.replace(" ", "\u00a0\t "),
    lambda text: text.replace(")x", ") × "),
    lambda text: text.replace(")x", ")*"),
    lambda text: text.replace(" GAP", " -> GAP,\n# the head\n"),
    lambda text: text.replace("Conv ", "Conv").replace("BB ", "BB").replace("FC ", "FC"),
)


@settings(max_examples=60)
@given(networks, st.sampled_from(LAYOUTS))
def test_layout_means_nothing(text: str, layout: object) -> None:
    one, other = small(text), small(layout(text))  # type: ignore[operator]
    assert list(one.checked) == list(other.checked)
    assert one.params == other.params


@settings(max_examples=30)
@given(networks)
def test_the_canonical_text_is_the_same_network(text: str) -> None:
    net = small(text)
    assert list(small(str(net)).checked) == list(net.checked)
    assert str(small(str(net))) == str(net)


@settings(max_examples=30)
@given(networks)
def test_rows_and_json_add_up(text: str) -> None:
    from netdsl.backends.table import layers, make_table

    net = small(text)
    for expand in (False, True):
        table = make_table(net.checked, expand=expand)
        assert (table.cost.params, table.cost.macs) == (net.params, net.macs)
    unrolled = layers(net.checked)
    assert sum(layer["params"] for layer in unrolled) <= net.params
