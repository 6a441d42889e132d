"""Shared bandwidth: max-min against a second account in fractions, and its laws."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.cost.contention import grant, slowed, water_fill
from tests.sim_cases import progressive

CLOSE = 1e-9
AMOUNTS = st.integers(0, 12).map(float) | st.floats(0.0, 1e3) | st.floats(1e-6, 1e-3) | st.just(0.1)
WANTS = st.lists(AMOUNTS, max_size=7)
CAPACITIES = st.integers(0, 30).map(float) | st.floats(1e-3, 5e3)


def filled(wants: Sequence[float], capacity: float) -> tuple[list[float], float]:
    grants = [-7.0] * (len(wants) + 1)
    left = water_fill(wants, len(wants), capacity, grants)
    assert grants[len(wants)] == -7.0, "nothing is written beyond the count"
    return grants[: len(wants)], left


def granted(wants: Sequence[float], first: Sequence[float], capacity: float, *, caps: bool) -> list[float]:
    grants = [-7.0] * len(wants)
    grant(wants, first, len(wants), capacity, int(caps), grants, [0.0] * (2 * len(wants)))
    return grants


def near(one: Sequence[float], other: Sequence[float | Fraction], size: float) -> bool:
    return all(abs(a - float(b)) <= CLOSE * max(1.0, size) for a, b in zip(one, other, strict=True))


@given(wants=WANTS, capacity=CAPACITIES)
def test_it_is_what_raising_all_together_comes_to(wants: list[float], capacity: float) -> None:
    grants, left = filled(wants, capacity)
    exact = progressive(wants, capacity)
    assert near(grants, exact, capacity)
    assert left == pytest.approx(float(Fraction(capacity) - sum(exact)), abs=CLOSE * max(1.0, capacity))


@given(wants=st.lists(st.integers(0, 4), min_size=1, max_size=3), capacity=st.integers(0, 8))
def test_no_other_division_is_better_for_the_worst_off(wants: list[int], capacity: int) -> None:
    """Brute force in sixths, of which any level among three is a multiple: sorted, the grants are the greatest of all divisions."""
    parts = [range(6 * want + 1) for want in wants]
    best = max(tuple(sorted(division)) for division in product(*parts) if sum(division) <= 6 * capacity)
    grants, _ = filled([float(want) for want in wants], float(capacity))
    assert sorted(grants) == pytest.approx([part / 6 for part in best])


@given(wants=WANTS, capacity=CAPACITIES)
def test_nobody_gets_more_than_it_wants_and_all_together_no_more_than_there_is(wants: list[float], capacity: float) -> None:
    grants, left = filled(wants, capacity)
    assert all(0.0 <= g <= w for g, w in zip(grants, wants, strict=True))
    assert sum(grants) <= capacity * (1 + CLOSE)
    assert sum(grants) + left == pytest.approx(capacity) or left == 0.0
    assert left == 0.0 or grants == wants, "what is left over is wanted by nobody"


@given(wants=WANTS, capacity=CAPACITIES)
def test_who_gets_less_than_it_wants_gets_as_much_as_anybody(wants: list[float], capacity: float) -> None:
    grants, _ = filled(wants, capacity)
    short = [g for g, w in zip(grants, wants, strict=True) if g < w]
    assert len(set(short)) <= 1
    assert all(g >= max(grants) * (1 - CLOSE) for g in short)


@given(data=st.data(), wants=WANTS, capacity=CAPACITIES)
def test_the_order_in_which_they_are_listed_does_not_matter(data: st.DataObject, wants: list[float], capacity: float) -> None:
    order = data.draw(st.permutations(range(len(wants))))
    grants, _ = filled(wants, capacity)
    other, _ = filled([wants[i] for i in order], capacity)
    assert near(other, [grants[i] for i in order], capacity)


@given(wants=WANTS, more=AMOUNTS, capacity=CAPACITIES)
def test_one_more_beside_them_raises_nobodys_grant(wants: list[float], more: float, capacity: float) -> None:
    alone, _ = filled(wants, capacity)
    beside, _ = filled([*wants, more], capacity)
    assert all(after <= before + CLOSE * max(1.0, capacity) for before, after in zip(alone, beside, strict=False))


@given(want=AMOUNTS, capacity=CAPACITIES)
def test_alone_one_gets_what_it_wants_or_all_that_there_is(want: float, capacity: float) -> None:
    assert filled([want], capacity)[0] == [min(want, capacity)]


@given(wants=WANTS)
def test_where_no_bandwidth_is_known_all_get_what_they_want(wants: list[float]) -> None:
    assert filled(wants, float("inf"))[0] == wants


def test_an_example_by_hand() -> None:
    """10 among 2, 8 and 8: two get 4 each, what the first leaves."""
    assert filled([8.0, 2.0, 8.0], 10.0) == ([4.0, 2.0, 4.0], 0.0)


FIRST = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 3.0, 1e30])


@st.composite
def reserved(draw: st.DrawFn) -> tuple[list[float], list[float], float]:
    wants = draw(WANTS)
    return wants, [draw(FIRST) for _ in wants], draw(CAPACITIES)


@given(drawn=reserved(), caps=st.booleans())
def test_grants_keep_to_what_is_wanted_and_what_there_is(drawn: tuple[list[float], list[float], float], caps: bool) -> None:
    wants, first, capacity = drawn
    grants = granted(wants, first, capacity, caps=caps)
    assert all(0.0 <= g <= w * (1 + CLOSE) for g, w in zip(grants, wants, strict=True))
    assert sum(grants) <= capacity * (1 + CLOSE)


@given(drawn=reserved())
def test_a_cap_is_not_exceeded_whatever_is_left(drawn: tuple[list[float], list[float], float]) -> None:
    wants, first, capacity = drawn
    grants = granted(wants, first, capacity, caps=True)
    capped = [max(0.0, min(w, f)) for w, f in zip(wants, first, strict=True)]
    assert near(grants, progressive(capped, capacity), capacity)


@given(drawn=reserved())
def test_what_is_reserved_comes_first_and_what_is_left_is_shared_by_max_min(drawn: tuple[list[float], list[float], float]) -> None:
    wants, first, capacity = drawn
    grants = granted(wants, first, capacity, caps=False)
    own = progressive([max(0.0, min(w, f)) for w, f in zip(wants, first, strict=True)], capacity)
    more = progressive([float(Fraction(w) - a) for w, a in zip(wants, own, strict=True)], max(0.0, float(Fraction(capacity) - sum(own))))
    assert near(grants, [a + b for a, b in zip(own, more, strict=True)], max([capacity, *wants]))


@given(drawn=reserved())
def test_nothing_is_left_over_while_somebody_wants_more(drawn: tuple[list[float], list[float], float]) -> None:
    wants, first, capacity = drawn
    grants = granted(wants, first, capacity, caps=False)
    assert sum(grants) == pytest.approx(min(capacity, sum(wants)), rel=CLOSE, abs=CLOSE)


@given(wants=WANTS, capacity=CAPACITIES)
def test_a_reservation_of_all_is_none(wants: list[float], capacity: float) -> None:
    assert granted(wants, wants, capacity, caps=False) == filled(wants, capacity)[0]


@given(drawn=reserved(), more=AMOUNTS, asks=FIRST, caps=st.booleans())
def test_one_more_raises_nobodys_grant_whatever_is_reserved(
    drawn: tuple[list[float], list[float], float], more: float, asks: float, caps: bool
) -> None:
    wants, first, capacity = drawn
    before = granted(wants, first, capacity, caps=caps)
    after = granted([*wants, more], [*first, asks], capacity, caps=caps)
    assert all(b <= a + CLOSE * max(1.0, capacity) for a, b in zip(before, after, strict=False))


SIZES = st.floats(1.0, 1e6)


@given(computes_ns=SIZES, moves_ns=SIZES, unhidden=st.floats(0.01, 1.0), part=st.floats(0.01, 1.0))
def test_what_is_granted_a_part_takes_as_long_as_the_roofline_with_overlap_says(
    computes_ns: float, moves_ns: float, unhidden: float, part: float
) -> None:
    def takes_ns(moves_ns: float) -> float:
        return max(computes_ns, moves_ns) + unhidden * min(computes_ns, moves_ns)

    speed = slowed(part, takes_ns(moves_ns), computes_ns, unhidden)
    assert speed == pytest.approx(takes_ns(moves_ns) / takes_ns(moves_ns / part), rel=1e-6)
    assert part * (1 - CLOSE) <= speed <= 1 + CLOSE


@given(part=st.floats(0.0, 1.0), total_ns=SIZES)
def test_what_is_hidden_in_full_goes_as_fast_as_it_is_granted(part: float, total_ns: float) -> None:
    assert slowed(part, total_ns, 0.0, 0.0) == part
    assert slowed(0.0, total_ns, total_ns / 2, 0.5) == 0.0
