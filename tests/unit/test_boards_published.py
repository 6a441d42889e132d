"""Boards made of figures that others published: what was measured, scaled, assumed and counted."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise, permutations
from math import fsum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.boards import chips, figures, inception, khadas_vim3, make_boards, ncnn, rk3399pro
from benchmarks.boards.fit import Sample, fitted
from benchmarks.boards.learned import settled
from cotenant.describe import Board, Network, Provenance
from cotenant.describe.files import board as read_board


@cache
def board(name: str) -> Board:
    """Read a board once for all tests: each has a few hundred lines of YAML."""
    return read_board(name)


CHIPS = (chips.RK3588S, chips.KIRIN970, chips.JETSON_ORIN, chips.RPI4)
CASES = [(name, network) for name in make_boards.SHEETS for network in board(name).names]

PUBLISHED = {
    # 10^9 multiply-adds and 10^6 parameters as published, and how far apart ways of counting (biases, additions, classes) may be.
    ("rk3399pro", "alexnet"): (0.72, 61.0),  # Caffe's model zoo: bvlc_alexnet, 227 x 227, two groups
    ("rk3399pro", "googlenet"): (1.58, 7.0),  # Szegedy et al., 2015: 1.5; Caffe's model zoo: bvlc_googlenet
    ("rk3399pro", "mobilenet_v1"): (0.569, 4.2),  # Howard et al., 2017, table 8
    ("rk3399pro", "resnet50"): (3.48, 25.6),  # TensorFlow-Slim's resnet_v1_50: 6.97 Gflop
    ("rk3399pro", "squeezenet"): (0.83, 1.248),  # Iandola et al., 2016, v1.0; flop as torchvision lists them
    ("rk3399pro", "yolov3"): (70.35, 62.0),  # Redmon and Farhadi, 2018: 140.7 Gflop at 608 x 608
    ("rk3588s", "alexnet"): (0.72, 61.0),
    ("rk3588s", "googlenet"): (1.58, 7.0),
    ("rk3588s", "mobilenet_v1"): (0.569, 4.2),
    ("rk3588s", "mobilenet_v2"): (0.314, 3.5),  # Sandler et al., 2018, table 4: 0.3; Caffe's form adds 32 x 32 in the first block
    ("rk3588s", "shufflenet"): (0.140, 1.87),  # Zhang et al., 2018, table 5: 140 M, three groups
    ("rk3588s", "shufflenet_v2"): (0.146, 2.3),  # Ma et al., 2018, table 8
    ("rk3588s", "mnasnet"): (0.315, 4.38),  # Tan et al., 2019: B1
    ("rk3588s", "efficientnet_b0"): (0.39, 5.3),  # Tan and Le, 2019, table 2
    ("rk3588s", "resnet18"): (1.82, 11.7),  # He et al., 2016, table 1: 1.8
    ("rk3588s", "vgg16"): (15.5, 138.4),  # Simonyan and Zisserman, 2015
    ("rk3588s", "resnet50"): (3.86, 25.6),  # He et al., 2016, table 1: 3.8; its released model
    ("khadas_vim3", "inception_v1"): (1.50, 6.6),  # TensorFlow-Slim's inception_v1
    ("khadas_vim3", "inception_v3"): (5.72, 23.8),  # Szegedy et al., 2016; torchvision lists 5.71
    ("khadas_vim3", "inception_v4"): (12.27, 42.7),  # Szegedy et al., 2017; as timm lists it
    ("khadas_vim3", "inception_resnet_v2"): (13.18, 55.8),  # Szegedy et al., 2017; as timm lists it
}

FOLDER = figures.found(None)
published = pytest.mark.skipif(FOLDER is None, reason="the published figures are not beside this repository")


def network_of(name: str, network: str) -> Network:
    return board(name).network(network)


def folder() -> Path:
    assert FOLDER is not None
    return FOLDER


# What was counted.


@pytest.mark.parametrize(("name", "network"), PUBLISHED)
def test_counts_add_up_to_what_was_published(name: str, network: str) -> None:
    counts = [segment.counts for segment in network_of(name, network).segments]
    gmac, mega = PUBLISHED[name, network]
    assert fsum(one.flop for one in counts if one) / 2e9 == pytest.approx(gmac, rel=0.05), "flop count additions and poolings, too"
    assert fsum(one.weight_bytes for one in counts if one) / 4e6 == pytest.approx(mega, rel=0.015)


def test_the_fully_connected_layers_of_alexnet_are_those_that_everybody_knows() -> None:
    fc6 = network_of("rk3399pro", "alexnet").segments[5].counts
    assert fc6 is not None
    assert fc6.weight_bytes == 4 * (9216 * 4096 + 4096)
    assert (fc6.input_bytes, fc6.output_bytes) == (4 * 9216, 4 * 4096)
    assert fc6.flop == 2 * 9216 * 4096 + 2 * 4096, "a bias and a comparison for each output"


@pytest.mark.parametrize(("name", "network"), CASES)
def test_a_segment_reads_what_its_predecessor_wrote(name: str, network: str) -> None:
    counts = [segment.counts for segment in network_of(name, network).segments]
    routes = {"conv59", "conv67"}  # they go back to before a detection
    for before, after, segment in zip(counts, counts[1:], network_of(name, network).segments[1:], strict=False):
        assert before is not None
        assert after is not None
        beyond = after.input_bytes - before.output_bytes
        assert segment.name in routes or (beyond >= 0 if network == "yolov3" else beyond == 0), segment.name


@pytest.mark.parametrize(("name", "network"), CASES)
def test_a_segment_moves_its_weights_its_input_and_its_output(name: str, network: str) -> None:
    items = {chip.name: chip.item_bytes for chip in CHIPS}
    for segment in network_of(name, network).segments:
        assert segment.counts is not None
        elements = (segment.counts.weight_bytes + segment.counts.input_bytes + segment.counts.output_bytes) // 4
        assert {at.memory_bytes for at in segment.costs} == {elements * items.get(name, 4)}


def test_the_same_network_has_the_same_counts_on_every_board() -> None:
    for network in ("alexnet", "googlenet"):
        counts = {tuple(segment.counts for segment in network_of(name, network).segments) for name in ("rk3399pro", "rk3588s", "rpi4")}
        assert len(counts) == 1


@published
def test_an_operator_that_writes_other_than_what_was_published_is_refused() -> None:
    graph = figures.operators(folder())["InceptionV1"]
    assert len(inception.counted(224, inception.inception_v1(), graph)) == len(graph)
    with pytest.raises(ValueError, match="operator 1 writes "):
        inception.counted(226, inception.inception_v1(), graph)


# What was measured.


@published
def test_every_figure_of_rk3399pro_is_one_that_was_measured() -> None:
    known = figures.layers(folder())
    for name, (listed, _, _) in rk3399pro.NETWORKS.items():
        for processor, component in rk3399pro.COMPONENTS.items():
            at = [cost for segment in network_of("rk3399pro", name).segments for cost in segment.costs if cost.processor == processor]
            layers = known.get((listed, component), [])
            assert [cost.duration_ns / 1e6 for cost in at] == [pytest.approx(layer.ms, rel=1e-9) for layer in layers]
            assert [cost.power_w for cost in at] == [layer.power_mw and layer.power_mw / 1000 for layer in layers]


@published
def test_every_handover_that_was_measured_is_there() -> None:
    known = figures.transfers(folder())
    for name, (listed, _, _) in rk3399pro.NETWORKS.items():
        segments = network_of("rk3399pro", name).segments
        for index, segment in enumerate(segments[:-1]):
            for source, target in rk3399pro.MEASURED:
                ms = known[listed][index][rk3399pro.COMPONENTS[source], rk3399pro.COMPONENTS[target]]
                assert segment.handover_ns(source, target) == round(ms * 1e6)


@published
@pytest.mark.parametrize("network", khadas_vim3.NETWORKS)
def test_segments_of_khadas_take_what_their_operators_do_together(network: str) -> None:
    graph = figures.operators(folder())[khadas_vim3.NETWORKS[network][0]]
    found = network_of("khadas_vim3", network)
    for index, processor in enumerate(khadas_vim3.PROCESSORS):
        whole_us = fsum(operator.us[index] for operator in graph)
        assert found.duration_ns((processor.name, processor.lanes)) / 1000 == pytest.approx(whole_us, rel=1e-6)
    assert all(segment.cost_at(("big", 4)).duration_ns >= khadas_vim3.LEAST_US * 1000 for segment in found.segments)


def test_a_graph_is_cut_where_one_tensor_alone_is_needed() -> None:
    us = khadas_vim3.LEAST_US
    graph = [
        figures.Operator(number, successors, (us, us, us), 4)
        for number, successors in enumerate([(2,), (3, 4), (5,), (5,), (6,), (7, 8), (8,), ()], 1)
    ]
    parts = [[operator.number for operator in part] for part in khadas_vim3.segments(graph)]
    assert parts == [[1], [2], [3, 4, 5], [6], [7, 8]]


def test_a_short_segment_goes_on_to_the_next_cut() -> None:
    us = (0.4, 0.4, 0.4, 5.0, 0.1)
    graph = [figures.Operator(n, (n + 1,) if n < len(us) else (), (1000 * ms,) * 3, 4) for n, ms in enumerate(us, 1)]
    assert [[operator.number for operator in part] for part in khadas_vim3.segments(graph)] == [[1, 2, 3], [4, 5]]


def test_what_was_measured_is_said_to_be() -> None:
    assert set(board("rk3399pro").provenance.values()) == {Provenance.MEASURED}
    assert set(board("khadas_vim3").provenance.values()) == {Provenance.MEASURED}
    for name in ("rk3588s", "rpi4"):
        assert set(board(name).provenance.values()) == {Provenance.SCALED}


def test_what_nobody_timed_is_assumed() -> None:
    assumed = {
        (name, processor)
        for name in make_boards.SHEETS
        for (processor, _), known in board(name).provenance.items()
        if known is Provenance.ASSUMED
    }
    assert assumed == {("kirin970", "little"), ("jetson_orin", "dla")}


# What was scaled.


@published
@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.name)
def test_a_network_takes_what_was_measured_whole(chip: ncnn.Chip) -> None:
    for place in chip.places:
        timed = figures.networks(folder(), *place.entry)
        for name, (listed, _, _) in ncnn.NETWORKS.items():
            network = network_of(chip.name, name)
            at = (place.processor, place.width)
            assert (at in network.places) == (listed in timed)
            if listed in timed:
                assert network.duration_ns(at) == round(timed[listed] * place.factor * 1e6)


@published
@pytest.mark.parametrize("how", ncnn.SHAPES)
def test_any_shape_has_the_same_sums(how: str) -> None:
    sheet = ncnn.sheet(chips.RK3588S, folder(), how)
    vgg16 = next(network for network in sheet.networks if network.name == "vgg16")
    assert sum(line.ns[0] or 0 for line in vgg16.lines) == round(107.06e6), "Rockchip RK3588, 4 threads, powersave 2"


@given(
    st.lists(st.tuples(st.floats(0.01, 100.0), st.integers(0, 10**7)), min_size=1, max_size=12),
    st.floats(1.05, 50.0),
)
def test_a_scaled_segment_takes_no_less_than_its_bytes_do_and_all_add_up(parts: list[tuple[float, int]], slack: float) -> None:
    bytes_per_s = 1e9
    least = [moved * 1e9 / bytes_per_s for _, moved in parts]
    total_ns = round(sum(least) * slack) + 1000
    ns = settled([ms for ms, _ in parts], [moved for _, moved in parts], total_ns, bytes_per_s)
    assert sum(ns) == total_ns
    assert all(time >= bound for time, bound in zip(ns, least, strict=True))


def test_a_fit_finds_what_made_the_times_and_nothing_below_zero() -> None:
    counts = [(1.0, float(a), float(b)) for a in (1, 5, 20) for b in (2, 3, 50)]
    assert fitted([Sample(row, 2 + 0.5 * row[1] + 0.25 * row[2]) for row in counts]) == pytest.approx((2, 0.5, 0.25))
    assert min(fitted([Sample(row, 30 - 0.1 * row[1] + row[2]) for row in counts])) >= 0


# All of them.


@pytest.mark.parametrize(("name", "network"), CASES)
def test_work_can_be_handed_over_between_all_processors_that_have_figures(name: str, network: str) -> None:
    segments = network_of(name, network).segments
    pairs = list(permutations({cost.processor for cost in segments[0].costs}, 2))
    assert all(segment.handover_ns(*pair) is not None for segment in segments[:-1] for pair in pairs)
    assert not segments[-1].handovers


def test_more_bytes_take_longer_to_hand_over_where_that_is_assumed() -> None:
    found = [(segment.counts, segment) for segment in network_of("rk3588s", "vgg16").segments[:-1]]
    ordered = sorted((counts.output_bytes, segment.handover_ns("big", "gpu") or 0) for counts, segment in found if counts)
    assert all(before[1] <= after[1] for before, after in pairwise(ordered))


@pytest.mark.parametrize("name", make_boards.SHEETS)
def test_networks_are_planned_where_they_are_fastest(name: str) -> None:
    found = board(name)
    assert found.planned_width is None
    for network in found.networks:
        assert network.duration_ns(found.planned(network)) == min(network.duration_ns(place) for place in network.places)


@pytest.mark.parametrize("name", make_boards.SHEETS)
def test_a_file_says_where_each_network_comes_from(name: str) -> None:
    lines = (make_boards.BOARDS / f"{name}.yaml").read_text().splitlines()
    heads = [index for index, line in enumerate(lines) if line.startswith("- name: ")]
    assert len(heads) == len(board(name).networks)
    assert all(re.search(r"^  # \w+\.csv", lines[index + 2]) for index in heads)
    assert re.match(r"# Made by benchmarks/boards/make_boards.py; do not edit\.", lines[2])


@published
@pytest.mark.parametrize("name", make_boards.SHEETS)
def test_what_is_shipped_is_what_the_script_makes_of_the_published_figures(name: str) -> None:
    made = make_boards.made(name, folder())
    assert made == (make_boards.BOARDS / f"{name}.yaml").read_text()
    assert made == make_boards.made(name, folder())
