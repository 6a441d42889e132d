"""Laws of the regression: what it finds, what it keeps to, and what it may not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cotenant.cost.regression import Regression, _nonnegative, fitted
from cotenant.describe import Board, Cost, Counts, Handover, Memory, Network, Platform, Processor, Segment

PLACE = ("cpu", 2)
COUNTS = st.builds(
    Counts,
    flop=st.integers(10**6, 10**9),
    weight_bytes=st.integers(0, 10**7),
    input_bytes=st.integers(10**4, 10**7),
    output_bytes=st.integers(10**4, 10**7),
)
NETWORKS = st.lists(st.lists(COUNTS, min_size=4, max_size=8), min_size=3, max_size=5)
PARTS = st.tuples(st.floats(0, 1e6), st.floats(0, 0.1), st.floats(0, 1), st.floats(0, 1))
"""ns at once, for a flop, for a byte of weights, for another byte."""
DURATIONS = st.integers(10**4, 10**9)


def board(networks: Mapping[str, Sequence[tuple[Counts, int]]]) -> Board:
    """Return a board of one place, with what each network's segments count and how many ns each takes."""
    return Board(
        platform=Platform(
            name="bench",
            processors=(
                Processor(name="cpu", kind="core", lanes=2, memory="dram"), Processor(name="gpu", kind="core", lanes=1, memory="dram"),
            ),
            memories=(Memory(name="dram", capacity_bytes=2**30),),
        ),
        networks=tuple(Network(name=name, segments=tuple(map(segment, range(len(lines)), lines))) for name, lines in networks.items()),
        source="a test",
        planned_width=None,
    )  # fmt: skip


def segment(index: int, line: tuple[Counts, int]) -> Segment:
    counts, duration_ns = line
    return Segment(
        name=f"s{index}",
        costs=(Cost(processor="cpu", width=2, duration_ns=duration_ns),),
        counts=counts,
        handovers=(Handover(source="cpu", target="gpu", duration_ns=1000 + 3 * counts.output_bytes),),
    )


def linear_ns(counts: Counts, parts: tuple[float, float, float, float]) -> int:
    once, flop, weight, other = parts
    told = once + flop * counts.flop + weight * counts.weight_bytes + other * (counts.input_bytes + counts.output_bytes)
    return max(1, round(told))


@st.composite
def linear(draw: st.DrawFn) -> tuple[Board, tuple[float, float, float, float]]:
    """Draw a board whose times are linear in what is counted, and the times' parts."""
    parts = draw(PARTS)
    networks = {f"n{i}": [(counts, linear_ns(counts, parts)) for counts in lines] for i, lines in enumerate(draw(NETWORKS))}
    found = board(networks)
    assume(all(cost.duration_ns > 10**4 for network in found.networks for cost in network.chain_at(PLACE)))  # or rounding shows
    return found, parts


@st.composite
def anything(draw: st.DrawFn) -> Board:
    """Draw a board whose times follow from nothing."""
    return board({f"n{i}": [(counts, draw(DURATIONS)) for counts in lines] for i, lines in enumerate(draw(NETWORKS))})


def timed(found: Board, change: Mapping[str, float]) -> Board:
    """Multiply all times of some networks."""

    def slowed(cost: Cost, factor: float) -> Cost:
        return replace(cost, duration_ns=round(cost.duration_ns * factor))

    networks = (
        replace(n, segments=tuple(replace(s, costs=tuple(slowed(c, change.get(n.name, 1)) for c in s.costs)) for s in n.segments))
        for n in found.networks
    )
    return replace(found, networks=tuple(networks))


def predicted_ns(regression: Regression, counts: Counts) -> int:
    return regression.at(PLACE).predict(counts).duration_ns


@given(drawn=linear())
def test_what_is_linear_is_found_exactly(drawn: tuple[Board, tuple[float, float, float, float]]) -> None:
    found, _ = drawn
    regression = fitted(found)
    for network in found.networks:
        for line in network.segments:
            assert line.counts is not None
            assert predicted_ns(regression, line.counts) == pytest.approx(line.cost_at(PLACE).duration_ns, rel=1e-3)


def test_with_enough_segments_a_linear_board_tells_of_any_other_and_of_networks_left_out() -> None:
    rng = np.random.default_rng(3)
    parts = (2e5, 0.03, 0.2, 0.4)
    lines = [Counts(**dict(zip(Counts.__slots__, map(int, 10 ** rng.uniform(4, 8, 4)), strict=True))) for _ in range(60)]
    networks = {f"n{i}": [(counts, linear_ns(counts, parts)) for counts in lines[10 * i : 10 * i + 10]] for i in range(6)}
    regression = fitted(board(networks))
    for power in range(4, 10):
        other = Counts(flop=10**power, weight_bytes=7 * 10 ** (power - 2), input_bytes=10**5, output_bytes=3 * 10**5)
        assert predicted_ns(regression, other) == pytest.approx(linear_ns(other, parts), rel=1e-4)
    deviation = regression.at(PLACE).deviation
    assert max(deviation.median, deviation.p90, deviation.networks_median) < 1e-4


@given(found=anything(), factor=st.integers(2, 1000), counts=COUNTS)
def test_all_times_k_times_as_long_make_predictions_k_times_as_long(found: Board, factor: int, counts: Counts) -> None:
    before, after = fitted(found), fitted(timed(found, dict.fromkeys(found.names, factor)))
    assert predicted_ns(after, counts) == pytest.approx(factor * predicted_ns(before, counts), rel=1e-3, abs=factor)
    assert after.at(PLACE).deviation.p90 == pytest.approx(before.at(PLACE).deviation.p90, rel=1e-3, abs=1e-4)


@given(found=anything(), less=COUNTS, more=COUNTS)
def test_predictions_are_positive_and_more_to_do_never_takes_less_time(found: Board, less: Counts, more: Counts) -> None:
    regression = fitted(found)
    both = Counts(**{name: getattr(less, name) + getattr(more, name) for name in Counts.__slots__})
    assert 1 <= predicted_ns(regression, less) <= predicted_ns(regression, both)
    assert 1 <= predicted_ns(regression, Counts(flop=0, weight_bytes=0, input_bytes=0, output_bytes=0)) <= predicted_ns(regression, less)
    assert min(regression.at(PLACE).rule.parts) >= 0


@given(found=anything(), factor=st.integers(2, 1000))
def test_the_prediction_of_a_network_left_out_does_not_depend_on_its_own_times(found: Board, factor: int) -> None:
    """(1 + off) times what is known is what was predicted."""
    name = found.names[0]
    before, after = (dict(fitted(one).at(PLACE).deviation.networks)[name] for one in (found, timed(found, {name: factor})))
    assert factor * (1 + after) == pytest.approx(1 + before, rel=1e-6, abs=1e-9)


def test_a_network_that_is_ten_times_as_slow_as_the_others_is_a_tenth_of_itself_by_them() -> None:
    """That of the others is linear, so they tell all; were the network seen, it would pull the prediction up."""
    rng = np.random.default_rng(5)
    parts = (1e5, 0.05, 0.3, 0.2)
    lines = [Counts(**dict(zip(Counts.__slots__, map(int, 10 ** rng.uniform(4, 8, 4)), strict=True))) for _ in range(40)]
    networks = {f"n{i}": [(counts, linear_ns(counts, parts)) for counts in lines[10 * i : 10 * i + 10]] for i in range(4)}
    networks["n3"] = [(counts, 10 * duration_ns) for counts, duration_ns in networks["n3"]]
    assert dict(fitted(board(networks)).at(PLACE).deviation.networks)["n3"] == pytest.approx(-0.9, abs=1e-4)


@given(found=anything(), size=st.integers(0, 10**9))
def test_handovers_that_are_linear_are_found_exactly(found: Board, size: int) -> None:
    sizes = {line.counts.output_bytes for network in found.networks for line in network.segments if line.counts is not None}
    assume(max(sizes) > 2 * min(sizes))
    (pair,) = fitted(found).pairs
    assert (pair.source, pair.target) == ("cpu", "gpu")
    assert pair.predict(size).duration_ns == pytest.approx(1000 + 3 * size, rel=1e-3, abs=100)


@given(data=st.data(), rows=st.integers(1, 8), columns=st.integers(1, 4))
def test_no_choice_of_columns_fits_better_with_coefficients_of_0_or_more(data: st.DataObject, rows: int, columns: int) -> None:
    """Brute force: least squares over every set of columns, of which those are feasible that need nothing below 0."""
    amounts = st.floats(-10, 10).filter(lambda x: x == 0 or abs(x) > 1e-3)
    matrix = np.array(data.draw(st.lists(st.lists(amounts, min_size=columns, max_size=columns), min_size=rows, max_size=rows)))
    target = np.array(data.draw(st.lists(amounts, min_size=rows, max_size=rows)))
    found = _nonnegative(matrix, target)
    assert (found >= 0).all()
    best = min(missed(matrix, target, kept) for kept in subsets(columns))
    assert np.linalg.norm(matrix @ found - target) <= best + 1e-6


def subsets(count: int) -> list[tuple[int, ...]]:
    return list(chain.from_iterable(combinations(range(count), length) for length in range(count + 1)))


def missed(matrix: NDArray[np.float64], target: NDArray[np.float64], kept: tuple[int, ...]) -> float:
    """Return how far least squares over some columns is off; infinity where it takes one below 0."""
    if not kept:
        return float(np.linalg.norm(target))
    found = np.linalg.lstsq(matrix[:, kept], target, rcond=None)[0]
    return float(np.linalg.norm(matrix[:, kept] @ found - target)) if found.min() >= 0 else np.inf
