"""However a crew changes while it is served, every request ends once, and only what is served stays loaded."""

from __future__ import annotations

import math
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from cotenant.describe import QUEUE_FULL, TENANT_REMOVED, Answer, Outcome
from cotenant.live import LiveDevice
from tests.live_cases import tenant
from tests.unit.test_live_change import WAIT_S, X, change, gated, version

NAMES = ("a", "b")


@dataclass(frozen=True)
class Ask:
    """Ask a tenant, if it is there."""

    tenant: str


@dataclass(frozen=True)
class Pass:
    """Let a run through, now or when it comes."""


@dataclass(frozen=True)
class Crew:
    """Serve these from now on: each with its rank, the number of its model, and how long its queue may be."""

    members: tuple[tuple[str, int, int, int | None], ...]


members = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 2), st.integers(1, 2), st.sampled_from((None, 1, 3))),
    min_size=1,
    max_size=len(NAMES),
    unique_by=lambda member: member[0],
)
crews = members.map(lambda some: Crew(members=tuple(some)))
steps = st.lists(st.one_of(st.sampled_from(NAMES).map(Ask), st.just(Pass()), crews), min_size=6, max_size=25)


@dataclass
class Played:
    """Hold what was asked of a device, at which step, and at which step each tenant left it last."""

    device: LiveDevice
    now: Crew
    futures: list[tuple[str, int, Future[Answer]]] = field(default_factory=list)
    ended: Counter[int] = field(default_factory=Counter)
    left: dict[str, int] = field(default_factory=dict)

    def ask(self, name: str, at: int) -> None:
        if name in [member[0] for member in self.now.members]:
            future, number = self.device.submit(name, X), len(self.futures)
            future.add_done_callback(lambda _: self.ended.update([number]))
            self.futures.append((name, at, future))

    def serve(self, crew: Crew, at: int) -> None:
        known = [version(name, number) for name, _, number, _ in crew.members]
        tenants = [tenant(name, rank, queue=queue) for name, rank, _, queue in crew.members]
        change(self.device, *tenants, cards=[card for card, _ in known], options=[option for _, option in known])
        self.now = crew
        self.left |= {name: at for name in NAMES if name not in [member[0] for member in crew.members]}

    def check(self, name: str, at: int, answer: Answer) -> None:
        if answer.reason == TENANT_REMOVED:
            assert self.left.get(name, -1) > at, "only who went later was there to be dropped"
        else:
            assert answer.outcome is Outcome.DONE or answer.reason == QUEUE_FULL


@settings(max_examples=40)
@given(first=crews, steps=steps, lanes=st.integers(1, 2))
def test_every_request_ends_once_and_nothing_that_is_not_served_stays(first: Crew, steps: list[Ask | Pass | Crew], lanes: int) -> None:
    with gated(tenant("before"), lanes=lanes) as (device, gate, engine):
        played = Played(device=device, now=first)
        for at, step in enumerate([first, *steps]):
            match step:
                case Ask(name):
                    played.ask(name, at)
                case Pass():
                    gate.release()
                case Crew():
                    played.serve(step, at)
        gate.release(math.inf)
        answers = [(name, at, future.result(WAIT_S)) for name, at, future in played.futures]
        assert device.settle(WAIT_S)
        counts, trace = device.stats(), device.trace(1)
        assert sorted(engine.open) == sorted(f"{name}-{number}" for name, _, number, _ in played.now.members)
    assert played.ended == dict.fromkeys(range(len(answers)), 1)
    assert {name: count.asked for name, count in counts.items() if count.asked} == Counter(name for name, _, _ in answers)
    assert all(count.lost == 0 and count.outstanding == 0 for count in counts.values())
    assert len({ending.request for ending in trace.endings}) == len(trace.endings) == len(answers)
    for name, at, answer in answers:
        played.check(name, at, answer)
