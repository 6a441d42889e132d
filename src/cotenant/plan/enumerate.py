"""Every way to serve one inference that a tenant may be offered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from cotenant.cost import Table
from cotenant.describe import ITEM, Artifact, Card, Model, Option, Platform, Precision, Preemption, Processor, Step, Tenant, Variant
from cotenant.errors import InputError
from cotenant.units import NS_PER_MS, NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Say why a tenant is not offered a variant or an option."""

    tenant: str
    option: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Hold the options of all tenants, and what was refused on the way."""

    options: tuple[Option, ...]
    refused: tuple[Refusal, ...]

    def of(self, tenant: str) -> tuple[Option, ...]:
        return tuple(option for option in self.options if option.tenant == tenant)


def enumerate_options(tenants: Sequence[Tenant], cards: Sequence[Card], table: Table, platform: Platform) -> tuple[Option, ...]:
    """List the options of all tenants that pass fidelity, dominance and deadline; InputError for a tenant left without one."""
    return offer(tenants, cards, table, platform).options


def offer(tenants: Sequence[Tenant], cards: Sequence[Card], table: Table, platform: Platform) -> Offer:
    """List the options as `enumerate_options` does, with what was refused and why."""
    by_name = {card.tenant: card for card in cards}
    measured = {t.name: _measured(t, by_name[t.name], table, platform) for t in tenants}
    roomy = _roomy([option for some, _ in measured.values() for option in some], platform)
    kept = {}
    for tenant in tenants:
        options, refused = measured[tenant.name]
        best, dominated = _undominated(tenant, options, roomy=roomy)
        kept[tenant.name] = (best, [*refused, *dominated])
    return timely(tenants, kept, platform)


def timely(tenants: Sequence[Tenant], found: Mapping[str, tuple[Sequence[Option], Sequence[Refusal]]], platform: Platform) -> Offer:
    """Leave out the options that miss their tenant's deadline; InputError for a tenant left without one.

    The last rank comes first: a deadline must outlast the longest segment among the options *offered* to lower ranks, whichever
    of them the plan then mixes, so these must be settled before.
    """
    sifted: dict[str, tuple[list[Option], list[Refusal]]] = {}
    for tenant in sorted(tenants, key=lambda t: -t.rank):
        options, refused = found[tenant.name]
        lower = [o for t in tenants if t.rank > tenant.rank for o in sifted[t.name][0]]
        kept, late = _timely(tenant, options, lower, platform)
        sifted[tenant.name] = kept, [*refused, *late]
    return Offer(
        options=tuple(o for t in tenants for o in sifted[t.name][0]), refused=tuple(r for t in tenants for r in sifted[t.name][1]),
    )  # fmt: skip


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
    places = [(variant, processor) for variant in permitted for processor in platform.processors]
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
    """Yield one option for each width at which a variant was timed on this kind of processor."""
    if processor.engines and variant.engine not in processor.engines:
        return
    find = partial(table.timing, model=card.model.digest, precision=variant.precision, engine=variant.engine, kind=processor.kind)
    widths = (find(width=width) for width in range(1, processor.lanes + 1))
    timings = [timing for timing in widths if timing is not None]
    for timing in timings:
        artifact = Artifact(
            model=card.model.digest, precision=variant.precision, engine=variant.engine, memory=processor.memory,
            resident_bytes=(1 if variant.shared else processor.lanes) * table.resident_bytes(timing),
            place=_place(tenant, variant, processor, timing.width),
        )  # fmt: skip
        yield Option(
            tenant=tenant.name, artifact=artifact,
            chain=(Step(segment=0, processor=processor.name, width=timing.width, duration_ns=timing.wall_ns),),
            demand=(
                (processor.name, timing.width * timing.wall_ns / NS_PER_S),
                *_traffic(card.model, variant.precision, processor, platform),
            ),
            latency_ns=timing.wall_ns, fidelity=variant.fidelity, accuracy=variant.accuracy, judged=variant.judged,
        )  # fmt: skip


def _place(tenant: Tenant, variant: Variant, processor: Processor, width: int) -> str:
    """Say which lanes use one loaded copy: engine threads stay on their processor, and rank 0 interrupts whoever uses the lane's own."""
    if variant.shared:
        return "" if width == 1 else f"{processor.name}x{width}"
    return f"{processor.name} rank 0" if tenant.rank == 0 else processor.name


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


def _timely(tenant: Tenant, options: Sequence[Option], lower: Sequence[Option], platform: Platform) -> tuple[list[Option], list[Refusal]]:
    """Keep the options that meet the deadline even behind the longest segment of lower ranks; InputError if none does."""
    if tenant.deadline_ns is None:
        return list(options), []
    longest = _longest_ns(tenant, lower, platform)
    blocked = [(option, sum(longest.get(step.processor, 0) for step in option.chain)) for option in options]
    timely = [option for option, wait_ns in blocked if option.latency_ns + wait_ns <= tenant.deadline_ns]
    if not timely:
        option, wait_ns = min(blocked, key=lambda pair: pair[0].latency_ns + pair[1])
        behind = f" after up to {_up(wait_ns)} of lower ranks" if wait_ns else ""
        allowed = f"{_up(option.latency_ns + wait_ns)} or more; the fastest option, {option.name}, takes {_up(option.latency_ns)}{behind}"
        raise InputError(f"tenants[{tenant.name}].deadline", _ms(tenant.deadline_ns), allowed)
    late = [
        Refusal(tenant=tenant.name, option=o.name, reason=f"it takes up to {_up(o.latency_ns + wait_ns)} of {_ms(tenant.deadline_ns)}")
        for o, wait_ns in blocked
        if o.latency_ns + wait_ns > tenant.deadline_ns
    ]
    return timely, late


def _longest_ns(tenant: Tenant, lower: Sequence[Option], platform: Platform) -> dict[str, int]:
    """Return for how long lower ranks may hold up a visit to each processor: by their longest segment.

    Nobody waits where anybody is preempted at once, and rank 0 does not where an operating system knows it from the rest.
    """
    ways = {Preemption.INSTANT, Preemption.CLASS} if tenant.rank == 0 else {Preemption.INSTANT}
    waited = {p.name for p in platform.processors if p.preemption not in ways}
    longest: dict[str, int] = {}
    for step in (s for o in lower for s in o.chain if s.processor in waited):
        longest[step.processor] = max(step.holds_ns, longest.get(step.processor, 0))
    return longest


def _up(time_ns: int) -> str:
    """Write a time in three digits, not below what it is: a deadline of so much is met."""
    unit_ns = 10 ** max(0, len(str(time_ns)) - 3)
    return _ms(-(-time_ns // unit_ns) * unit_ns)


def _ms(time_ns: int) -> str:
    """Write a time with all its digits, as a crew file may have it."""
    return f"{time_ns / NS_PER_MS:.6f}".rstrip("0").rstrip(".") + " ms"
