"""Names to numbers: a plan's tenants, options and lanes laid out as state."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.describe import Discipline, Option, Periodic, Platform, Poisson, Preemption, Replay, Share, Step, Tenant
from cotenant.dispatch.state import FREE, NONE, State
from cotenant.errors import InputError
from cotenant.units import NS_PER_S

OPEN_DEPTH = 32.0
"""Tokens that an open tenant may save up: a burst that long is still promised work."""

OPEN_REFILL = 1.1
"""Open tenants earn a little faster than they are promised, or their random bursts would drain the bucket for good."""

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


def is_open(tenant: Tenant) -> bool:
    """Say whether the tenant's requests come by themselves."""
    return isinstance(tenant.arrival, Periodic | Poisson | Replay)


def earns_per_ns(tenant: Tenant, rate_per_s: float) -> float:
    """Return how fast a tenant's bucket fills."""
    return rate_per_s * (OPEN_REFILL if is_open(tenant) else 1.0) / NS_PER_S


def depth(tenant: Tenant, rate_per_s: float) -> float:
    """Return how many tokens a tenant's bucket holds: none where nothing is promised."""
    if rate_per_s <= 0.0:
        return 0.0
    return max(OPEN_DEPTH, rate_per_s) if is_open(tenant) else 2.0 + CLOSED_DEPTH_S * rate_per_s


def lay_out(lineup: Lineup, slots: int, params: tuple[float, ...] = ()) -> State:
    """Lay an idle state out for `slots` outstanding requests; open tenants start with a full bucket."""
    tenants, steps, lanes = lineup.tenants, lineup.steps, lineup.lanes
    shares = lineup.ordered
    owner = [next(i for i, t in enumerate(tenants) if t.name == s.option.tenant) for s in shares]
    rates = [sum(s.rate_per_s for s in shares if s.option.tenant == t.name) for t in tenants]
    names = [p.name for p in lineup.platform.processors]
    depths = [depth(t, r) for t, r in zip(tenants, rates, strict=True)]
    stages = len(steps)
    return State(
        t_rank=[t.rank for t in tenants],
        t_weight=[t.weight for t in tenants],
        t_critical=[int(t.rank == 0) for t in tenants],
        t_drop_late=[int(t.discipline is Discipline.DROP_LATE) for t in tenants],
        t_rate=[earns_per_ns(t, r) for t, r in zip(tenants, rates, strict=True)],
        t_depth=depths,
        t_tokens=[d if is_open(t) else min(1.0, d) for t, d in zip(tenants, depths, strict=True)],
        t_served=[0.0] * len(tenants),
        t_outstanding=[0] * len(tenants),
        t_option=[owner.index(i) for i in range(len(tenants))],
        t_options=[owner.count(i) for i in range(len(tenants))],
        k_tenant=owner,
        k_rate=[s.rate_per_s / NS_PER_S for s in shares],
        k_served=[0.0] * len(shares),
        k_stage=[next(q for q, (k, _) in enumerate(steps) if k == index) for index in range(len(shares))],
        k_stages=[len(s.option.chain) for s in shares],
        q_option=[k for k, _ in steps],
        q_processor=[names.index(step.processor) for _, step in steps],
        q_width=[step.width for _, step in steps],
        q_segment_ns=[step.duration_ns for _, step in steps],
        q_remaining_ns=[step.duration_ns for option in lineup.options for step in _remaining(option)],
        q_live=[NONE] * stages,
        q_live_last=[NONE] * stages,
        q_late=[NONE] * stages,
        q_late_last=[NONE] * stages,
        q_blocked=[0] * stages,
        p_lane=[next(i for i, (p, _) in enumerate(lanes) if p == index) for index in range(len(names))],
        p_lanes=[p.lanes for p in lineup.platform.processors],
        p_preempts=[int(p.preemption is Preemption.INSTANT) for p in lineup.platform.processors],
        p_blocked=[0] * len(names),
        p_free=[p.lanes for p in lineup.platform.processors],
        l_processor=[p for p, _ in lanes],
        l_running=[NONE] * len(lanes),
        l_suspended=[NONE] * len(lanes),
        l_warm=[NONE] * len(lanes),
        r_request=[NONE] * slots,
        r_tenant=[NONE] * slots,
        r_stage=[NONE] * slots,
        r_arrival_ns=[0] * slots,
        r_due_ns=[0] * slots,
        r_where=[FREE] * slots,
        r_next=[*range(1, slots), NONE],
        free_slot=[0],
        refilled_ns=[0],
        decision=[0],
        params=list(params),
    )


def _remaining(option: Option) -> tuple[Step, ...]:
    """Return the steps of a chain, each as long as all that is left from it on."""
    left_ns = [sum(step.duration_ns for step in option.chain[i:]) for i in range(len(option.chain))]
    return tuple(
        Step(segment=s.segment, processor=s.processor, width=s.width, duration_ns=ns) for s, ns in zip(option.chain, left_ns, strict=True)
    )


def grow(s: State) -> State:
    """Double the slots; what is outstanding keeps its slot. Call it when no slot is free."""
    slots = len(s.r_request)
    more = {name: [*getattr(s, name), *[FREE if name == "r_where" else NONE] * slots] for name in s._fields if name.startswith("r_")}
    more["r_next"][slots:] = [*range(slots + 1, 2 * slots), NONE]
    return s._replace(**more, free_slot=[slots])
