"""Where networks are cut, against all other ways."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.profile.cutting import HANDING_NS_PER_BYTE, LONGEST, positions

times = st.lists(st.sampled_from((0.0, 1.0, 2.0, 5.0, 30.0)), min_size=1, max_size=9)


def off(times_ns: list[float], cuts: dict[int, int], chosen: tuple[int, ...], length_ns: float) -> float:
    """Return by how much a choice of cuts is off, as the docstring of `positions` has it; infinite where a segment is too long."""
    wanted_ns = sum(times_ns) / max(1, round(sum(times_ns) / length_ns))
    handed = sum(cuts[cut] * HANDING_NS_PER_BYTE for cut in chosen) / wanted_ns
    segments = list(pairwise((0, *chosen, len(times_ns))))
    lengths = [sum(times_ns[first:last]) for first, last in segments]
    return handed + sum((length / wanted_ns - 1) ** 2 for length in lengths)


@given(times, st.data())
def test_no_other_cuts_are_better(times_ns: list[float], data: st.DataObject) -> None:
    if not sum(times_ns):
        return
    legal = data.draw(st.sets(st.integers(1, len(times_ns) - 1))) if len(times_ns) > 1 else set()
    cuts = {cut: data.draw(st.sampled_from((0, 10, 100))) for cut in sorted(legal)}
    length_ns = data.draw(st.sampled_from((1.0, 4.0, 10.0)))
    found = positions(times_ns, cuts, length_ns)
    assert set(found) <= legal
    wanted_ns = sum(times_ns) / max(1, round(sum(times_ns) / length_ns))
    others = [chosen for count in range(len(legal) + 1) for chosen in combinations(sorted(legal), count)]
    short = [c for c in others if all(sum(times_ns[a:b]) <= LONGEST * wanted_ns for a, b in pairwise((0, *c, len(times_ns))))]
    if short:
        best = min(off(times_ns, cuts, chosen, length_ns) for chosen in short)
        assert off(times_ns, cuts, found, length_ns) == pytest.approx(best)


def test_a_network_as_short_as_a_segment_stays_whole() -> None:
    assert positions([1.0, 1.0], {1: 1000}, 2.0) == ()


def test_a_cut_where_less_is_handed_over_is_preferred() -> None:
    assert positions([1.0, 1.0, 1.0, 1.0], {1: 0, 2: 1000, 3: 0}, 2.0) in {(1,), (3,)}
    assert positions([1.0, 1.0, 1.0, 1.0], {1: 0, 2: 0, 3: 0}, 2.0) == (2,)


def test_a_long_operator_is_a_segment_of_its_own() -> None:
    assert positions([1.0, 50.0, 1.0], {1: 0, 2: 0}, 1.0) == (1, 2)
