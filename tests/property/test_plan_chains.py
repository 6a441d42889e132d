"""Chains of segments over processors: none is forgotten, none listed in vain."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotenant.describe import Closed, Cost, Counts, Handover, Memory, Network, Option, Place, Platform, Processor, Segment, Source, Tenant
from cotenant.errors import InputError
from cotenant.plan import chains
from cotenant.plan.chains import MORE_STEPS
from cotenant.plan.coarse import coarse

LANES = {"big": 4, "gpu": 1, "npu": 2}
PLACES: tuple[Place, ...] = (("big", 4), ("big", 1), ("gpu", 1), ("npu", 2))
TENANT = Tenant(name="t", source=Source(model="board:n"), arrival=Closed())

Way = tuple[Place, ...]
"""The place of each segment."""


def platform(power_w: float | None = None) -> Platform:
    processors = tuple(Processor(name=name, kind=name, lanes=lanes, memory="ram") for name, lanes in LANES.items())
    memory = Memory(name="ram", capacity_bytes=10**9, bandwidth_bytes_per_s=1e9)
    return Platform(name="b", processors=processors, memories=(memory,), power_w=power_w)


@st.composite
def segments(draw: st.DrawFn, index: int) -> Segment:
    """Draw a segment; it runs on big always, elsewhere sometimes, and sometimes cannot hand over."""
    places = [PLACES[0], *(place for place in PLACES[1:] if draw(st.booleans()))]
    costs = tuple(
        Cost(processor=p, width=w, duration_ns=draw(st.integers(1, 50)) * 10**6, memory_bytes=7, power_w=draw(st.sampled_from((1.0, 2.0))))
        for p, w in places
    )
    pairs = [pair for pair in itertools.permutations(LANES, 2) if draw(st.integers(0, 3))]
    handovers = tuple(Handover(source=a, target=b, duration_ns=draw(st.integers(0, 9)) * 10**6) for a, b in pairs)
    counts = Counts(flop=1, weight_bytes=100, input_bytes=1, output_bytes=1)
    return Segment(name=f"s{index}", costs=costs, counts=counts, handovers=handovers)


@st.composite
def networks(draw: st.DrawFn, least: int = 1, most: int = 5) -> Network:
    return Network(name="n", segments=tuple(draw(segments(index)) for index in range(draw(st.integers(least, most)))))


def ways(network: Network, visits: int) -> list[Way]:
    """List every chain, one by one, that keeps to the visits and the steps."""
    return [way for way in itertools.product(PLACES, repeat=len(network.segments)) if permitted(way, network, visits)]


def permitted(way: Way, network: Network, visits: int) -> bool:
    stays = [place for place, _ in itertools.groupby(way)]
    used = [processor for processor, _ in stays]
    moves = [(at, way[at - 1][0], way[at][0]) for at in range(1, len(way)) if way[at] != way[at - 1]]
    known = all(place in {cost.place for cost in segment.costs} for place, segment in zip(way, network.segments, strict=True))
    return (
        known
        and all(network.segments[at - 1].handover_ns(a, b) is not None for at, a, b in moves)
        and max(used.count(processor) for processor in used) <= visits
        and len(stays) <= visits + MORE_STEPS
    )


def taken(way: Way, network: Network) -> tuple[int, ...]:
    """Return lane-ns on each processor, and ns in all; who receives a handover is busy meanwhile."""
    lane_ns, total_ns = dict.fromkeys(LANES, 0), 0
    for at, (place, segment) in enumerate(zip(way, network.segments, strict=True)):
        came = way[at - 1] if at else place
        handed_ns = network.segments[at - 1].handover_ns(came[0], place[0]) or 0 if came != place else 0
        duration_ns = segment.cost_at(place).duration_ns + handed_ns
        lane_ns[place[0]] += place[1] * duration_ns
        total_ns += duration_ns
    return *lane_ns.values(), total_ns


def figures(option: Option) -> tuple[int, ...]:
    return *(round(option.demand_of(name) * 1e9) for name in LANES), option.latency_ns


def best(found: set[tuple[int, ...]]) -> set[tuple[int, ...]]:
    return {one for one in found if not any(other != one and all(a <= b for a, b in zip(other, one, strict=True)) for other in found)}


@settings(max_examples=60, deadline=None)
@given(networks(), st.integers(1, 2))
def test_chains_are_all_that_no_other_beats_in_lanes_and_latency(network: Network, visits: int) -> None:
    found = [figures(option) for option in chains(TENANT, network, platform(), visits=visits)]
    assert len(found) == len(set(found))
    assert set(found) == best({taken(way, network) for way in ways(network, visits)})


@settings(max_examples=15, deadline=None)
@given(networks(least=13, most=18))
def test_more_visits_leave_nothing_worse(network: Network) -> None:
    """Though a network of more segments than that is then cut at fewer places."""
    once, twice = ([figures(option) for option in chains(TENANT, network, platform(), visits=visits)] for visits in (1, 2))
    assert all(any(all(a <= b for a, b in zip(one, other, strict=True)) for one in twice) for other in once)


@settings(max_examples=40, deadline=None)
@given(networks())
def test_steps_cover_the_network_once_and_in_order(network: Network) -> None:
    for option in chains(TENANT, network, platform()):
        ran = [index for step in option.chain for index in range(step.segment, step.segment + step.segments)]
        assert ran == list(range(len(network.segments)))
        assert option.latency_ns == sum(step.duration_ns for step in option.chain)
        assert all(0 < step.holds_ns <= step.duration_ns for step in option.chain)
        assert option.demand_of("ram") == 7 * len(network.segments)
        assert option.artifact.resident_bytes == 100 * len(network.segments)


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(1, 4))
def test_a_coarse_network_takes_as_much_as_the_fine_one(network: Network, most: int) -> None:
    units, sizes = coarse(network, most)
    assert sum(sizes) == len(network.segments)
    for place in network.places:
        assert units.duration_ns(place) == network.duration_ns(place)
    assert units.segments[-1].handovers == network.segments[-1].handovers


@settings(max_examples=40, deadline=None)
@given(networks())
def test_with_limited_power_thrift_is_a_reason_too(network: Network) -> None:
    plain, thrifty = chains(TENANT, network, platform()), chains(TENANT, network, platform(power_w=5.0))
    assert {figures(option) for option in plain} <= {figures(option) for option in thrifty}
    assert min(o.demand_of("energy") for o in thrifty) <= min(o.demand_of("energy") for o in plain)


def test_a_network_that_nothing_runs_to_its_end_is_refused() -> None:
    first = Segment(name="a", costs=(Cost(processor="big", width=4, duration_ns=1), Cost(processor="gpu", width=1, duration_ns=1)))
    network = Network(name="n", segments=(first,))
    alone = replace(first, name="b", costs=first.costs[:1])
    stuck = replace(network, segments=(first, alone))
    assert [o.chain[0].processor for o in chains(TENANT, stuck, platform())] == ["big"]
    with pytest.raises(InputError, match="--visits: 0; 1 or more"):
        chains(TENANT, network, platform(), visits=0)
