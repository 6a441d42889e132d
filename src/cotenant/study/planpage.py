"""A plan as one page that opens without a network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from cotenant.describe import (
    Arrival,
    Bursty,
    Closed,
    External,
    Level,
    Option,
    Periodic,
    Place,
    Plan,
    Platform,
    Poisson,
    Processor,
    Provenance,
    Replay,
    Share,
    Step,
    Tenant,
)
from cotenant.plan import cost
from cotenant.plan.front import Point, point
from cotenant.plan.missed import incomparable, unbounded
from cotenant.plan.newcomer import Joined, Newcomer, Refused
from cotenant.plan.serving import serving, starved, told_per_s
from cotenant.trace.frame import framed, plain
from cotenant.units import NS_PER_MS, NS_PER_S, duration_text

Tree = dict[str, Any]

CHECK = "cotenant plan --check FILE"
"""Proves a saved plan again."""


def write_plan_page(
    *,
    title: str,
    tenants: Sequence[Tenant],
    plan: Plan,
    platform: Platform,
    options: Sequence[Option],
    source: str,
    made_on: date,
    front: Sequence[Point] = (),
    newcomers: Sequence[Newcomer] = (),
    notes: Sequence[str] = (),
    provenance: Mapping[Place, Provenance] | None = None,
    check: str = CHECK,
) -> str:
    """Return one HTML file, about 1.2 MB.

    `options` are those offered, `source` and `provenance` say how the platform's figures are known, `check` how the plan is proved
    again. ValueError for a number that is none.
    """
    told = {
        "title": title, "source": source, "made_on": made_on.isoformat(), "check": check, "notes": list(notes),
        "provenance": _provenance(provenance or {}), "tenants": [_tenant(tenant, plan, options) for tenant in tenants],
        "processors": [_processor(processor, plan, tenants) for processor in platform.processors],
        "front": [_point(one, tenants) for one in front], "own": _point(point(plan, tenants), tenants),
        "most_stp": most_stp(front, point(plan, tenants)), "first": list(point(plan, tenants).first),
        "newcomers": [_newcomer(one, tenants) for one in newcomers],
        **_plan(plan, platform),
    }  # fmt: skip
    return framed("cotenant.study", "planpage", title="a plan", told=told)


def most_stp(front: Sequence[Point], own: Point) -> float | None:
    """Return what the front has at a plan's own P of the first rank, straight between points; None where it does not reach so far."""
    if not front or own.critical_p > front[-1].critical_p:
        return front[-1].stp if front and math.isclose(own.critical_p, front[-1].critical_p, rel_tol=1e-4) else None
    for one, other in pairwise(front):
        if one.critical_p <= own.critical_p <= other.critical_p:
            part = (own.critical_p - one.critical_p) / (other.critical_p - one.critical_p)
            return one.stp + part * (other.stp - one.stp)
    return front[0].stp


def _plan(plan: Plan, platform: Platform) -> Tree:
    since = incomparable(plan)
    return {
        "platform": platform.name, "objective": plan.objective.value, "value": plan.value, "bound": None if since else plan.bound,
        "gap": None if since else max(0.0, plan.gap), "no_bound_since": since, "stp": plan.stp, "seconds": plan.seconds,
        "prices": [
            {"resource": p.resource, "unit": p.unit, "used": p.used, "capacity": p.capacity, "price": p.price} for p in plan.prices
        ],
        "levels": [_level(level, bounded=not unbounded(plan.levels[:at])) for at, level in enumerate(plan.levels)],
    }  # fmt: skip


def _level(level: Level, *, bounded: bool) -> Tree:
    """Return a level; one that follows on less than is due has no bound to compare it with."""
    bound = plain(level.bound) if bounded else None
    return {"name": level.name, "tenants": list(level.tenants), "value": plain(level.value), "bound": bound}


def _tenant(tenant: Tenant, plan: Plan, options: Sequence[Option]) -> Tree:
    promise = plan.promise(tenant.name)
    return {
        "name": tenant.name, "model": tenant.source.model, "rank": tenant.rank, "weight": tenant.weight,
        "arrival": arrival_words(tenant.arrival), "floor": tenant.floor,
        "starved": starved(promise), "p": 0.0 if starved(promise) else promise.p,
        "deadline_ms": None if tenant.deadline_ns is None else tenant.deadline_ns / NS_PER_MS,
        "rate_per_s": told_per_s(promise), "solo_rate_per_s": promise.solo_rate_per_s, "cost": cost(plan, tenant.name),
        "offered": sum(option.tenant == tenant.name for option in options),
        "options": [_option(share) for share in serving(plan, tenant.name)],
    }  # fmt: skip


def arrival_words(arrival: Arrival) -> str:
    """Say when requests come, as a crew file would."""
    match arrival:
        case Closed():
            return "flat-out" if arrival.outstanding is None else f"closed: {arrival.outstanding}"
        case External():
            return "external" if arrival.rate_per_s is None else f"external: {arrival.rate_per_s:.4g}/s"
        case Periodic():
            return f"every {duration_text(arrival.every_ns)}"
        case Poisson():
            return f"poisson: {arrival.rate_per_s:.4g}/s"
        case Bursty():
            return f"bursty: {arrival.rate_per_s:.4g}/s"
        case Replay():
            return f"recorded: {arrival.rate_per_s:.4g}/s"


def _option(share: Share) -> Tree:
    option = share.option
    return {
        "rate_per_s": share.rate_per_s, "latency_ms": option.latency_ns / NS_PER_MS,
        "fidelity": option.fidelity, "precision": option.artifact.precision.value,
        "steps": [_step(step) for step in option.chain],
    }  # fmt: skip


def _step(step: Step) -> Tree:
    last = step.segment + step.segments - 1
    return {
        "processor": step.processor, "first": step.segment, "last": last, "width": step.width, "ms": step.duration_ns / NS_PER_MS,
    }  # fmt: skip


def _processor(processor: Processor, plan: Plan, tenants: Sequence[Tenant]) -> Tree:
    price = next((p for p in plan.prices if p.resource == processor.name), None)
    ranked = sorted(range(len(tenants)), key=lambda at: tenants[at].rank)
    blocks = [block for at in ranked for block in _blocks(at, serving(plan, tenants[at].name), processor.name)]
    return {
        "name": processor.name, "kind": processor.kind, "lanes": processor.lanes, "price": price.price if price else 0.0,
        "used": sum(block["load"] for block in blocks), "blocks": blocks,
    }  # fmt: skip


def _blocks(tenant: int, shares: Sequence[Share], processor: str) -> Iterator[Tree]:
    """Yield what each step there takes: the option's and the step's index, and `load` in lane-seconds per second."""
    for index, share in enumerate(shares):
        for at, step in enumerate(share.option.chain):
            if step.processor == processor:
                load = share.rate_per_s / share.option.batch * step.width * step.duration_ns / NS_PER_S
                yield {"tenant": tenant, "option": index, "step": at, "load": load}


def _point(one: Point, tenants: Sequence[Tenant]) -> Tree:
    own = {promise.tenant: promise for promise in one.promises}
    return {
        "critical_p": one.critical_p, "stp": one.stp, "inferences_per_s": one.inferences_per_s,
        "ps": [own[t.name].p for t in tenants], "rates_per_s": [own[t.name].rate_per_s for t in tenants],
    }  # fmt: skip


def _newcomer(one: Newcomer, tenants: Sequence[Tenant]) -> Tree:
    twin = next(at for at, tenant in enumerate(tenants) if tenant.name == one.like[0])
    like: Tree = {"like": list(one.like), "twin": twin}
    match one:
        case Refused():
            return like | {"refused": one.reason}
        case Joined():
            rates = {c.tenant: [c.before.rate_per_s, c.after.rate_per_s] for c in one.others}
            own = {"rate_per_s": one.promise.rate_per_s, "p": one.promise.p, "value": plain(one.value), "stp": one.stp}
            return like | own | {"refused": None, "rates_per_s": [rates[tenant.name] for tenant in tenants]}


def _provenance(known: Mapping[Place, Provenance]) -> list[Tree]:
    return [{"processor": name, "width": width, "known": how.value} for (name, width), how in sorted(known.items())]
