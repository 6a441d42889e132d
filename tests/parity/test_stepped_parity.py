"""The compiled dispatcher decides as the plain one does, event by event."""

from __future__ import annotations

from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Preemption, Share
from cotenant.dispatch import Decision, Dispatcher
from cotenant.policy import policies
from cotenant.sim import Stepped, is_shipped, is_there
from tests.property.dispatch_crews import MS, board, crews, option, shares, tenant
from tests.sim_cases import compiler

pytestmark = pytest.mark.skipif(not is_there(), reason="numba is not installed: pip install cotenant[sim]")

T = TypeVar("T")
SHIPPED = [name for name in policies.names() if is_shipped(policies.get(name))]


class Twins:
    """Tell two dispatchers the same, and hold their answers against each other."""

    def __init__(self, plain: Dispatcher, stepped: Stepped) -> None:
        self.plain, self.stepped = plain, stepped

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
        same(*(twin.wake_ns(now_ns) for twin in (self.plain, self.stepped)))
        for index in range(len(self.plain.lineup.tenants)):
            same(self.plain.outstanding(index), self.stepped.outstanding(index))
        return decisions

    def apply(self, plan: tuple[Share, ...]) -> None:
        self.plain.apply(plan)
        self.stepped.apply(plan)

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
    loop.dispatcher = Twins(loop.dispatcher, stepped)
    changes = [(at, crew.plans[(i + 1) % 2]) for i, at in enumerate(crew.changes)]
    loop.run(60 * MS, crew.arrivals, crew.closed, changes)
    loop.dispatcher.flush()


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
