"""Norms at initialisation: against autograd by hand, and what is known of plain networks."""

from __future__ import annotations

import csv
import io
from statistics import median

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

import netdsl
from netdsl.experiment.analysis import (
    Probe,
    Reading,
    Spot,
    draw_probes,
    find_spots,
    probe,
    probe_csv,
    probe_text,
)
from netdsl.experiment.analysis.probe import random_batch, refuse_large_batch
from netdsl.experiment.analysis.probe_table import some
from netdsl.train import TrainError

TINY = "Conv 3 BB 4 s2 Conv 6 act=none Act GAP FC 5"
BATCH = random_batch((2, 9, 8), (5,), 6)


def rms(x: Tensor) -> float:
    return float(x.double().square().mean().sqrt())


def read(network: netdsl.Network, batch: tuple[Tensor, Tensor] = BATCH) -> dict[str, Reading]:
    found = probe(network.module(), find_spots(network), *batch)
    return {reading.spot.name: reading for reading in found}


def test_readings_are_those_of_autograd_by_hand() -> None:
    network = netdsl.parse(TINY, input=(2, 9, 8))
    found = read(network)
    m, (images, labels) = network.module(), BATCH
    stem = m.conv1_act(m.conv1_norm(m.conv1(images)))
    block = m.bb1(stem)
    last = m.conv2_norm(m.conv2(block))
    scores = m.fc1(torch.relu(last).mean((2, 3)))
    loss = cross_entropy(scores, labels, reduction="sum")
    outputs = {"conv1": stem, "bb1": block, "conv2": last, "fc1": scores}
    gradients = torch.autograd.grad(loss, list(outputs.values()), retain_graph=True)
    assert list(found) == list(outputs)
    for (name, output), gradient in zip(outputs.items(), gradients, strict=True):
        assert found[name].activation == pytest.approx(rms(output.detach()), rel=1e-5)
        assert found[name].gradient == pytest.approx(rms(gradient), rel=1e-4)
    weights = [m.bb1.conv1.weight, m.bb1.conv2.weight]
    squares = sum(float(g.square().sum()) for g in torch.autograd.grad(loss / 6, weights))
    assert found["bb1"].weight_gradient == pytest.approx(squares**0.5, rel=1e-4)
    norm = sum(float(w.detach().square().sum()) for w in weights) ** 0.5
    assert found["bb1"].pull == pytest.approx(squares**0.5 / norm, rel=1e-4)


def test_the_number_of_images_does_not_matter_without_batch_norm() -> None:
    network = netdsl.parse(f"norm none {TINY}", input=(2, 9, 8))
    images, labels = BATCH
    once = read(network)
    twice = read(network, (torch.cat((images, images)), torch.cat((labels, labels))))
    for name, reading in once.items():
        assert twice[name].gradient == pytest.approx(reading.gradient, rel=1e-4)
        assert twice[name].weight_gradient == pytest.approx(reading.weight_gradient, rel=1e-4)


def test_dropout_and_stochastic_depth_are_left_out() -> None:
    text = "drop_path 0.9 Conv 4 BB 4 dropout=0.5 BB 4 Dropout 0.5 GAP FC 5"
    network = netdsl.parse(text, input=(2, 9, 8))
    assert read(network) == read(network)
    assert all(reading.weight_gradient > 0 for reading in read(network).values())


def test_the_twins_have_the_same_spots_and_begin_alike() -> None:
    network = netdsl.parse(TINY, input=(2, 9, 8))
    residual, plain = read(network), read(network.plain())
    assert [r.spot for r in residual.values()] == [r.spot for r in plain.values()]
    assert residual["bb1"].spot == Spot("bb1", "block", 3, "bb1", ("bb1",))
    assert plain["bb1"].weight == residual["bb1"].weight
    assert plain["bb1"].activation != residual["bb1"].activation


def test_the_innermost_of_nested_blocks_count() -> None:
    network = netdsl.parse("Conv 4 Res((BB 4)x2 Conv 4) GAP FC 5", input=(2, 9, 8))
    assert [(s.name, s.kind, s.depth) for s in find_spots(network)] == [
        ("conv1", "layer", 1), ("res1.bb1", "block", 3), ("res1.bb2", "block", 5),
        ("res1.conv1", "layer", 6), ("fc1", "layer", 7),
    ]  # fmt: skip


@pytest.mark.parametrize("arch", ["vgg11", "squeezenet1_1", "densenet121", "mobilenet_v2", "convnext_tiny", "regnet_y_400mf"])  # fmt: skip
def test_networks_of_any_family_have_spots(arch: str) -> None:
    network = netdsl.load(arch)
    spots = find_spots(network)
    modules = {part for node in network.checked for part in (node.name, node.scope)}
    assert spots[-1].depth == network.depth
    assert len({spot.name for spot in spots}) == len(spots) > 5
    assert {spot.output for spot in spots} <= modules


def test_branches_and_maps_are_probed() -> None:
    network = netdsl.parse("Conv 4 Cat(Conv 3 | Conv 2 5x5) Conv 5 act=none", input=(2, 9, 8))
    found = read(network, random_batch((2, 9, 8), network.output_shape, 4))
    assert list(found) == ["conv1", "cat1.branch1.conv1", "cat1.branch2.conv1", "conv2"]
    assert all(reading.gradient > 0 for reading in found.values())


def test_gradients_explode_backwards_without_shortcuts() -> None:
    network = netdsl.load("resnet-cifar", n=9)
    batch = random_batch(network.input_shape, (10,), 8)
    ratios = [
        Probe("", 0, probe(twin.module(), find_spots(twin), *batch)).ratio
        for twin in (network, network.plain())
    ]
    assert 2 < ratios[0] < 40
    assert ratios[1] > 1000


@pytest.mark.slow
def test_at_110_layers_the_ratio_is_20_with_shortcuts_and_ten_million_without() -> None:
    network = netdsl.load("resnet110")
    batch = random_batch(network.input_shape, (10,), 32)
    medians = [
        median(
            Probe("", 0, probe(twin.module(seed), find_spots(twin), *batch)).ratio
            for seed in range(3)
        )
        for twin in (network, network.plain())
    ]
    assert 10 < medians[0] < 40
    assert 3e6 < medians[1] < 1e8


def made(twin: str, seed: int, gradients: list[float]) -> Probe:
    spots = [Spot("conv1", "layer", 1, "", ()), *(Spot(f"bb{i}", "block", 1 + 2 * i, "", ()) for i in range(1, len(gradients)))]  # fmt: skip
    return Probe(twin, seed, tuple(Reading(s, 1.0, g, 2.0, g / 4) for s, g in zip(spots, gradients, strict=True)))  # fmt: skip


def test_the_table_has_medians_and_the_ratio_of_the_blocks() -> None:
    gradients = {"residual": ([9, 4, 2], [9, 6, 1], [9, 5, 1]), "plain": ([9e9, 8e6, 2], [9, 6e6, 1], [9, 5e7, 1])}  # fmt: skip
    probes = [made(twin, seed, list(map(float, numbers))) for twin, of in gradients.items() for seed, numbers in enumerate(of)]  # fmt: skip
    assert probe_text(probes).splitlines() == [
        "              activation         gradient         by weights",
        "       depth    residual  plain  residual  plain    residual  plain",
        "───────────────────────────────────────────────────────────────────",
        "conv1      1           1      1         9      9        1.12   1.12",
        "bb1        3           1      1         5  8e+06       0.625  1e+06",
        "bb2        5           1      1         1      1       0.125  0.125",
        "───────────────────────────────────────────────────────────────────",
        "gradient at the first block / at the last: residual 5 (2 to 6), plain 6e+06 (4e+06 to 5e+07)",
        "medians over 3 initialisations",
    ]


def test_many_blocks_are_folded_and_all_of_them_are_in_the_csv() -> None:
    one = made("residual", 0, [1.0] * 60)
    shown = [spot.name for spot in some([r.spot for r in one.readings])]
    assert len(shown) <= 20
    assert (shown[:2], shown[-1]) == (["conv1", "bb1"], "bb59")
    assert "20 of 60 blocks and layers are shown; --expand shows all" in probe_text([one])
    assert len(probe_text([one], expand=True).splitlines()) == 60 + 4
    rows = list(csv.DictReader(io.StringIO(probe_csv([one]).decode())))
    assert len(rows) == 60
    assert (rows[3]["spot"], rows[3]["depth"], float(rows[3]["weight_gradient"])) == ("bb3", "7", 0.25)  # fmt: skip


def test_a_ratio_of_nothing_is_none() -> None:
    assert made("plain", 0, [1.0, 2.0, 0.0]).ratio == float("inf")
    last = probe_text([made("plain", 0, [1.0, 0.0, 0.0])]).splitlines()[-1]
    assert last == "gradient at the first block / at the last: nan"


def test_equal_probes_give_equal_figures_and_infinities_do_no_harm() -> None:
    probes = [made("residual", 0, [3.0, 2.0, 1.0]), made("plain", 0, [float("inf"), 3e9, 0.0])]
    figures = draw_probes(probes, "Net $^$")
    assert figures == draw_probes(probes, "Net $^$")
    assert ">Net $^$;" in figures["svg"].decode()


def test_a_batch_that_does_not_fit_is_refused() -> None:
    network = netdsl.parse("(Conv 64)x4 GAP FC 5", input=(3, 64, 64))
    with pytest.raises(TrainError) as caught:
        refuse_large_batch(network.module(), (4096, 3, 64, 64), 250 * 10**6)
    assert str(caught.value).startswith("probing with 4,096 images takes about ")
    assert str(caught.value).endswith(" GB, and 250.0 MB are free")
    assert (caught.value.help or "").startswith("--batch ")
    assert caught.value.exit_code == 5


def test_a_network_of_a_vector_is_probed() -> None:
    network = netdsl.parse("input 8 FC 4 FC 3 bias=off")
    images, labels = random_batch(network.input_shape, network.output_shape, 6)
    assert (images.shape, labels.shape) == ((6, 8), (6,))
    refuse_large_batch(network.module(), tuple(images.shape), 10**9)
    found, m = read(network, (images, labels)), network.module()
    hidden = torch.relu(m.fc1(images))
    scores = m.fc2(hidden)
    (gradient,) = torch.autograd.grad(cross_entropy(scores, labels, reduction="sum"), hidden)
    assert list(found) == ["fc1", "fc2"]
    assert found["fc1"].activation == pytest.approx(rms(hidden.detach()), rel=1e-5)
    assert found["fc1"].gradient == pytest.approx(rms(gradient), rel=1e-5)


def test_a_batch_of_vectors_that_does_not_fit_is_refused() -> None:
    network = netdsl.parse("input 8 FC 4 FC 3")
    with pytest.raises(TrainError) as caught:
        refuse_large_batch(network.module(), (10**6, 8), 160 * 10**6)
    assert (
        str(caught.value)
        == "probing with 1,000,000 images takes about 296.0 MB, and 160.0 MB are free"
    )
    assert caught.value.help == "--batch 68488 fits"
