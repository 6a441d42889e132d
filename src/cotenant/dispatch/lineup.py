"""Names to numbers: a plan's tenants, options and lanes laid out as state."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cotenant.cost.contention import roofline
from cotenant.describe import Closed, Discipline, External, Option, Platform, Preemption, Share, Step, Tenant
from cotenant.describe.reserved import counterpart, may_use
from cotenant.dispatch.state import (
    AT_BOUNDARIES,
    AT_ONCE,
    BY_CLASS,
    NONE,
    UNBOUNDED,
    DeskRow,
    LaneRow,
    MemoryRow,
    OptionRow,
    ProcessorRow,
    SlotRow,
    StageRow,
    State,
    TenantRow,
)  # fmt: skip
from cotenant.errors import InputError
from cotenant.policy import Policy, as_planned, nothing
from cotenant.units import NS_PER_S

OPEN_DEPTH = 32.0
"""Tokens that an open tenant may save up: a burst that long is still promised work."""

OPEN_REFILL = 1.1
"""Open tenants earn a little faster than they are promised, or their random bursts would drain the bucket for good."""

_INTERRUPTS = {Preemption.CLASS: BY_CLASS, Preemption.INSTANT: AT_ONCE}

CLOSED_DEPTH_S = 0.5
"""Seconds of its promise that a closed tenant may save up, beside two requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineup:
    """Fix the order in which tenants, options, processors and lanes are numbered."""

    tenants: tuple[Tenant, ...]
    shares: tuple[Share, ...]
    platform: Platform

    def __post_init__(self) -> None:
        for tenant in self.tenants:
            if not any(s.option.tenant == tenant.name for s in self.shares):
                raise InputError("plan", f"no option for {tenant.name}", "one share or more for each tenant, of rate 0 if need be")
        _refuse_trespass(self)

    @property
    def ordered(self) -> tuple[Share, ...]:
        """List the shares, tenant by tenant."""
        return tuple(s for t in self.tenants for s in self.shares if s.option.tenant == t.name)

    @property
    def options(self) -> tuple[Option, ...]:
        return tuple(s.option for s in self.ordered)

    @property
    def steps(self) -> tuple[tuple[int, Step], ...]:
        """List every stage with the index of its option."""
        return tuple((k, step) for k, option in enumerate(self.options) for step in option.chain)

    @property
    def lanes(self) -> tuple[tuple[int, int], ...]:
        """List every lane as (index of the processor, index within the processor)."""
        return tuple((p, lane) for p, processor in enumerate(self.platform.processors) for lane in range(processor.lanes))


def _refuse_trespass(lineup: Lineup) -> None:
    """Refuse an option on lanes that are reserved for another tenant, and a tenant for which none are though it asks for some."""
    kept = {p.name: p for p in lineup.platform.processors if p.reserved}
    for tenant in lineup.tenants:
        if tenant.cores is not None and tenant.name not in {p.reserved for p in kept.values()}:
            raise InputError(f"tenants[{tenant.name}].cores", tenant.cores, "left out: cores are reserved before a platform is served")
    for share in lineup.shares if kept else ():
        for step in share.option.chain:
            if step.processor in kept and not may_use(kept[step.processor], share.option.tenant):
                raise InputError("plan", f"{share.option.tenant} on {step.processor}", f"options of {kept[step.processor].reserved} alone")


def is_open(tenant: Tenant) -> bool:
    """Say whether the tenant's requests come by themselves."""
    return not isinstance(tenant.arrival, Closed | External)


def earns_per_ns(tenant: Tenant, rate_per_s: float) -> float:
    """Return how fast a tenant's bucket fills."""
    return rate_per_s * (OPEN_REFILL if is_open(tenant) else 1.0) / NS_PER_S


def depth(tenant: Tenant, rate_per_s: float) -> float:
    """Return how many tokens a tenant's bucket holds: none where nothing is promised."""
    if rate_per_s <= 0.0:
        return 0.0
    return max(OPEN_DEPTH, rate_per_s) if is_open(tenant) else 2.0 + CLOSED_DEPTH_S * rate_per_s


def lay_out(lineup: Lineup, slots: int, policy: Policy, params: tuple[float, ...] = (), *, promises: bool = True) -> State:
    """Lay an idle state out for `slots` outstanding requests; open tenants start with a full bucket.

    Without `promises` the rates only route requests to options.
    """
    owner = {tenant.name: index for index, tenant in enumerate(lineup.tenants)}
    options = _option_rows(lineup, owner)
    others, places = _others(lineup, options)
    stages = [row for k, option in enumerate(lineup.options) for row in _stage_rows(lineup, k, option)]
    for served in options:
        stages[served.stage].newest = int(lineup.tenants[served.tenant].serves_newest_first)
    for position, row in enumerate(stages):
        row.others, row.other_count = places[position]
    _pair(lineup, options, stages)
    lanes = [LaneRow(processor=p) for p, _ in lineup.lanes]
    return State(
        tenants=[_tenant_row(lineup, index, options, promises=promises) for index in range(len(lineup.tenants))],
        options=options,
        stages=stages,
        processors=_processor_rows(lineup, stages),
        memories=[MemoryRow(bytes_per_ns=_per_ns(m.bandwidth_bytes_per_s), interference=m.interference) for m in lineup.platform.memories],
        lanes=lanes,
        slots=[*(SlotRow(next=index + 1) for index in range(slots - 1)), SlotRow()],
        desk=[desk_row(policy, lineup, promises=promises)],
        active=[NONE] * len(stages),
        ready=[NONE] * (2 * len(stages)),
        running=[NONE] * len(lanes),
        others=others,
        params=list(params),
        notes=[0.0] * policy.notes,
    )


def _tenant_row(lineup: Lineup, index: int, options: list[OptionRow], *, promises: bool) -> TenantRow:
    tenant = lineup.tenants[index]
    own = [k for k, option in enumerate(options) if option.tenant == index]
    rate_per_s = sum(share.rate_per_s for share in lineup.ordered if share.option.tenant == tenant.name) if promises else 0.0
    deep = depth(tenant, rate_per_s)
    return TenantRow(
        rank=tenant.rank,
        weight=tenant.weight,
        critical=int(tenant.rank == 0),
        drop_late=int(tenant.discipline is Discipline.DROP_LATE),
        rate=earns_per_ns(tenant, rate_per_s),
        depth=deep,
        tokens=deep if is_open(tenant) else min(1.0, deep),
        option=own[0],
        options=len(own),
        bound=UNBOUNDED if tenant.most_waiting is None else tenant.most_waiting,
    )


def _option_rows(lineup: Lineup, owner: dict[str, int]) -> list[OptionRow]:
    rows, stage = [], 0
    for share in lineup.ordered:
        chain = share.option.chain
        rows.append(OptionRow(tenant=owner[share.option.tenant], rate=share.rate_per_s / NS_PER_S, stage=stage, stages=len(chain)))
        stage += len(chain)
    return rows


def _stage_rows(lineup: Lineup, k: int, option: Option) -> list[StageRow]:
    names = [p.name for p in lineup.platform.processors]
    rows: list[StageRow] = []
    left_ns, left_bytes = 0, 0.0
    for step in reversed(option.chain):
        left_ns, left_bytes = left_ns + step.duration_ns, left_bytes + step.memory_bytes
        bytes_per_ns, compute_ns, unhidden = _demand(step, lineup.platform)
        rows.append(
            StageRow(
                option=k,
                processor=names.index(step.processor),
                width=step.width,
                segment_ns=step.duration_ns,
                remaining_ns=left_ns,
                bytes_per_ns=bytes_per_ns,
                compute_ns=compute_ns,
                unhidden=unhidden,
                bytes_left=left_bytes,
            )
        )
    return rows[::-1]


def _demand(step: Step, platform: Platform) -> tuple[float, float, float]:
    """Return what a step asks of its memory, as the roofline has it."""
    processor = platform.processor(step.processor)
    peak = next(m.bandwidth_bytes_per_s for m in platform.memories if m.name == processor.memory)
    return roofline(step.duration_ns, step.memory_bytes, peak, processor.unhidden)


def _processor_rows(lineup: Lineup, stages: list[StageRow]) -> list[ProcessorRow]:
    rows, lane, queue = [], 0, 0
    memories = [m.name for m in lineup.platform.memories]
    names = [p.name for p in lineup.platform.processors]
    for index, p in enumerate(lineup.platform.processors):
        how = _INTERRUPTS.get(p.preemption, AT_BOUNDARIES)
        costs = {"switch_ns": p.switch_ns, "preempt_ns": p.preempt_ns, "decision_ns": p.decision_ns}
        places = {"lane": lane, "lanes": p.lanes, "queue": queue, "memory": memories.index(p.memory)}
        common = names.index(p.part_of) if p.part_of in names else NONE
        rows.append(ProcessorRow(free=p.lanes, preempts=how, common=common, **places, **costs))
        lane += p.lanes
        queue += sum(1 for stage in stages if stage.processor == index)
    return rows


def desk_row(policy: Policy, lineup: Lineup, *, promises: bool) -> DeskRow:
    """Return the single numbers at the start, with a policy's ways."""
    return DeskRow(
        promises=int(promises),
        drops=int(any(t.discipline is Discipline.DROP_LATE for t in lineup.tenants)),
        preempts=int(policy.preempts and not policy.holds and any(p.preemption in _INTERRUPTS for p in lineup.platform.processors)),
        holds=int(policy.holds),
        late_last=int(policy.late_last),
        places=int(policy.place is not as_planned),
        sees_all=int(policy.sees_all),
        prepares=int(policy.prepare is not nothing),
        period_ns=policy.period_ns,
        runs_on=int(_runs_on(policy)),
        reserves=int(any(p.part_of in {q.name for q in lineup.platform.processors} for p in lineup.platform.processors)),
    )


def _runs_on(policy: Policy) -> bool:
    """Say whether a driver need not ask at each boundary; never where the policy looks at every decision, or chooses among steps."""
    asks_more = policy.prepare is not nothing or policy.width is not as_planned or policy.place is not as_planned
    return policy.runs_on and not asks_more and not policy.sees_all and policy.period_ns == 0


def _pair(lineup: Lineup, options: list[OptionRow], stages: list[StageRow]) -> None:
    """Join the steps that do the same on reserved and on common lanes."""
    if not any(p.reserved for p in lineup.platform.processors):
        return
    places = {option: k for k, option in enumerate(lineup.options)}
    for option, k in places.items():
        twin = counterpart(option, lineup.platform)
        if twin is not None and twin in places:
            for index in range(options[k].stages):
                one, other = stages[options[k].stage + index], options[places[twin]].stage + index
                one.twin = NONE if one.processor == stages[other].processor else other


def _per_ns(bytes_per_s: float | None) -> float:
    return math.inf if bytes_per_s is None else bytes_per_s / NS_PER_S


def _others(lineup: Lineup, options: list[OptionRow]) -> tuple[list[int], list[tuple[int, int]]]:
    """List, for each segment of each tenant's model, the stages that serve it, by processor and width; return where each finds its own."""
    processors = [p.name for p in lineup.platform.processors]
    alike: dict[tuple[int, str, int, int], list[tuple[int, int, int]]] = {}
    keys = []
    for k, option in enumerate(lineup.options):
        for index, step in enumerate(option.chain):
            key = (options[k].tenant, option.artifact.model, len(option.chain), step.segment)
            keys.append(key)
            alike.setdefault(key, []).append((processors.index(step.processor), step.width, options[k].stage + index))
    others: list[int] = []
    where: dict[tuple[int, str, int, int], tuple[int, int]] = {}
    for key, found in alike.items():
        where[key] = (len(others), len(found))
        others.extend(position for _, _, position in sorted(found))
    return others, [where[key] for key in keys]


def grow(s: State) -> State:
    """Double the slots; what is outstanding keeps its slot. Call it when no slot is free."""
    count = len(s.slots)
    s.slots.extend([*(SlotRow(next=index + 1) for index in range(count, 2 * count - 1)), SlotRow()])
    s.desk[0].free_slot = count
    return s
