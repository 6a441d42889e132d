"""Every way to serve one inference that a tenant may be offered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from cotenant.cost import Table
from cotenant.describe import (
    IN_SEGMENTS,
    ITEM,
    Artifact,
    Card,
    Model,
    Option,
    Platform,
    Precision,
    Processor,
    Step,
    Tenant,
    Variant,
)
from cotenant.describe.reserved import may_use
from cotenant.errors import InputError
from cotenant.plan.budget import within_budget
from cotenant.plan.considerate import considerate
from cotenant.plan.offered import Offer, Refusal
from cotenant.plan.timely import timely
from cotenant.units import NS_PER_S


def enumerate_options(tenants: Sequence[Tenant], cards: Sequence[Card], table: Table, platform: Platform) -> tuple[Option, ...]:
    """List the options of all tenants that pass fidelity, dominance and deadline; InputError for a tenant left without one."""
    return offer(tenants, cards, table, platform).options


def offer(tenants: Sequence[Tenant], cards: Sequence[Card], table: Table, platform: Platform) -> Offer:
    """List the options as `enumerate_options` does, with what was refused and why."""
    by_name = {card.tenant: card for card in cards}
    measured = considerate(tenants, {t.name: _measured(t, by_name[t.name], table, platform) for t in tenants}, platform)
    roomy = _roomy([option for some, _ in measured.values() for option in some], platform)
    kept = {}
    for tenant in tenants:
        options, refused = measured[tenant.name]
        affordable, beyond = within_budget(tenant, options)
        best, dominated = _undominated(tenant, affordable, roomy=roomy)
        unaffordable = [Refusal(tenant=tenant.name, option=option.name, reason=reason) for option, reason in beyond]
        kept[tenant.name] = (best, [*refused, *unaffordable, *dominated])
    return timely(tenants, kept, platform)


def _measured(tenant: Tenant, card: Card, table: Table, platform: Platform) -> tuple[list[Option], list[Refusal]]:
    reasons = [(variant, _unfaithful(tenant, variant)) for variant in card.variants]
    permitted = [variant for variant, reason in reasons if reason is None]
    refused = [
        Refusal(tenant=tenant.name, option=f"{variant.engine} {variant.precision.value}", reason=reason)
        for variant, reason in reasons
        if reason is not None
    ]
    if not permitted:
        raise _none_permitted(tenant, card)
    places = [(variant, processor) for variant in permitted for processor in platform.processors if may_use(processor, tenant.name)]
    options = [o for variant, processor in places for o in _options(tenant, card, variant, table, processor, platform)]
    if not options:
        wanted = ", ".join(f"{v.engine} {v.precision.value}" for v in permitted)
        allowed = f"a processor of {platform.name} on which {wanted} was timed"
        raise InputError(f"tenants[{tenant.name}].model", tenant.source.model, allowed)
    return options, refused


def _unfaithful(tenant: Tenant, variant: Variant) -> str | None:
    """Say why a variant may not answer for a tenant; None if it may."""
    if tenant.allow is not None and variant.precision not in tenant.allow:
        return f"{variant.precision.value} is not among those allowed"
    if variant.fidelity is None and tenant.allow is None and variant.precision is not Precision.FP32:
        return "its fidelity is unknown, and it is not allowed by name"
    if variant.fidelity is not None and variant.fidelity < tenant.fidelity_floor:
        return f"its fidelity {variant.fidelity:.3f} is below {tenant.fidelity_floor:g}"
    if tenant.accuracy_floor is not None and variant.accuracy is None:
        return "its accuracy is unknown"
    return None


def _none_permitted(tenant: Tenant, card: Card) -> InputError:
    where, named = f"tenants[{tenant.name}]", [v for v in card.variants if tenant.allow is None or v.precision in tenant.allow]
    known = [v for v in named if v.fidelity is not None]
    if not named:
        return InputError(f"{where}.allow", " ".join(p.value for p in tenant.allow or ()), f"one of {_precisions(card.variants)}")
    if known and all(v.fidelity is not None and v.fidelity < tenant.fidelity_floor for v in known):
        best = max(known, key=lambda v: v.fidelity or 0.0)
        allowed = f"at most {best.fidelity:.3f}, that of {best.engine} {best.precision.value}"
        return InputError(f"{where}.fidelity", f"{tenant.fidelity_floor:g}", allowed)
    if tenant.accuracy_floor is not None:
        return InputError(f"{where}.accuracy", f"{tenant.accuracy_floor:g}", "a variant whose accuracy was measured")
    return InputError(f"{where}.samples", "none", f"samples to judge {_precisions(named)} by, or allow: [{_precisions(named)}]")


def _precisions(variants: Iterable[Variant]) -> str:
    return ", ".join(sorted({v.precision.value for v in variants})) or "none"


def _options(tenant: Tenant, card: Card, variant: Variant, table: Table, processor: Processor, platform: Platform) -> Iterator[Option]:
    """Yield one option for each width at which a variant was timed on this kind of processor; of one that is cut, that in segments alone.

    Who runs in segments leaves its lane between them, so that a deadline need not wait for whole networks.
    """
    if processor.engines and variant.engine not in processor.engines:
        return
    segments = None if tenant.isolated else card.cut(variant.precision, variant.engine)
    find = partial(table.timing, model=card.model.digest, precision=variant.precision, engine=variant.engine, kind=processor.kind)
    widths = (find(width=width) for width in range(1, 2 if segments else processor.lanes + 1))
    timings = [timing for timing in widths if timing is not None]
    for timing in timings:
        chain = tuple(
            Step(segment=index, processor=processor.name, width=timing.width, duration_ns=max(1, round(timing.wall_ns * part)))
            for index, part in enumerate(segments.parts if segments else (1.0,))
        )
        latency_ns = sum(step.duration_ns for step in chain)
        artifact = Artifact(
            model=card.model.digest, precision=variant.precision, engine=variant.engine, memory=processor.memory,
            resident_bytes=(1 + tenant.standby) * (1 if variant.shared else processor.lanes) * table.resident_bytes(timing),
            place=IN_SEGMENTS if segments else _place(tenant, variant, processor, timing.width),
        )  # fmt: skip
        yield Option(
            tenant=tenant.name, artifact=artifact, chain=chain,
            demand=(
                (processor.name, timing.width * latency_ns / NS_PER_S),
                *_traffic(card.model, variant.precision, processor, platform),
            ),
            latency_ns=latency_ns, fidelity=variant.fidelity, accuracy=variant.accuracy, judged=variant.judged,
        )  # fmt: skip


def _place(tenant: Tenant, variant: Variant, processor: Processor, width: int) -> str:
    """Say which lanes use one loaded copy: engine threads stay on their processor, and rank 0 interrupts whoever uses the lane's own.

    What is loaded in a process of its own is nobody else's.
    """
    own = f"of {tenant.name} " if tenant.isolated else ""
    if variant.shared:
        return (own + ("" if width == 1 else f"{processor.name}x{width}")).strip()
    return own + (f"{processor.name} rank 0" if tenant.rank == 0 else processor.name)


def _traffic(model: Model, precision: Precision, processor: Processor, platform: Platform) -> tuple[tuple[str, float], ...]:
    """Return the bytes that one inference moves through a memory of known bandwidth, as if no cache kept any."""
    memory = next(m for m in platform.memories if m.name == processor.memory)
    moved = sum(layer.weight_bytes + layer.input_bytes + layer.output_bytes for layer in model.layers)
    return ((memory.name, moved * ITEM[precision]),) if memory.bandwidth_bytes_per_s is not None else ()


def _roomy(options: Sequence[Option], platform: Platform) -> bool:
    """Say whether every artifact fits at once, so that none is worth keeping for its size."""
    artifacts = {option.artifact for option in options}
    return all(sum(a.resident_bytes for a in artifacts if a.memory == m.name) <= m.capacity_bytes for m in platform.memories)


def _undominated(tenant: Tenant, options: Sequence[Option], *, roomy: bool) -> tuple[list[Option], list[Refusal]]:
    """Drop what another option matches or beats in all that the plan can see; of equals the first stays."""
    kept: list[Option] = []
    refused: list[Refusal] = []
    for index, option in enumerate(options):
        beats = partial(_beats, tenant=tenant, roomy=roomy)
        rivals = (*kept, *(r for r in options[index + 1 :] if not beats(option, r)))
        better = next((r for r in rivals if beats(r, option)), None)
        if better is None:
            kept.append(option)
        else:
            refused.append(Refusal(tenant=tenant.name, option=option.name, reason=f"{better.name} takes no more of anything"))
    return kept, refused


def _beats(one: Option, other: Option, tenant: Tenant, *, roomy: bool) -> bool:
    """Say whether one option takes no more than another of any resource, of time and of memory, and answers as well."""
    resources = {name for name, _ in (*one.demand, *other.demand)}
    lean = all(one.demand_of(name) <= other.demand_of(name) for name in resources) and one.latency_ns <= other.latency_ns
    exact = tenant.accuracy_floor is None or (one.accuracy or 0.0) >= (other.accuracy or 0.0)
    return lean and exact and (roomy or one.artifact == other.artifact)
