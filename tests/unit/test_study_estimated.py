"""Networks estimated on a board: what stays the same, where they are cut, what is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from cotenant.cost.regression import Deviation, PairFit, PlaceFit, Regression, Rule
from cotenant.describe import (
    Board,
    Cost,
    Counts,
    Cut,
    Handover,
    Layer,
    Memory,
    Model,
    Network,
    Platform,
    Poisson,
    Precision,
    Processor,
    Provenance,
    Segment,
    Source,
    Tenant,
)
from cotenant.describe.files import board
from cotenant.errors import InputError
from cotenant.study.estimated import networks_for
from cotenant.study.footing import notes
from cotenant.study.unlisted import PIECES, SEGMENTS, SLACK, estimated
from tests.small_networks import classifier

OFF = Deviation(median=0.2, p90=0.4, networks=(("a", 0.1), ("b", -0.3)))
LIVE_BYTES = 400


def place(name: str, width: int, *parts: float, typical_ns: float = 1e6, provenance: Provenance = Provenance.MEASURED) -> PlaceFit:
    rule = Rule(parts=(*parts, *[0.0] * (6 - len(parts))))
    return PlaceFit(place=(name, width), rule=rule, deviation=OFF, provenance=provenance, typical_ns=typical_ns, traffic=2.0, power_w=3.0)


def regression(*places: PlaceFit) -> Regression:
    pair = PairFit(source="cpu", target="gpu", fixed_ns=1000, ns_per_byte=3, deviation=OFF)
    return Regression(board="bench", precision=Precision.FP32, places=places or (place("cpu", 1, 0, 1),), pairs=(pair,))


def conv(name: str, flop: int = 10**6) -> Layer:
    return Layer(name=name, op="Conv", flop=flop, weight_bytes=1000, input_bytes=LIVE_BYTES, output_bytes=LIVE_BYTES)


def chain(*layers: Layer) -> Model:
    return model(layers, [(i, i + 1) for i in range(len(layers) - 1)])


def model(layers: Sequence[Layer], edges: Sequence[tuple[int, int]]) -> Model:
    """Return a model that can be cut anywhere; handed over is what is written before a cut and read behind it."""
    cuts = []
    for at in range(1, len(layers)):
        live = {a for a, b in edges if a < at <= b}
        cuts.append(Cut(position=at, tensors=tuple(f"t{a}" for a in live), live_bytes=sum(layers[a].output_bytes for a in live)))
    return Model(
        name="m", digest="d1" * 32, layers=tuple(layers), edges=tuple(edges), cuts=tuple(cuts), inputs=(), outputs=(), parameters=0
    )


def residual(blocks: int, flop: int = 10**6) -> Model:
    """Return blocks of three convolutions, with an addition of what came in."""
    layers, edges = [conv("stem", flop)], []
    for block in range(blocks):
        before = len(layers) - 1
        layers += [conv(f"c{block}.{i}", flop) for i in range(3)]
        layers.append(Layer(name=f"add{block}", op="Add", flop=100, weight_bytes=0, input_bytes=2 * LIVE_BYTES, output_bytes=LIVE_BYTES))
        edges += [(before + i, before + i + 1) for i in range(4)] + [(before, before + 4)]
    return model(layers, edges)


def bounds(network: Network) -> list[tuple[int, int]]:
    """Read the first and the last layer of each segment from its name."""
    found = (re.fullmatch(r"layers (\d+) to (\d+)", segment.name) for segment in network.segments)
    return [(int(match[1]), int(match[2])) for match in found if match]


LONG = chain(*(replace(conv(f"c{i}", (i % 7 + 1) * 10**5), output_bytes=1000 - i) for i in range(200)))
MODELS = {
    "chain": LONG,
    "residual": residual(40),
    "one": chain(conv("c")),
    "few cuts": replace(LONG, cuts=tuple(cut for cut in LONG.cuts if cut.position % 23 == 0)),
    "no cut": replace(LONG, cuts=()),
}


@pytest.mark.parametrize("name", MODELS)
def test_segments_come_to_the_model(name: str) -> None:
    asked = MODELS[name]
    network = estimated(asked, regression())
    counted = [segment.counts for segment in network.segments if segment.counts is not None]
    assert sum(counts.flop for counts in counted) == asked.flop
    assert sum(counts.weight_bytes for counts in counted) == asked.weight_bytes
    ends = bounds(network)
    assert 1 <= len(ends) == len(network.segments) <= SEGMENTS
    assert [start for start, _ in ends] == [0, *(stop + 1 for _, stop in ends[:-1])]
    assert ends[-1][1] == len(asked.layers) - 1
    assert {start for start, _ in ends[1:]} <= {cut.position for cut in asked.cuts}


@pytest.mark.parametrize("name", MODELS)
def test_where_time_is_in_proportion_to_counts_cuts_do_not_matter(name: str) -> None:
    asked = MODELS[name]
    network = estimated(asked, regression(place("cpu", 1, 0, 2, 3)))
    assert network.duration_ns(("cpu", 1)) == 2 * asked.flop + 3 * asked.weight_bytes
    for segment in network.segments:
        assert segment.counts is not None
        assert segment.cost_at(("cpu", 1)).duration_ns == 2 * segment.counts.flop + 3 * segment.counts.weight_bytes


def test_every_place_of_the_regression_is_offered_as_assumed() -> None:
    asked = regression(place("cpu", 4, 0, 1), place("cpu", 1, 0, 3), place("gpu", 1, 5000, 0.5))
    network = estimated(MODELS["residual"], asked)
    assert network.places == (("cpu", 4), ("cpu", 1), ("gpu", 1))
    assert (network.name, network.precision) == ("m", Precision.FP32)
    costs = [cost for segment in network.segments for cost in segment.costs]
    assert {(cost.provenance, cost.power_w) for cost in costs} == {(Provenance.ASSUMED, 3.0)}
    assert network.duration_ns(("cpu", 1)) == 3 * network.duration_ns(("cpu", 4))


def test_a_chain_reads_what_the_segment_before_it_wrote_and_moves_that() -> None:
    """Of tensors only those at both ends count, and here none comes in before the first segment; traffic is 2."""
    layers = [replace(conv("c0"), input_bytes=0), *(conv(f"c{i}") for i in range(1, 20))]
    layers[-1] = replace(layers[-1], output_bytes=44)
    network = estimated(chain(*layers), regression())
    segments = network.segments
    assert [s.counts and s.counts.input_bytes for s in segments] == [0, *[LIVE_BYTES] * (len(segments) - 1)]
    assert [s.counts and s.counts.output_bytes for s in segments] == [*[LIVE_BYTES] * (len(segments) - 1), 44]
    moved = sum(layer.weight_bytes for layer in layers) + 2 * LIVE_BYTES * (len(segments) - 1) + 44
    assert sum(cost.memory_bytes for cost in network.chain_at(("cpu", 1))) == 2 * moved


def test_what_comes_from_outside_is_read_by_the_first_segment() -> None:
    network = estimated(chain(*(conv(f"c{i}") for i in range(20))), regression())
    assert network.segments[0].counts is not None
    assert network.segments[0].counts.input_bytes == LIVE_BYTES


def test_a_tensor_that_is_read_twice_within_a_segment_is_read_once() -> None:
    """The stem, long, ends its segment; both convolutions of the next one read what it wrote."""
    layers = [
        conv("stem", 10**7),
        conv("a"),
        conv("b"),
        replace(conv("join"), op="Add", weight_bytes=0, flop=1, input_bytes=2 * LIVE_BYTES),
    ]
    network = estimated(model(layers, [(0, 1), (0, 2), (1, 3), (2, 3)]), regression())
    assert bounds(network) == [(0, 0), (1, 3)]
    assert network.segments[1].counts == Counts(flop=2 * 10**6 + 1, weight_bytes=2000, input_bytes=LIVE_BYTES, output_bytes=LIVE_BYTES)


def test_what_only_passes_by_a_segment_is_neither_read_nor_written_but_handed_over() -> None:
    """The last layer reads what the first one wrote, too."""
    layers = [conv(f"c{i}", 10**7) for i in range(12)]
    network = estimated(model(layers, [*((i, i + 1) for i in range(11)), (0, 11)]), regression())
    assert bounds(network) == [(i, i) for i in range(12)]
    counted = [segment.counts for segment in network.segments if segment.counts is not None]
    assert [counts.input_bytes for counts in counted] == [*[LIVE_BYTES] * 11, 2 * LIVE_BYTES]
    assert [counts.output_bytes for counts in counted] == [LIVE_BYTES] * 12
    assert [s.handovers[0].duration_ns for s in network.segments[:-1]] == [1000 + 3 * LIVE_BYTES, *[1000 + 6 * LIVE_BYTES] * 10]


def test_a_layer_that_computes_constants_writes_nothing_that_is_handed_on() -> None:
    constants = Layer(name="shape", op="Concat", flop=0, weight_bytes=16, input_bytes=0, output_bytes=10**6)
    found = estimated(model([conv("a"), constants, conv("b")], [(0, 2)]), regression()).segments[-1].counts
    assert found is not None
    assert found.output_bytes == LIVE_BYTES


def test_handing_over_takes_what_the_bytes_at_the_cut_do_and_nothing_goes_on_behind_the_last() -> None:
    asked = MODELS["residual"]
    network = estimated(asked, regression())
    live = {cut.position: cut.live_bytes for cut in asked.cuts}
    for segment, (_, last) in zip(network.segments[:-1], bounds(network), strict=False):
        assert segment.handovers == (
            Handover(source="cpu", target="gpu", duration_ns=1000 + 3 * live[last + 1], provenance=Provenance.ASSUMED),
        )
    assert network.segments[-1].handovers == ()


@pytest.mark.parametrize("flop", [10**5, 10**6, 10**7])
def test_blocks_are_not_cut_within(flop: int) -> None:
    """Layer 0 is the stem, and every fourth one behind it ends a block."""
    assert all(last % 4 == 0 for _, last in bounds(estimated(residual(30, flop), regression())))


def test_where_branches_never_join_it_is_cut_where_fewest_are_open() -> None:
    """Every layer reads the last two, so that nowhere a single tensor goes on."""
    layers = [conv(f"c{i}") for i in range(40)]
    ladder = model(layers, [(i, i + step) for i in range(40) for step in (1, 2) if i + step < 40])
    assert len(estimated(ladder, regression()).segments) > SEGMENTS / 2


def test_within_reach_it_is_cut_where_least_is_handed_over() -> None:
    """A piece takes 0.25 to 2 ms, and each layer 0.25 ms; of the first eight cuts the fifth is narrow."""
    layers = [replace(conv(f"c{i}", 250_000), output_bytes=10 if i == 4 else LIVE_BYTES) for i in range(30)]
    assert bounds(estimated(chain(*layers), regression()))[0] == (0, 4)


def test_segments_of_many_pieces_are_about_equally_long_even_where_less_is_handed_over_elsewhere() -> None:
    layers = [replace(conv(f"c{i}"), output_bytes=10 if i % 37 == 0 else LIVE_BYTES) for i in range(480)]
    times = [cost.duration_ns for cost in estimated(chain(*layers), regression()).chain_at(("cpu", 1))]
    assert max(times[:-1]) <= SLACK * min(times)
    assert times[-1] < 2 * min(times)
    assert SEGMENTS / SLACK - 1 < len(times) <= SEGMENTS


@pytest.mark.parametrize(("length", "pieces"), [(1, 30), (4, 60)])
def test_pieces_are_as_long_as_the_board_s_so_that_what_each_takes_at_once_is_counted_as_often(length: int, pieces: int) -> None:
    """60 convolutions, each of so many typical segments, and less and less to hand over: two in a piece where they are short."""
    layers = [replace(conv(f"c{i}", length * 10**6), output_bytes=1000 - i) for i in range(60)]
    network = estimated(chain(*layers), regression(place("cpu", 1, 5000, 1)))
    assert len(network.segments) <= SEGMENTS
    assert network.duration_ns(("cpu", 1)) == 60 * length * 10**6 + pieces * 5000


def test_a_network_shorter_than_a_segment_of_the_board_can_be_cut_all_the_same() -> None:
    """40 convolutions of a hundredth of a typical segment: parts of at most twice an eighth."""
    assert PIECES / 2 <= len(estimated(chain(*(conv(f"c{i}", 10**4) for i in range(40))), regression()).segments) <= SEGMENTS


def test_of_a_table_only_the_rows_that_are_looked_up_are_read() -> None:
    table = Layer(name="words", op="Gather", flop=0, weight_bytes=10**9, input_bytes=40, output_bytes=4000)
    network = estimated(chain(table, conv("c")), regression(place("cpu", 1, 0, 0, 1)))
    assert network.duration_ns(("cpu", 1)) == 4000 + 1000
    assert sum(segment.counts.weight_bytes for segment in network.segments if segment.counts is not None) == 10**9 + 1000


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (replace(conv("rec"), op="LSTM"), r"the time of LSTM \(rec\) in m cannot be told from counts: its steps wait for one another"),
        (replace(conv("q"), op="QLinearConv"), r"the time of QLinearConv \(q\) in m .*: it computes in integers"),
        (replace(conv("odd"), op="Mine", output_bytes=0), r"the time of Mine \(odd\) in m .*: the size of what it writes is not known"),
    ],
)
def test_an_operator_of_which_nothing_can_be_told_is_named(layer: Layer, told: str) -> None:
    with pytest.raises(InputError, match=rf"^tenants\[3\]\.model: {told}.*; a model without it, or a network of the board itself"):
        estimated(chain(conv("c"), layer), regression(), "tenants[3].model")


def test_a_model_that_computes_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"^model: m computes nothing; "):
        estimated(chain(), regression())


def test_a_note_says_how_far_off_each_place_is_and_on_what_that_rests() -> None:
    places = (
        place("big", 4, 0, 1),
        place("gpu", 1, 0, 1, provenance=Provenance.SCALED),
        place("npu", 1, 0, 1, provenance=Provenance.ASSUMED),
    )
    told = notes({"a": chain(conv("c"))}, replace(regression(*places), refused=((("dsp", 1), "too few"),)))
    assert list(told) == [
        "m (a) is estimated on bench from its counts; networks left out are off by 20% on big x4 (at worst 30%, a segment by 20%), "
        "20% on gpu x1 (at worst 30%), 20% on npu x1 (at worst 30%, from assumed figures); not on dsp x1: too few"
    ]


def test_what_is_the_same_for_all_is_noted_once_with_the_tenants() -> None:
    one = chain(conv("c"))
    other = replace(one, name="n", digest="n")
    said = list(notes({"a": one, "b": other, "c": one}, regression()))
    assert len(said) == 1
    assert said[0].startswith("m (a, c) and n (b) are estimated on bench from their counts; networks left out are off by")


def test_a_note_names_the_operator_that_most_work_is_in_where_that_is_no_convolution() -> None:
    model = chain(conv("c", 10**6), replace(conv("m"), op="MatMul", flop=3 * 10**6))
    _, told = notes({"a": model, "b": model}, regression())
    assert told == "75% of m's flop are MatMul; whether the board's networks have that, their counts do not say"


@pytest.fixture
def bench() -> Board:
    """A board on which each flop takes 2 ns, in two networks of eight segments."""

    def segment(index: int) -> Segment:
        cost = Cost(processor="cpu", width=1, duration_ns=2000 * (index + 1) ** 2)
        return Segment(
            name=f"s{index}",
            costs=(cost,),
            counts=Counts(flop=cost.duration_ns // 2, weight_bytes=8, input_bytes=9 * index, output_bytes=7),
        )

    networks = tuple(Network(name=name, segments=tuple(map(segment, span))) for name, span in (("one", range(8)), ("two", range(8, 16))))
    processor = Processor(name="cpu", kind="core", lanes=1, memory="dram")
    memory = Memory(name="dram", capacity_bytes=2**30)
    return Board(platform=Platform(name="bench", processors=(processor,), memories=(memory,)), networks=networks, source="a test")


def tenant(name: str, source: str) -> Tenant:
    return Tenant(name=name, source=Source(model=source), arrival=Poisson(rate_per_s=1))


def test_what_the_board_lists_is_taken_from_it_and_the_rest_is_estimated(bench: Board, tmp_path: Path) -> None:
    path = classifier(tmp_path / "digits.onnx")
    found = networks_for([tenant("a", "board:two"), tenant("b", str(path)), tenant("c", str(path))], bench, tmp_path)
    assert [name for name, _ in found.networks] == ["a", "b", "c"]
    assert found.network("a") is bench.network("two")
    assert found.network("b") is found.network("c")
    assert (found.network("b").name, found.network("b").places) == ("digits", (("cpu", 1),))
    flop = sum(segment.counts.flop for segment in found.network("b").segments if segment.counts is not None)
    assert found.network("b").duration_ns(("cpu", 1)) == pytest.approx(2 * flop, rel=0.01)
    assert [line.partition(" is estimated")[0] for line in found.notes] == ["digits (b, c)"]
    assert found.estimated == ("b", "c")


def test_a_crew_of_the_board_s_own_networks_needs_no_counts() -> None:
    moca = board("moca_soc")
    found = networks_for([tenant("a", "board:alexnet")], moca)
    assert (found.network("a"), found.notes) == (moca.network("alexnet"), ())


def test_models_that_differ_have_names_that_differ(bench: Board, tmp_path: Path) -> None:
    """The board has a network `one`, too."""
    (tmp_path / "other").mkdir()
    paths = [classifier(tmp_path / "one.onnx", seed=1), classifier(tmp_path / "other" / "one.onnx", seed=2)]
    found = networks_for([tenant("a", "board:one"), *(tenant(str(i), str(path)) for i, path in enumerate(paths))], bench, tmp_path)
    names = [network.name for _, network in found.networks]
    assert names[0] == "one"
    assert all(re.fullmatch("one [0-9a-f]{8}", name) for name in names[1:])
    assert all(one != other for one, other in pairwise(names))


def test_a_network_that_the_board_lacks_is_refused_with_the_nearest(bench: Board) -> None:
    with pytest.raises(InputError, match=r"^tenants\[1\]\.model: board:tow; a network of bench; did you mean two\?"):
        networks_for([tenant("a", "board:one"), tenant("b", "board:tow")], bench)


def test_a_board_without_counts_is_named_beside_the_model(tmp_path: Path) -> None:
    told = r"^tenants\[0\]\.model: zoo:resnet50 cannot be estimated on moca_soc: no counts of its fp32 networks, .*; .*board:NAME"
    with pytest.raises(InputError, match=told):
        networks_for([tenant("a", "zoo:resnet50")], board("moca_soc"), tmp_path)


def test_a_network_of_the_zoo_comes_to_about_what_the_board_lists_for_it() -> None:
    """Version 1.1 both, 224 x 224 here and 227 x 227 there: 5 % less to do, and the last convolution is not padded."""
    rk3588s = board("rk3588s")
    found = networks_for([tenant("a", "zoo:squeezenet")], rk3588s).network("a")
    for at in rk3588s.network("squeezenet").places:
        assert found.duration_ns(at) == pytest.approx(rk3588s.network("squeezenet").duration_ns(at), rel=0.4)
