"""Fewest late: who is in time, who waits, who is wide, who is given bandwidth."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cotenant.describe import Preemption
from cotenant.dispatch.state import RUNNING, ProcessorRow, SlotRow, StageRow, TenantRow
from cotenant.policy import AS_PLANNED, NEVER_NS, Scene
from cotenant.policy.fewest_late import fewest_late
from cotenant.sim import simulate
from tests import sim_cases
from tests.policy_cases import Net, case, finishes, served, spans

FAR = 1e6
"""`spread` times any time alone of these tests is later than any due time: whatever has a deadline is wanted when it is due."""

LENGTHS = st.integers(1, 30)


# Who is in time


@given(jobs=st.lists(st.tuples(st.integers(1, 9), st.integers(8, 24)), min_size=1, max_size=6))
@example(jobs=[(9, 10), (3, 11), (3, 11), (8, 100)])
def test_on_one_lane_no_order_leaves_fewer_late(jobs: list[tuple[int, int]]) -> None:
    """Moore (1968). `finish` asks about begun requests that wait, and one of one segment never does; `reserve` 0 owes nobody a turn."""
    nets = tuple(Net(name=f"t{i}", segments=(ns,), deadline_ns=due_ns) for i, (ns, due_ns) in enumerate(jobs))
    run = served("fewest_late", case(nets, tuple((net.name, 0) for net in nets)), margin=1.0, spread=FAR, reserve=0.0)
    late = sum(int(row["finish_ns"]) > int(row["due_ns"]) for row in run.endings)
    assert late == min(_late(order) for order in permutations(jobs))


def _late(jobs: tuple[tuple[int, int], ...]) -> int:
    ends = [sum(ns for ns, _ in jobs[: place + 1]) for place in range(len(jobs))]
    return sum(end_ns > due_ns for end_ns, (_, due_ns) in zip(ends, jobs, strict=True))


@given(pace=st.sampled_from([1, 2, 3]), margin=st.sampled_from([1.0, 1.5, 2.0]), left_ns=st.integers(30, 140))
@example(pace=2, margin=1.5, left_ns=59)
@example(pace=2, margin=1.5, left_ns=60)
def test_a_request_is_hopeless_if_its_tenants_pace_times_margin_says_so(pace: int, margin: float, left_ns: int) -> None:
    """The first request takes `pace` times the 20 ns that it should. The next goes before what has no deadline unless it is hopeless."""
    tenants = (sim_cases.tenant("slow"), sim_cases.tenant("calm"))
    shares = (sim_cases.share("slow", ("p", 1, 10), ("p", 1, 10)), sim_cases.share("calm", ("p", 1, 10)))
    requests = (
        sim_cases.request("slow", 0, 10_000, scale=float(pace)),
        sim_cases.request("slow", 1000, 1000 + left_ns),
        sim_cases.request("calm", 1000),
    )
    crew = sim_cases.case(sim_cases.board(sim_cases.processor("p")), tenants, shares, requests)
    run = simulate(crew, fewest_late, name="fewest_late", params=(("margin", margin), ("reserve", 0.0)))
    first = next(tenant for tenant, start_ns, _, _ in spans(run) if start_ns == 1000)
    assert first == ("slow" if pace * margin * 20 <= left_ns else "calm")


@given(
    jobs=st.lists(st.tuples(LENGTHS, st.integers(1, 120), st.integers(0, 60)), min_size=1, max_size=6),
    own_ns=LENGTHS,
    at_ns=st.integers(0, 80),
    preemption=st.sampled_from([Preemption.SEGMENT, Preemption.INSTANT]),
)
def test_a_first_rank_waits_for_nobody_but_what_runs(
    jobs: list[tuple[int, int, int]], own_ns: int, at_ns: int, preemption: Preemption
) -> None:
    """Due once what runs may have ended: never hopeless, and the longest of all, yet neither given up nor kept waiting.

    With `reserve` and `finish` 0, since whoever is owed a turn goes before it, and so does whoever is late and nearly done.
    """
    nets = tuple(Net(name=f"t{i}", segments=(ns,), rank=1, deadline_ns=due_ns) for i, (ns, due_ns, _) in enumerate(jobs))
    ours = Net(name="first", segments=(30 + own_ns,), deadline_ns=30 + 2 * (30 + own_ns))
    asked = (("first", at_ns), *((net.name, asked_ns) for net, (_, _, asked_ns) in zip(nets, jobs, strict=True)))
    run = served("fewest_late", case((ours, *nets), asked, preemption=preemption), first=1.0, spread=FAR, reserve=0.0, finish=0.0)
    others = [stop_ns for tenant, start_ns, stop_ns, _ in spans(run) if tenant != "first" and start_ns < at_ns < stop_ns]
    starts_ns = at_ns if preemption is Preemption.INSTANT else max([at_ns, *others])
    assert dict(finishes(run))["first"] == starts_ns + 30 + own_ns


def test_without_it_the_longest_is_given_up_whatever_its_rank() -> None:
    nets = (Net(name="long", segments=(50,), deadline_ns=100), *(Net(name=n, segments=(30,), rank=1, deadline_ns=100) for n in "ab"))
    crew = case(nets, (("long", 0), ("a", 0), ("b", 0)))
    assert dict(finishes(served("fewest_late", crew)))["long"] == 110
    assert dict(finishes(served("fewest_late", crew, first=1.0)))["long"] == 50


def _length(numbers: tuple[int, int, int, int]) -> int:
    return numbers[1]


def _due_ns(numbers: tuple[int, int, int, int]) -> int:
    return numbers[2] + numbers[3]


@st.composite
def sides(draw: st.DrawFn, name: str, widest: int) -> list[tuple[str, int, int, int, int]]:
    """Draw (tenant, width, ns, arrival, time until due) of requests of one segment, no two as long or due at once: ties are anybody's."""
    numbers = st.tuples(st.integers(1, widest), st.integers(5, 15), st.sampled_from([0, 0, 12]), st.integers(10, 40))
    return [(f"{name}{i}", *one) for i, one in enumerate(draw(st.lists(numbers, min_size=1, max_size=6, unique_by=(_length, _due_ns))))]


@given(here=sides("here", 1), there=sides("there", 2))
@example(here=[("a", 1, 10, 0, 10), ("b", 1, 10, 0, 12), ("c", 1, 5, 0, 100)], there=[("wide", 2, 10, 0, 100)])
@example(here=[("a", 1, 15, 0, 20), ("b", 1, 14, 0, 21), ("c", 1, 10, 0, 22)], there=[("long", 1, 20, 0, 20)])
@example(here=[("a", 1, 15, 0, 20), ("b", 1, 14, 0, 21), ("c", 1, 10, 0, 22)], there=[("d", 1, 13, 0, 18), ("e", 1, 16, 0, 19)])
def test_what_waits_for_one_processor_changes_nothing_on_another(
    here: list[tuple[str, int, int, int, int]], there: list[tuple[str, int, int, int, int]]
) -> None:
    """Each here is on one lane: a decision for the sake of the others finds no lane free that anybody here waits for."""
    assert _ends(here, there) == _ends(here, [])


def _ends(here: list[tuple[str, int, int, int, int]], there: list[tuple[str, int, int, int, int]]) -> dict[str, int]:
    """Serve both sides, each on a processor of two lanes; return when those here end."""
    platform = sim_cases.board(sim_cases.processor("p0", 2), sim_cases.processor("p1", 2))
    jobs = [(*job, "p0") for job in here] + [(*job, "p1") for job in there]
    tenants = [sim_cases.tenant(name, deadline_ns=until_ns) for name, _, _, _, until_ns, _ in jobs]
    shares = [sim_cases.share(name, (at, width, ns)) for name, width, ns, _, _, at in jobs]
    requests = [sim_cases.request(name, at_ns, at_ns + until_ns) for name, _, _, at_ns, until_ns, _ in jobs]
    run = simulate(
        sim_cases.case(platform, tenants, shares, requests),
        fewest_late,
        name="fewest_late",
        params=(("margin", 1.0), ("reserve", 0.0), ("spread", FAR)),
    )
    names = {name for name, *_ in here}
    return {name: end_ns for name, end_ns in finishes(run) if name in names}


# Who can only wait


SERVED_NS, EVERY_NS, FEEDS = 10, 3, 120
"""What each of those takes that can be in time, how often one comes, and how many: three times what one lane can do."""


def overload(hopeless: int, own_ns: int, preemption: Preemption, reserve: float) -> list[int]:
    """Ask one lane for FEEDS requests that can be in time, and at 0 for some that cannot; return when these end."""
    feed = Net(name="feed", segments=(SERVED_NS,), deadline_ns=1_000_000)
    late = tuple(Net(name=f"h{i}", segments=(own_ns,), deadline_ns=own_ns - 1) for i in range(hopeless))
    asked = [*(("feed", k * EVERY_NS) for k in range(FEEDS)), *((net.name, 0) for net in late)]
    run = served("fewest_late", case((feed, *late), tuple(asked), preemption=preemption), reserve=reserve, spread=FAR)
    return sorted(end_ns for name, end_ns in finishes(run) if name != "feed")


WAYS = st.sampled_from([Preemption.SEGMENT, Preemption.INSTANT])


@given(hopeless=st.integers(1, 4), own_ns=st.integers(2, 15), reserve=st.sampled_from([0.25, 0.5]), how=WAYS)
def test_in_overload_each_hopeless_request_has_its_turn_by_the_reserve(hopeless: int, own_ns: int, reserve: float, how: Preemption) -> None:
    """The next turn is due once `reserve` times what was counted is more than what the n before had, at most n x own.

    Counted is what passed until the last decision within each service: all but `EVERY_NS` of it at least.
    """
    for before, end_ns in enumerate(overload(hopeless, own_ns, how, reserve)):
        services = before * own_ns // (reserve * (SERVED_NS - EVERY_NS)) + 1
        assert end_ns <= services * SERVED_NS + (before + 1) * own_ns


@given(hopeless=st.integers(1, 4), own_ns=st.integers(2, 15), how=WAYS)
def test_without_a_reserve_the_hopeless_wait_for_the_end_of_the_overload(hopeless: int, own_ns: int, how: Preemption) -> None:
    assert overload(hopeless, own_ns, how, 0.0) == [FEEDS * SERVED_NS + own_ns * (k + 1) for k in range(hopeless)]


@given(own_ns=st.integers(2, 15), reserve=st.sampled_from([0.25, 0.5]))
def test_in_overload_turns_take_hardly_more_than_the_reserve(own_ns: int, reserve: float) -> None:
    """The turn after n came when `reserve` times what was counted, at most all that had passed, was more than what the n were seen to have.

    That is all but `EVERY_NS` of each at least.
    """
    for before, end_ns in enumerate(overload(4, own_ns, Preemption.SEGMENT, reserve)):
        assert end_ns - own_ns >= before * (own_ns - EVERY_NS) / reserve


def test_the_longest_wait_for_its_size_has_the_turn() -> None:
    """At 10, when the first turn comes, one of 4 ns has waited 10/4 times that, one of 12 ns 10/12 times, one of 2 ns since 6 4/2 times."""
    own = {"early": (4, 0), "large": (12, 0), "small": (2, 6)}
    nets = tuple(Net(name=name, segments=(ns,), deadline_ns=1) for name, (ns, _) in own.items())
    feed = Net(name="feed", segments=(SERVED_NS,), deadline_ns=1_000_000)
    asked = [("feed", k * EVERY_NS) for k in range(FEEDS)] + [(name, at_ns) for name, (_, at_ns) in own.items()]
    run = served("fewest_late", case((*nets, feed), tuple(asked)), reserve=0.25, spread=FAR)
    assert next(one for one in spans(run) if one[0] != "feed")[:2] == ("early", 10)


@pytest.mark.parametrize("how", [Preemption.SEGMENT, Preemption.INSTANT])
def test_whoever_comes_up_while_lanes_are_taken_does_not_start_the_count_anew(how: Preemption) -> None:
    """One comes in each service, and at its end the 7 ns until then were counted, of which the hopeless had none."""
    nets = (Net(name="feed", segments=(10,), deadline_ns=1000), Net(name="late", segments=(10,), deadline_ns=5))
    crew = case(nets, (("late", 0), ("feed", 0), *(("feed", 7 + 10 * k) for k in range(20))), preemption=how)
    assert dict(one for one in finishes(served("fewest_late", crew)) if one[0] == "late") == {"late": 20}


def test_beside_a_closed_loop_that_is_always_in_time_the_hopeless_have_their_turn() -> None:
    """Every decision is at the end of all that runs, and counts it: a quarter of the first 10 ns is more than the nothing that was had."""
    tenants = (sim_cases.tenant("loop", closed=1, deadline_ns=1000), sim_cases.tenant("late", deadline_ns=5))
    shares = (sim_cases.share("loop", ("p", 1, 10)), sim_cases.share("late", ("p", 1, 10)))
    crew = sim_cases.case(
        sim_cases.board(sim_cases.processor("p")), tenants, shares, [sim_cases.request("late", 0, 5) for _ in range(3)], horizon_ns=400
    )
    ends = {reserve: simulate(crew, fewest_late, name="fewest_late", params=(("reserve", reserve),)).endings for reserve in (0.0, 0.25)}
    found = {reserve: [int(row["finish_ns"]) for row in rows if row["tenant"] == 1] for reserve, rows in ends.items()}
    assert found[0.0] == [410, 420, 430]
    assert found[0.25][-1] <= 3 * (10 / 0.25 + 10)


# Who has the bandwidth


def scene(slot: SlotRow, stages: list[StageRow], now_ns: int = 0, *, pace: float = 0.0, **params: float) -> Scene:
    """Return what one request sees; a pace of 0 is not known."""
    given = [{**dict(fewest_late.params), **params}[name] for name, _ in fewest_late.params]
    notes = [0.0] * fewest_late.notes
    return Scene(
        now_ns, [slot], [], 0, [0], 1, [TenantRow(note=pace)], [ProcessorRow(lanes=8), ProcessorRow(lanes=8)], [], stages,
        list(range(len(stages))), given, notes,
    )  # fmt: skip


UNSEEN, OWED, IN_TIME, NO_HURRY, GIVEN_UP, HOPELESS = 0.0, 1.0, 2.0, 3.0, 4.0, 5.0
"""The notes that a request carries: none, if it has become a head within the decision in which it started."""


def granted(left_ns: int, slack_ns: int, *, note: float, late: int = 0, pace: float = 0.0, due: bool = True, **params: float) -> float:
    slot = SlotRow(
        state=RUNNING, tenant=0, begun=1, late=late, note=note, due_ns=1000 + slack_ns if due else NEVER_NS, alone_ns=left_ns,
        remaining_ns=left_ns, bytes_per_ns=3.0,
    )  # fmt: skip
    return fewest_late.share(slot, scene(slot, [], 1000, pace=pace, **params))


@given(left_ns=st.integers(1, 500), more_ns=st.integers(0, 500), note=st.sampled_from([UNSEEN, IN_TIME]))
def test_who_can_be_in_time_is_granted_what_it_needs_for_that(left_ns: int, more_ns: int, note: float) -> None:
    share = granted(left_ns, left_ns + more_ns, note=note, margin=1.0)
    assert share == 3.0 * left_ns / (left_ns + more_ns)
    assert share == 3.0 or more_ns > 0


@given(left_ns=st.integers(2, 500), slack_ns=st.integers(-500, 1500), note=st.sampled_from([OWED, NO_HURRY, GIVEN_UP, HOPELESS]))
def test_who_only_waits_is_granted_nothing_first(left_ns: int, slack_ns: int, note: float) -> None:
    assert granted(left_ns, slack_ns, note=note, margin=1.0) == 0.0


@given(left_ns=st.integers(2, 500), less_ns=st.integers(1, 500), note=st.sampled_from([UNSEEN, IN_TIME]))
def test_who_can_no_longer_be_in_time_is_granted_nothing_first(left_ns: int, less_ns: int, note: float) -> None:
    assert granted(left_ns, left_ns - less_ns, note=note, margin=1.0) == 0.0


@given(
    left_ns=st.integers(1, 500), slack_ns=st.integers(1, 1500), pace=st.sampled_from([0.0, 1.0, 2.0]), margin=st.sampled_from([1.0, 1.5])
)
def test_whoever_was_not_judged_is_judged_by_itself(left_ns: int, slack_ns: int, pace: float, margin: float) -> None:
    expected_ns = left_ns * max(1.0, pace) * margin
    want = 3.0 * left_ns / slack_ns if expected_ns <= slack_ns else 0.0
    assert granted(left_ns, slack_ns, note=UNSEEN, pace=pace, margin=margin) == want


@pytest.mark.parametrize(("late", "due"), [(1, True), (0, False)])
def test_whoever_was_not_judged_and_is_late_or_never_due_is_granted_nothing_first(late: int, due: bool) -> None:
    assert granted(10, 1000, note=UNSEEN, late=late, due=due) == 0.0


def test_two_of_a_tenant_that_start_at_once_are_both_in_time_beside_who_has_no_deadline() -> None:
    """Alone each moves 4 bytes per ns for 10 us. Two due at 20 us need 2 each, all there is.

    The second is no head until the first starts.
    """
    us = sim_cases.US
    moving = ("p", 1, 10 * us, 40 * us)
    platform = sim_cases.board(sim_cases.processor("p", 3), memories=[sim_cases.memory("m0", 4.0)])
    tenants = (sim_cases.tenant("due"), sim_cases.tenant("calm"))
    shares = (sim_cases.share("due", moving), sim_cases.share("calm", moving))
    requests = (sim_cases.request("calm", 0), *(sim_cases.request("due", 0, 20 * us) for _ in range(2)))
    run = simulate(sim_cases.case(platform, tenants, shares, requests), fewest_late, name="fewest_late", params=())
    assert sorted(finishes(run)) == [("calm", 30 * us), ("due", 20 * us), ("due", 20 * us)]


# Who is wide


@given(
    planned=st.integers(0, 3),
    times=st.lists(st.integers(1, 100), min_size=4, max_size=4),
    elsewhere=st.lists(st.integers(1, 100), max_size=3),
    stretch=st.sampled_from([1.0, 1.25, 1.5, 2.0]),
)
def test_the_fewest_lanes_are_taken_on_which_it_takes_at_most_stretch_times_as_long(
    planned: int, times: list[int], elsewhere: list[int], stretch: float
) -> None:
    steps = [(0, 1 << k, ns) for k, ns in enumerate(times)] + [(1, k + 1, ns) for k, ns in enumerate(elsewhere)]
    stages = [StageRow(processor=p, width=w, segment_ns=ns, others=0, other_count=len(steps)) for p, w, ns in steps]
    slot = SlotRow(position=planned, width=1 << planned, segment_ns=times[planned])
    narrow = [1 << k for k in range(planned) if times[k] <= stretch * times[planned]]
    assert fewest_late.width(slot, scene(slot, stages, stretch=stretch)) == (narrow[0] if narrow else AS_PLANNED)


def test_lanes_that_would_wait_for_memory_serve_somebody_else() -> None:
    """On one lane of two 13 ns instead of 10: both start at once."""
    net = Net(name="a", segments=(13,), deadline_ns=100)
    crew = case((net, Net(name="b", segments=(13,), deadline_ns=100)), (("a", 0), ("b", 0)), lanes=2)
    shares = tuple(s for name in "ab" for s in (sim_cases.share(name, ("p", 2, 10)), sim_cases.share(name, ("p", 1, 13), rate_per_s=0.0)))
    assert spans(simulate(replace(crew, shares=shares), fewest_late, name="fewest_late", params=())) == [("a", 0, 13, 1), ("b", 0, 13, 1)]
    narrow = simulate(replace(crew, shares=shares), fewest_late, name="fewest_late", params=(("stretch", 1.29),))
    assert spans(narrow) == [("a", 0, 10, 2), ("b", 10, 20, 2)]
