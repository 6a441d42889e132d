"""The compiled dispatcher decides as the plain one does, event by event."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Preemption, Share, Tenant
from cotenant.dispatch import NONE, Decision, Dispatcher
from cotenant.policy import policies
from cotenant.sim import Stepped, is_shipped, is_there
from tests.property.dispatch_changes import Changing, changing
from tests.property.dispatch_crews import MS, board, crews, option, shares, tenant
from tests.property.dispatch_rests import Rested
from tests.sim_cases import compiler

pytestmark = pytest.mark.skipif(not is_there(), reason="numba is not installed: pip install cotenant[sim]")

T = TypeVar("T")
SHIPPED = [name for name in policies.names() if is_shipped(policies.get(name))]


class Twins:
    """Tell two dispatchers the same, and hold their answers against each other.

    `recorded`: what the plain one's policy was asked in a decision.
    """

    def __init__(self, plain: Dispatcher, stepped: Stepped, recorded: tuple[list[Any], ...] = ()) -> None:
        self.plain, self.stepped, self.recorded = plain, stepped, recorded

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    def arrive(self, request: int, tenant: int, arrival_ns: int, due_ns: int | None) -> int:
        return same(*(twin.arrive(request, tenant, arrival_ns, due_ns) for twin in (self.plain, self.stepped)))

    def finish(self, slot: int, now_ns: int) -> bool:
        return same(*(twin.finish(slot, now_ns) for twin in (self.plain, self.stepped)))

    def fail(self, slot: int) -> None:
        self.plain.fail(slot)
        self.stepped.fail(slot)

    def flush(self) -> list[int]:
        return same(self.plain.flush(), self.stepped.flush())

    def decide(self, now_ns: int) -> list[Decision]:
        decisions = same(*(twin.decide(now_ns) for twin in (self.plain, self.stepped)))
        for decision in decisions:
            same(*(twin.stage(decision.slot) for twin in (self.plain, self.stepped)))
        same(*(twin.has_free_lane() for twin in (self.plain, self.stepped)))
        same(*(twin.steady_ns(now_ns) for twin in (self.plain, self.stepped)))
        for slot in {slot for lane in self.plain.state.lanes for slot in (lane.running, lane.suspended) if slot != NONE}:
            lengths = [len(record) for record in self.recorded]
            same(*(twin.stays_ns(slot, now_ns) for twin in (self.plain, self.stepped)))
            for record, length in zip(self.recorded, lengths, strict=True):
                del record[length:]
        same(*(twin.wake_ns(now_ns) for twin in (self.plain, self.stepped)))
        for index in range(len(self.plain.lineup.tenants)):
            same(self.plain.outstanding(index), self.stepped.outstanding(index))
        return decisions

    def rest(self, tenant: int, until_ns: int, *, paced: bool) -> None:
        self.plain.rest(tenant, until_ns, paced=paced)
        self.stepped.rest(tenant, until_ns, paced=paced)

    def shares(self, now_ns: int) -> None:
        for twin in (self.plain, self.stepped):
            twin.shares(now_ns)
        same(*([float(slot.share) for slot in twin.state.slots] for twin in (self.plain, self.stepped)))

    def apply(self, plan: tuple[Share, ...], tenants: tuple[Tenant, ...] | None = None, renewed: Collection[str] = ()) -> list[int]:
        return same(*(twin.apply(plan, tenants, renewed) for twin in (self.plain, self.stepped)))

    def validate(self, now_ns: int) -> None:
        self.plain.validate(now_ns)
        self.stepped.validate(now_ns)


def same(one: T, other: T) -> T:
    assert one == other
    return one


@given(st.data(), st.sampled_from(SHIPPED), st.sampled_from((None, Preemption.CLASS, Preemption.INSTANT)))
def test_the_compiled_dispatcher_decides_as_the_plain_one_does(data: st.DataObject, name: str, preemption: Preemption | None) -> None:
    """Through arrivals, failures, other plans, and whatever the books foresee; then all that waits is flushed."""
    crew, policy = data.draw(crews(crowded=preemption)), policies.get(name)
    loop: Any = crew.loop(policy, foreseen=False)
    stepped = Stepped(crew.tenants, crew.plans[0], crew.platform, policy, name=name, compiler=compiler())
    loop.dispatcher = Twins(loop.dispatcher, stepped, (loop.asked, loop.orders))
    changes = [(at, crew.plans[(i + 1) % 2]) for i, at in enumerate(crew.changes)]
    loop.run(60 * MS, crew.arrivals, crew.closed, changes)
    loop.dispatcher.flush()


@given(changing(), st.sampled_from(SHIPPED))
def test_both_go_over_to_another_crew_alike(crew: Changing, name: str) -> None:
    policy = policies.get(name)
    loop: Any = crew.loop(policy, foreseen=False)
    stepped = Stepped(crew.first.tenants, crew.first.plan, crew.platform, policy, name=name, compiler=compiler())
    loop.dispatcher = Twins(loop.dispatcher, stepped, (loop.asked, loop.orders))
    loop.serve(crew, 60 * MS)
    assert set(loop.ended) == set(range(len(loop.owners)))


@given(
    st.sampled_from(SHIPPED),
    st.sampled_from((Preemption.SEGMENT, Preemption.CLASS, Preemption.INSTANT)),
    st.lists(st.tuples(st.integers(0, 30).map(lambda ms: ms * MS), st.integers(0, 2)), max_size=20),
    st.dictionaries(st.integers(0, 2), st.tuples(st.integers(0, 20 * MS), st.integers(1, 9 * MS)), max_size=3),
)
def test_both_let_the_same_tenants_rest(
    name: str, preemption: Preemption, arrivals: list[tuple[int, int]], paced: dict[int, tuple[int, int]]
) -> None:
    tenants = (tenant("a", 0, deadline_ns=9 * MS), tenant("b", 1, deadline_ns=20 * MS, drop=True), tenant("c", 2))
    plan = shares(
        (option("a", ("p0", 1, 2 * MS)), 50.0), (option("b", ("p0", 1, 3 * MS), ("p0", 1, MS)), 50.0), (option("c", ("p0", 2, MS)), 5.0)
    )
    where = (tenants, plan, board((2,), preemption), policies.get(name))
    twins: Any = Twins(Dispatcher(*where, name=name), Stepped(*where, name=name, compiler=compiler()))
    Rested(dispatcher=twins, paced=paced, deadlines_ns=[t.deadline_ns for t in tenants]).serve(arrivals)


def test_there_is_room_for_any_number_of_requests() -> None:
    tenants, plan = (tenant("a", 0, deadline_ns=MS),), shares((option("a", ("p0", 1, MS)), 10.0))
    twins = Twins(
        Dispatcher(tenants, plan, board((1,)), policies.get("edf")),
        Stepped(tenants, plan, board((1,)), policies.get("edf"), compiler=compiler()),
    )
    for request in range(300):
        twins.arrive(request, 0, request, request + MS)
    slots = [d.slot for d in twins.decide(300)]
    while slots:
        twins.finish(slots.pop(), 400)
        slots += [d.slot for d in twins.decide(400)]
    assert twins.outstanding(0) == 0
