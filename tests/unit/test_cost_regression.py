"""What a board's figures tell of layers that it does not list."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cotenant.cost.regression import SUMS, Deviation, fitted
from cotenant.describe import Board, Cost, Counts, Memory, Network, Platform, Precision, Processor, Provenance, Segment
from cotenant.describe.files import board, boards
from cotenant.errors import InputError

COUNTED = tuple(name for name in boards() if any(s.counts is not None for n in board(name).networks for s in n.segments))


def counts(size: int) -> Counts:
    return Counts(flop=1000 * size, weight_bytes=10 * size**2, input_bytes=7 * size, output_bytes=100 + size)


def network(name: str, sizes: range, *, gpu: bool = True) -> Network:
    """Return a network whose segments take 5 ns for each flop on two lanes of the cpu, and 2 ns on the gpu."""
    segments = []
    for size in sizes:
        count = counts(size)
        places = [Cost(processor="cpu", width=2, duration_ns=5 * count.flop, memory_bytes=size * 30, power_w=float(size))]
        if gpu:
            places.append(Cost(processor="gpu", width=1, duration_ns=2 * count.flop, provenance=Provenance.SCALED))
        segments.append(Segment(name=f"s{size}", costs=tuple(places), counts=count))
    return Network(name=name, segments=tuple(segments))


@pytest.fixture
def small() -> Board:
    """Two networks of seven segments on the cpu; on the gpu, five segments of one of them have no figures of their own."""
    one, two = network("one", range(1, 8)), network("two", range(8, 15))
    few = tuple(replace(s, costs=s.costs[:1]) if index > 3 else s for index, s in enumerate(two.segments))
    processors = (
        Processor(name="cpu", kind="core", lanes=2, memory="dram"),
        Processor(name="gpu", kind="core", lanes=1, memory="dram"),
    )
    platform = Platform(name="small", processors=processors, memories=(Memory(name="dram", capacity_bytes=2**30),))
    return Board(platform=platform, networks=(one, replace(two, segments=few)), source="a test", planned_width=None)


def test_a_place_with_too_few_segments_is_refused_with_the_reason_and_others_are_offered(small: Board) -> None:
    regression = fitted(small)
    assert [fit.place for fit in regression.places] == [("cpu", 2)]
    with pytest.raises(InputError, match=r"^gpu x1: figures of 11 segments in 2 networks, and 12 in 2 are needed; one of cpu x2$"):
        regression.at(("gpu", 1))
    with pytest.raises(InputError, match=r"^npu x1: small has no figures of it; one of cpu x2$"):
        regression.at(("npu", 1))


def test_one_network_alone_tells_of_no_other(small: Board) -> None:
    alone = replace(small, networks=(network("one", range(1, 40), gpu=False),))
    with pytest.raises(InputError, match=r"^small: cpu x2 has figures of 39 segments in 1 networks, and 12 in 2 are needed; .*board:NAME$"):
        fitted(alone)


def test_a_board_without_counts_is_refused() -> None:
    with pytest.raises(InputError, match=r"^moca_soc: no counts of its fp32 networks, .*; .*board:NAME, or a board whose segments have"):
        fitted(board("moca_soc"))


def test_only_networks_of_the_precision_tell(small: Board) -> None:
    odd = replace(network("odd", range(20, 40)), precision=Precision.INT8)
    mixed = replace(small, networks=(*small.networks, odd))
    assert fitted(mixed).places == fitted(small).places
    with pytest.raises(InputError, match="no counts of its bf16 networks"):
        fitted(mixed, Precision.BF16)


def test_a_cost_is_assumed_and_has_the_traffic_and_the_draw_of_the_median_segment(small: Board) -> None:
    fit = fitted(small).at(("cpu", 2))
    ratios = sorted(30 * size / (10 * size**2 + 7 * size + 100 + size) for size in range(1, 15))
    middle = (ratios[6] + ratios[7]) / 2
    asked = counts(10)
    cost = fit.predict(asked)
    assert (cost.place, cost.provenance, cost.power_w) == (("cpu", 2), Provenance.ASSUMED, 7.5)
    assert cost.memory_bytes == round(middle * (asked.weight_bytes + asked.input_bytes + asked.output_bytes))
    assert fit.provenance is Provenance.MEASURED


def test_a_typical_segment_is_that_of_the_median_network(small: Board) -> None:
    """Of sizes 1 to 7 and 8 to 20 the medians are 4 and 14."""
    more = replace(small, networks=(network("one", range(1, 8)), network("two", range(8, 21))))
    assert fitted(more).at(("cpu", 2)).typical_ns == 5 * 1000 * (4 + 14) / 2


def test_a_place_is_as_well_known_as_most_of_its_time(small: Board) -> None:
    more = replace(small, networks=(network("one", range(1, 8)), network("two", range(8, 15))))
    assert fitted(more).at(("gpu", 1)).provenance is Provenance.SCALED


def test_the_median_over_networks_is_that_of_how_far_they_are_off_either_way() -> None:
    assert Deviation(median=0, p90=0, networks=(("a", -0.5), ("b", 0.1), ("c", 0.2))).networks_median == 0.2


def test_of_two_times_for_the_same_work_one_is_chosen_by_relative_error_sums_counting_half(small: Board) -> None:
    """Segments of 100 and 120 us, networks of 110 us a segment: p / t - log p is least, weighed so, where its derivative is 0."""
    line = network("n", range(1, 2), gpu=False).segments[0]

    def lasting(index: int) -> Segment:
        return replace(line, name=f"s{index}", costs=(replace(line.costs[0], duration_ns=100_000 + 20_000 * (index % 2)),))

    alike = tuple(Network(name=name, segments=tuple(lasting(index) for index in range(8))) for name in "ab")
    found = fitted(replace(small, networks=alike)).at(("cpu", 2))
    least = (1 + SUMS) / ((1 / 100_000 + 1 / 120_000) / 2 + SUMS / 110_000)
    assert found.predict(counts(1)).duration_ns == pytest.approx(least, rel=1e-4)


def test_ten_times_too_much_of_one_segment_in_fourteen_hardly_moves_the_others(small: Board) -> None:
    first, *others = small.networks[0].segments
    odd = replace(first, costs=(replace(first.costs[0], duration_ns=10 * first.costs[0].duration_ns),))
    bent = fitted(replace(small, networks=(replace(small.networks[0], segments=(odd, *others)), small.networks[1])))
    for size in range(8, 15):
        assert bent.at(("cpu", 2)).predict(counts(size)).duration_ns == pytest.approx(5 * counts(size).flop, rel=0.1)


@pytest.mark.parametrize("name", COUNTED)
def test_networks_left_out_of_a_shipped_board_are_off_by_less_than_half_in_the_median(name: str) -> None:
    regression = fitted(board(name))
    assert regression.places
    for fit in regression.places:
        assert fit.deviation.networks_median < 0.5
        assert fit.deviation.median < 0.5
