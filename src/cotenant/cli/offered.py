"""What was measured and planned, as tables and trees; heavy to import."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cotenant.cli.screen import show_table
from cotenant.cli.served import faith
from cotenant.cost import Timing
from cotenant.describe import Card, Option, Share, Tenant, Variant
from cotenant.plan import cost, explain
from cotenant.plan.explain import objectives
from cotenant.plan.missed import incomparable, missed
from cotenant.plan.serving import serving, starved, told_per_s
from cotenant.plan.starving import starving
from cotenant.study.boardplan import Boarded
from cotenant.study.prepare import Profiled
from cotenant.study.prepared import Prepared
from cotenant.units import NS_PER_MS

Tree = dict[str, Any]


def profile_tree(found: Profiled) -> Tree:
    """Return what `profile --json` prints."""
    return {
        "platform": found.platform.name,
        "tenants": {card.tenant: _card_tree(card, found) for card in found.profile.cards},
        "notes": list(found.profile.notes),
    }


def _card_tree(card: Card, found: Profiled) -> Tree:
    variants = [
        {
            "engine": variant.engine, "precision": variant.precision.value, "fidelity": variant.fidelity, "accuracy": variant.accuracy,
            "judged": variant.judged.value, "timings": [_timing_tree(timing) for timing in _timings(variant, found)],
        }
        for variant in card.variants
    ]  # fmt: skip
    return {"model": card.model.digest, "variants": variants}


def _timing_tree(timing: Timing) -> Tree:
    return {
        "kind": timing.kind, "width": timing.width, "wall_ms": timing.wall_ns / NS_PER_MS, "cpu_ms": timing.cpu_ns / NS_PER_MS,
        "spread": timing.spread, "runs": timing.runs, "resident_bytes": timing.resident_bytes, "engine_version": timing.engine_version,
    }  # fmt: skip


def _timings(variant: Variant, found: Profiled) -> list[Timing]:
    own = (variant.model, variant.precision, variant.engine)
    return [timing for timing in found.profile.table.timings if timing.key[:3] == own]


def show_profile(found: Profiled) -> None:
    """Print every variant with its times, then what was left out and why."""
    columns = ("tenant", "engine", "precision", "on", "wall ms", "cpu ms", "spread", "fidelity", "judged")
    show_table(columns, (row for card in found.profile.cards for row in _variants(card, found)), words=4)
    for note in found.profile.notes:
        print(note)


def _variants(card: Card, found: Profiled) -> Iterator[tuple[object, ...]]:
    for variant in card.variants:
        known = (faith(variant.fidelity, set()), variant.judged.value)
        named = (card.tenant, variant.engine, variant.precision.value)
        timings = _timings(variant, found)
        for timing in timings:
            times = (timing.wall_ns / NS_PER_MS, timing.cpu_ns / NS_PER_MS, f"{timing.spread:.1%}")
            yield (*named, f"{timing.kind} x{timing.width}", *times, *known)
        if not timings:
            yield (*named, None, None, None, None, *known)


def plan_tree(prepared: Prepared | Boarded) -> Tree:
    """Return what `plan --json` prints."""
    plan = prepared.plan
    since = incomparable(plan)
    return {
        "maximised": plan.objective.value, "objective": plan.value, "bound": None if since else plan.bound,
        "gap": None if since else max(0.0, plan.gap), "seconds": plan.seconds,
        "prices": {p.resource: {"unit": p.unit, "used": p.used, "capacity": p.capacity, "price": p.price} for p in plan.prices},
        "tenants": {tenant.name: _promise_tree(prepared, tenant) for tenant in prepared.tenants},
    }  # fmt: skip


def _promise_tree(prepared: Prepared | Boarded, tenant: Tenant) -> Tree:
    plan, promise = prepared.plan, prepared.plan.promise(tenant.name)
    return {
        "rank": tenant.rank, "rate_per_s": told_per_s(promise), "solo_rate_per_s": promise.solo_rate_per_s,
        "p": 0.0 if starved(promise) else promise.p,
        "cost": cost(plan, tenant.name), "options": [_share_tree(share, prepared) for share in serving(plan, tenant.name)],
    }  # fmt: skip


def _share_tree(share: Share, prepared: Prepared | Boarded) -> Tree:
    option = share.option
    told = {
        "option": option.name, "rate_per_s": share.rate_per_s, "latency_ms": option.latency_ns / NS_PER_MS,
        "fidelity": option.fidelity, "judged": option.judged.value,
    }  # fmt: skip
    if not isinstance(prepared, Boarded):
        return told
    figures = prepared.figures(option)
    return told | {"figures": list(figures.known), "off": figures.off}


def show_plan(prepared: Prepared | Boarded) -> None:
    """Print what each tenant is promised, and what each resource is worth."""
    plan, known = prepared.plan, "figures" if isinstance(prepared, Boarded) else "fidelity"
    columns = ("tenant", "option", "rank", "rate/s", "latency ms", "P", "solo/s", known)
    show_table(columns, (row for tenant in prepared.tenants for row in _shares(prepared, tenant)), words=2)
    print()
    prices = ((p.resource, p.unit, p.used, p.capacity, p.price) for p in plan.prices)
    show_table(("resource", "unit", "used", "capacity", "price"), prices, words=2)
    print("\n".join(objectives(plan)), f"{plan.seconds:.3f} s", sep="; ")


def _shares(prepared: Prepared | Boarded, tenant: Tenant) -> Iterator[tuple[object, ...]]:
    """Yield a row for each option in use, the tenant's own figures in the first; one row where there is none."""
    promise, shares = prepared.plan.promise(tenant.name), serving(prepared.plan, tenant.name)
    if not shares:
        yield (tenant.name, None, tenant.rank, 0.0, None, 0.0, promise.solo_rate_per_s, None)
    for index, share in enumerate(shares):
        option = share.option
        about = (option.name, tenant.rank, share.rate_per_s, option.latency_ns / NS_PER_MS)
        own = (promise.p, promise.solo_rate_per_s) if index == 0 else ("", "")
        yield (tenant.name if index == 0 else "", *about, *own, _known(option, prepared))


def _known(option: Option, prepared: Prepared | Boarded) -> str:
    """Say how an option is known: on a board its figures, on this machine its fidelity."""
    return str(prepared.figures(option)) if isinstance(prepared, Boarded) else faith(option.fidelity, {option.judged})


def notes(prepared: Prepared | Boarded) -> tuple[str, ...]:
    """Return what is worth knowing of a plan: how it was found, what is due and not held, and why who gets nothing does not."""
    hungry = starving(prepared.plan, prepared.tenants, prepared.options, prepared.platform)
    return (*prepared.notes, *_missed(prepared), *(f"{name} gets nothing: {why}" for name, why in hungry.items()))


def _missed(prepared: Prepared | Boarded) -> tuple[str, ...]:
    return tuple(line for tenant in prepared.tenants for line in missed(prepared.plan, tenant))


def shortfalls(prepared: Prepared | Boarded) -> str:
    """Return what a plan owes and does not hold, and what that leaves its objective worth; empty where it holds all that is due."""
    told = objectives(prepared.plan) if incomparable(prepared.plan) else ()
    return "\n".join((*_missed(prepared), *told))


def explanation(prepared: Prepared | Boarded) -> str:
    """Return the plan in plain words."""
    return explain(prepared.plan, prepared.tenants, prepared.options, prepared.platform, prepared.offer.refused)
