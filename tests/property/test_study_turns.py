"""Turns of a comparison, one by one: they add up to the whole, and no share is beyond [0, 1]."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from cotenant.describe import Outcome
from cotenant.study.rounds import Measured
from cotenant.study.turn import medians, turn_json, turn_of
from cotenant.trace import Ending, Trace, Usage, pooled
from cotenant.units import NS_PER_S

NAMES = ("a", "b")
COUNTS = ("asked", "done", "missed", "dropped", "failed", "lost")


@st.composite
def endings(draw: st.DrawFn) -> Ending:
    arrival_ns = draw(st.integers(0, NS_PER_S))
    outcome = draw(st.sampled_from([None, *Outcome]))
    finish_ns = None if outcome is None else arrival_ns + draw(st.integers(0, NS_PER_S))
    due_ns = draw(st.none() | st.integers(arrival_ns, arrival_ns + NS_PER_S))
    return Ending(
        request=0, tenant=draw(st.sampled_from(NAMES)), arrival_ns=arrival_ns, due_ns=due_ns, finish_ns=finish_ns, outcome=outcome,
        option="o", reason="told" if outcome is Outcome.DROPPED else "",
    )  # fmt: skip


usages = st.builds(
    Usage, cpu_ns=st.integers(0, 10 * NS_PER_S), segments=st.integers(0, 9), dispatch_ns=st.integers(0, 10 * NS_PER_S),
    dispatch_mean_ns=st.none() | st.floats(0, NS_PER_S), dispatch_median_ns=st.none() | st.integers(1, NS_PER_S),
)  # fmt: skip


@st.composite
def measured(draw: st.DrawFn, index: int) -> Measured:
    made, usage = tuple(draw(st.lists(endings(), max_size=12))), draw(st.none() | usages)
    # Some were asked of which nothing is known any more: these are lost.
    asked = tuple((name, sum(e.tenant == name for e in made) + draw(st.integers(0, 2))) for name in NAMES)
    trace = Trace(spans=(), endings=made, stop_ns=NS_PER_S, platform="p", policy="", asked=asked, usage=usage)
    return Measured(way="w", round=index, trace=trace, others=draw(st.floats(0, 1)), tries=draw(st.integers(1, 3)))


rounds = st.integers(1, 4).flatmap(lambda count: st.tuples(*(measured(index) for index in range(count))))


@given(rounds)
def test_turns_add_up_to_what_is_pooled(some: tuple[Measured, ...]) -> None:
    turns = [turn_of(one, NAMES, dict.fromkeys(NAMES, 2.0), 2) for one in some]
    told = [turn_json(turn)["tenants"] for turn in turns]
    for index, name in enumerate(NAMES):
        whole = pooled([turn.tallies[index] for turn in turns])
        for count in COUNTS:
            assert sum(one[name][count] for one in told) == getattr(whole, count)
        for one in told:
            assert one[name]["asked"] == sum(one[name][count] for count in ("done", "dropped", "failed", "lost"))


@given(rounds, st.integers(1, 8))
def test_every_share_is_in_its_range_and_all_of_it_is_json(some: tuple[Measured, ...], lanes: int) -> None:
    turns = [turn_of(one, NAMES, dict.fromkeys(NAMES, 2.0), lanes) for one in some]
    for turn, one in zip(turns, some, strict=True):
        assert (turn.used is None) == (one.trace.usage is None)
        assert turn.used is None or 0 <= turn.used <= 1
        assert turn.dispatching is None or 0 <= turn.dispatching.share <= 1
        json.dumps(turn_json(turn), allow_nan=False)
    for key, value in medians(turns).items():
        known = [found for found in (turn_json(turn).get(key) for turn in turns) if found is not None]
        assert (value is None) == (not known)
        assert value is None or min(known) <= value <= max(known)


@given(st.integers(0, 20 * NS_PER_S), st.integers(1, 8))
@example(9 * NS_PER_S, 8)
def test_what_was_used_is_the_cpu_time_over_what_the_lanes_could_give(cpu_ns: int, lanes: int) -> None:
    trace = Trace(spans=(), endings=(), stop_ns=NS_PER_S, platform="p", policy="", usage=Usage(cpu_ns=cpu_ns))
    used = turn_of(Measured(way="w", round=0, trace=trace, others=0.0), NAMES, dict.fromkeys(NAMES, 1.0), lanes).used
    assert used == min(cpu_ns / (lanes * NS_PER_S), 1.0)
