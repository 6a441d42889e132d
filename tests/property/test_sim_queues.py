"""Bounded queues in simulated runs: how many wait, and that the first rank does not notice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Discipline, Preemption
from cotenant.policy import Candidate, Policy, Scene
from cotenant.sim import Case, simulate
from cotenant.sim.state import DONE, EVICTED
from cotenant.trace.columns import Columns
from tests.sim_cases import US, board, case, cases, every_policy, processor, request, share, tenant


def rank_then_number(candidate: Candidate, scene: Scene) -> float:
    """Leave no tie to be settled by who is warm where."""
    return candidate.rank * 1e6 + candidate.request


def waiting(columns: Columns, tenant: int) -> Iterator[int]:
    """Count, at the end of each instant of an arrival, a tenant's requests that have neither begun nor ended."""
    began = dict(zip(columns.spans["request"][::-1].tolist(), columns.spans["start_ns"][::-1].tolist(), strict=True))
    own = [
        (int(row["arrival_ns"]), began.get(i, int(row["finish_ns"]))) for i, row in enumerate(columns.endings) if row["tenant"] == tenant
    ]
    for now_ns, _ in own:
        yield sum(arrival_ns <= now_ns < gone_ns for arrival_ns, gone_ns in own)


@pytest.mark.parametrize("name", ["rank_edf", "fifo", "sjf", "fewest_late"])
@given(drawn=cases(ways=(Preemption.SEGMENT, Preemption.KERNEL)))
def test_no_more_wait_than_may(name: str, drawn: Case) -> None:
    columns = simulate(drawn, every_policy()[name], name=name)
    for index, own in enumerate(drawn.tenants):
        assert max(waiting(columns, index), default=0) <= (own.most_waiting or 1 << 62)


@given(drawn=cases(plain=True, closed=False, ways=(Preemption.INSTANT,)), queue=st.integers(1, 2), newest=st.booleans())
def test_a_bounded_queue_of_a_lower_rank_changes_nothing_for_rank_0(drawn: Case, queue: int, newest: bool) -> None:
    """The first rank's own queue is in the order that the policy asks for, so that no decision for others finds its head changed."""
    first, *rest = drawn.tenants
    first, rest = replace(first, rank=0, discipline=Discipline.IN_ORDER), [replace(t, rank=1 + t.rank, queue=None) for t in rest]
    full = [tenant(t.name, t.rank, deadline_ns=t.deadline_ns, newest=newest, queue=queue) for t in rest]
    ends = []
    for others in (rest, full):
        columns = simulate(replace(drawn, tenants=(first, *others)), Policy(order=rank_then_number), name="ranks")
        own = columns.endings[columns.endings["tenant"] == 0]
        ends.append(own[["arrival_ns", "finish_ns", "outcome"]].tolist())
    assert ends[0] == ends[1]


def test_a_full_queue_is_told_apart_from_what_is_too_late() -> None:
    """Two reasons, each in the trace of the request that ended for it."""
    tenants = [tenant("a", queue=1), tenant("b", 1, deadline_ns=12 * US, drops=True)]
    asked = [request("a", at * US) for at in (0, 1, 2)] + [request("b", 0, 12 * US)]
    few = case(board(processor("p0")), tenants, [share("a", ("p0", 1, 10 * US)), share("b", ("p0", 1, 5 * US))], asked)
    endings = simulate(few, every_policy()["rank"], name="rank").trace().endings
    assert sorted((e.tenant, e.finish_ns, e.reason) for e in endings) == [
        ("a", 2 * US, "queue full"),
        ("a", 10 * US, ""),
        ("a", 20 * US, ""),
        ("b", 7 * US + 1, "too late"),
    ]


def test_what_is_late_is_dropped_as_such_though_the_queue_is_full() -> None:
    """The third comes up behind the second when that starts, at the instant at which two more arrive."""
    asked = [request("a", 0), request("a", 1 * US, 100 * US), request("a", 2 * US, 15 * US), request("a", 10 * US), request("a", 10 * US)]
    few = case(board(processor("p0")), [tenant("a", drops=True, queue=2)], [share("a", ("p0", 1, 10 * US))], asked)
    endings = simulate(few, every_policy()["rank"], name="rank").trace().endings
    assert [(e.finish_ns, e.reason) for e in endings] == [(10 * US, ""), (20 * US, ""), (10 * US, "too late"), (30 * US, ""), (40 * US, "")]


def test_three_times_the_load_leaves_the_first_rank_in_time_and_the_queue_full() -> None:
    """Of what a lane cannot serve beside rank 0, all but the queue is dropped by the end."""
    tenants = [tenant("first", 0, deadline_ns=10 * US), tenant("rest", 1, queue=5)]
    options = [share("first", ("p0", 1, 4 * US)), share("rest", ("p0", 1, 10 * US))]
    asked = [request("first", at * 20 * US, at * 20 * US + 10 * US) for at in range(200)]
    asked += [request("rest", at * 5 * US + 1) for at in range(800)]
    crowd = case(board(processor("p0", 1, Preemption.CLASS)), tenants, options, asked, 4000 * US)
    endings = simulate(crowd, every_policy()["rank"], name="rank").endings
    first, rest = endings[endings["tenant"] == 0], endings[endings["tenant"] == 1]
    assert {*first["outcome"].tolist()} == {DONE}
    assert (first["finish_ns"] <= first["due_ns"]).all()
    assert {*rest["outcome"].tolist()} == {DONE, EVICTED}
    # 200 of rank 0 leave 3,200 us of 4,000: 320 of 10 us, and those few that the queue holds at the end.
    assert 320 <= (rest["outcome"] == DONE).sum() <= 320 + 6
