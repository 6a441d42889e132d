"""Small cases for the simulator: boards, chains and requests built by hand, and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache

from hypothesis import strategies as st

from cotenant.describe import (
    Artifact,
    Closed,
    Discipline,
    Memory,
    Option,
    Periodic,
    Platform,
    Precision,
    Preemption,
    Processor,
    Request,
    Share,
    Source,
    Step,
    Tenant,
)
from cotenant.policy import Policy, policies
from cotenant.sim import Case, Compiler

US = 1000
"""The unit of time of drawn cases, in ns: short, so that many events coincide."""

CAPACITY = 4.0
"""Bytes per ns of a memory whose bandwidth is known."""


@cache
def compiler() -> Compiler:
    """Return the one compiler that all tests share: the loop is compiled once."""
    return Compiler()


@cache
def every_policy() -> dict[str, Policy]:
    """Return each registered policy, by its name."""
    return {name: policies.get(name) for name in policies.names()}


def names() -> tuple[str, ...]:
    return policies.names()


def processor(
    name: str, lanes: int = 1, preemption: Preemption = Preemption.SEGMENT, memory: str = "m0", costs: tuple[int, int, int] = (0, 0, 0)
) -> Processor:
    """Return a processor; `costs` are those of a switch, a preemption and a decision."""
    switch_ns, preempt_ns, decision_ns = costs
    return Processor(
        name=name, kind="k", lanes=lanes, memory=memory, preemption=preemption,
        switch_ns=switch_ns, preempt_ns=preempt_ns, decision_ns=decision_ns,
    )  # fmt: skip


def memory(name: str = "m0", bytes_per_ns: float | None = None, interference: float = 0.0) -> Memory:
    return Memory(
        name=name,
        capacity_bytes=1,
        bandwidth_bytes_per_s=None if bytes_per_ns is None else bytes_per_ns * 1e9,
        interference=interference,
    )


def board(*processors: Processor, memories: Sequence[Memory] = ()) -> Platform:
    return Platform(name="board", processors=processors, memories=tuple(memories) or (memory(),))


def chain(*steps: tuple[str, int, int] | tuple[str, int, int, int]) -> tuple[Step, ...]:
    """Return the steps of an option, each (processor, width, ns) or (processor, width, ns, bytes)."""
    return tuple(
        Step(segment=index, processor=step[0], width=step[1], duration_ns=step[2], memory_bytes=step[3] if len(step) > 3 else 0)
        for index, step in enumerate(steps)
    )


def option(tenant: str, steps: tuple[Step, ...]) -> Option:
    artifact = Artifact(model=tenant, precision=Precision.FP32, engine="fake", memory="m0", resident_bytes=1)
    return Option(tenant=tenant, artifact=artifact, chain=steps, demand=(), latency_ns=sum(s.duration_ns for s in steps))


def share(tenant: str, *steps: tuple[str, int, int] | tuple[str, int, int, int], rate_per_s: float = 100.0) -> Share:
    return Share(option=option(tenant, chain(*steps)), rate_per_s=rate_per_s)


def tenant(
    name: str,
    rank: int = 0,
    *,
    closed: int | None = None,
    deadline_ns: int | None = None,
    drops: bool = False,
    newest: bool = False,
    queue: int | None = None,
) -> Tenant:
    """Return a tenant, open or closed, that drops what is late, serves the newest first, or neither."""
    return Tenant(
        name=name,
        source=Source(model="zoo:x"),
        arrival=Periodic(every_ns=100 * US) if closed is None else Closed(outstanding=closed),
        rank=rank,
        deadline_ns=deadline_ns,
        discipline=Discipline.DROP_LATE if drops else Discipline.NEWEST_FIRST if newest else Discipline.IN_ORDER,
        queue=queue,
    )


def request(of: str, at_ns: int, due_ns: int | None = None, *, scale: float = 1.0, exit_stage: int | None = None) -> Request:
    return Request(id=0, tenant=of, arrival_ns=at_ns, due_ns=due_ns, work_scale=scale, exit_stage=exit_stage)


def case(
    platform: Platform, tenants: Sequence[Tenant], shares: Sequence[Share], requests: Sequence[Request] = (), horizon_ns: int = 100 * US
) -> Case:
    ordered = sorted(requests, key=lambda r: r.arrival_ns)
    return Case(tenants=tuple(tenants), shares=tuple(shares), platform=platform, requests=tuple(ordered), horizon_ns=horizon_ns)


WAYS = (*Preemption, Preemption.CLASS, Preemption.INSTANT)
"""Every way to preempt; those that interrupt more often."""

_COSTS = st.just((0, 0, 0)) | st.tuples(st.sampled_from([0, 300]), st.sampled_from([0, 170]), st.sampled_from([0, 40]))
_SCALES = st.sampled_from([1.0, 1.0, 1.0, 0.5, 1.7, 0.001, 1.0 / 3.0])
_INSTANTS = st.integers(0, 30).map(lambda us: us * US)
_DURATIONS = st.integers(1, 8).map(lambda us: us * US) | st.integers(1, 5000)


@st.composite
def boards(draw: st.DrawFn, *, plain: bool = False, one: bool = False, ways: Sequence[Preemption] = WAYS) -> Platform:
    """Draw one to three processors on up to two memories; `plain`, work depends on nothing beside it and changes cost nothing."""
    banks = [memory("m0")]
    if not plain:
        bandwidth = st.sampled_from([None, CAPACITY, CAPACITY / 3])
        banks = [memory(f"m{i}", draw(bandwidth), draw(st.sampled_from([0.0, 0.0, 0.3]))) for i in range(draw(st.integers(1, 2)))]
    processors = [
        processor(
            f"p{i}",
            draw(st.integers(1, 3)),
            draw(st.sampled_from(ways)),
            draw(st.sampled_from([bank.name for bank in banks])),
            (0, 0, 0) if plain else draw(_COSTS),
        )
        for i in range(1 if one else draw(st.integers(1, 3)))
    ]
    return board(*processors, memories=banks)


@st.composite
def shares_of(draw: st.DrawFn, name: str, platform: Platform, *, stages: int = 3, moves: bool = True) -> list[Share]:
    """Draw the options of one tenant, all as long, so that each segment may be served by any of them."""
    length = draw(st.integers(1, stages))
    where = st.sampled_from(platform.processors).flatmap(lambda p: st.tuples(st.just(p.name), st.integers(1, p.lanes)))

    def step() -> tuple[str, int, int, int]:
        (at, width), duration_ns = draw(where), draw(_DURATIONS)
        per_ns = draw(st.sampled_from([0.0, 1.0, CAPACITY, 2 * CAPACITY])) if moves else 0.0
        return at, width, duration_ns, int(duration_ns * per_ns)

    rates = st.sampled_from([0.0, 50.0, 500.0, 5e4])
    found = [share(name, *(step() for _ in range(length)), rate_per_s=draw(rates)) for _ in range(draw(st.integers(1, 3)))]
    return [s for index, s in enumerate(found) if s.option not in [other.option for other in found[:index]]]


@st.composite
def cases(
    draw: st.DrawFn,
    *,
    plain: bool = False,
    one: bool = False,
    ways: Sequence[Preemption] = WAYS,
    stages: int = 3,
    exits: bool = True,
    closed: bool = True,
    most: int = 25,
) -> Case:
    """Draw a case of up to four tenants; `plain` and `one` as for boards."""
    platform = draw(boards(plain=plain, one=one, ways=ways))
    tenants: list[Tenant] = []
    shares: list[Share] = []
    for index in range(draw(st.integers(1, 4))):
        name = f"t{index}"
        own = draw(shares_of(name, platform, stages=stages, moves=not plain))
        outstanding = draw(st.none() | st.integers(1, 3)) if closed else None
        least_ns = max(s.option.latency_ns for s in own) if outstanding else 1
        deadline_ns = draw(st.none() | st.integers(1, 20).map(lambda us, least_ns=least_ns: least_ns + us * US))  # type: ignore[misc]
        served = tenant(
            name,
            draw(st.integers(0, 2)),
            closed=outstanding,
            deadline_ns=deadline_ns,
            drops=draw(st.booleans()),
            newest=draw(st.booleans()),
            queue=draw(st.none() | st.integers(1, 4)),
        )
        tenants.append(served)
        shares += own
    opens = [t for t in tenants if not isinstance(t.arrival, Closed)]
    least = draw(st.sampled_from([0, most // 2, most]))
    asked = (
        draw(st.lists(st.tuples(st.sampled_from(opens), _INSTANTS, _SCALES, st.none() | st.integers(0, 2)), min_size=least, max_size=most))
        if opens
        else []
    )
    lengths = {s.option.tenant: len(s.option.chain) for s in shares}
    requests = [
        request(
            t.name,
            at_ns,
            None if t.deadline_ns is None else at_ns + t.deadline_ns,
            scale=scale,
            exit_stage=last if exits and last is not None and last < lengths[t.name] else None,
        )
        for t, at_ns, scale, last in asked
    ]
    return case(platform, tenants, shares, requests, draw(st.integers(1, 40)) * US)


def late_last(policy: Policy) -> Policy:
    """Return a policy that serves after all others what can no longer be in time."""
    return replace(policy, late_last=True)


def progressive(wants: Sequence[float], capacity: float) -> list[Fraction]:
    """Raise all that are not yet content together, exactly, until one is or nothing is left (Bertsekas and Gallager, 6.5.2)."""
    have, asked, left = [Fraction(0)] * len(wants), [Fraction(w) for w in wants], Fraction(capacity)
    while (rising := [i for i, want in enumerate(asked) if have[i] < want]) and left > 0:
        step = min(*(asked[i] - have[i] for i in rising), left / len(rising))
        for i in rising:
            have[i] += step
        left -= step * len(rising)
    return have
