"""Memory budgets: what a tenant may be offered, and what may be loaded beside what is there."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cotenant.describe import Artifact, Option, Platform, Tenant
from cotenant.errors import InfeasibleError, InputError

_MB = 10**6


def within_budget(tenant: Tenant, options: Sequence[Option]) -> tuple[list[Option], list[tuple[Option, str]]]:
    """Keep options whose models fit the tenant's memory together, those that take the least time first; pair the others with the reason.

    So any mixture of them fits. A standby has as much again. InputError where no model fits.
    """
    if tenant.memory_bytes is None:
        return list(options), []
    fitting: set[Artifact] = set()
    for option in sorted(options, key=lambda o: sum(step.width * step.duration_ns for step in o.chain)):
        if _taken_bytes(tenant, fitting | {option.artifact}) <= tenant.memory_bytes:
            fitting.add(option.artifact)
    if not fitting:
        least = min(options, key=lambda o: o.artifact.resident_bytes)
        wanted_mb = -(-_taken_bytes(tenant, {least.artifact}) // _MB)
        allowed = f"{wanted_mb}MB or more, for {least.name}; or a smaller model"
        raise InputError(f"tenants[{tenant.name}].memory", f"{tenant.memory_bytes / _MB:g}MB", allowed)
    beyond = [(option, _reason(tenant, option)) for option in options if option.artifact not in fitting]
    return [option for option in options if option.artifact in fitting], beyond


def refuse_both_at_once(before: Collection[Option], after: Collection[Option], platform: Platform) -> None:
    """Refuse options that fit a memory, but not beside those which are served until they are loaded; InfeasibleError.

    Where either does not fit by itself the crew was allowed to overload it.
    """
    for memory in platform.memories:
        old, new = _resident(before, memory.name), _resident(after, memory.name)
        alone_bytes, both_bytes = max(_sum_bytes(old), _sum_bytes(new)), _sum_bytes(old | new)
        if alone_bytes <= memory.capacity_bytes < both_bytes:
            short = f"the models that are served and the new ones take {both_bytes / _MB:.1f} MB of {memory.capacity_bytes / _MB:g} MB"
            raise InfeasibleError(memory.name, short, "first remove what is to go, then add what is new; or smaller models")


def _resident(options: Collection[Option], memory: str) -> set[Artifact]:
    return {option.artifact for option in options if option.artifact.memory == memory}


def _sum_bytes(artifacts: set[Artifact]) -> int:
    return sum(artifact.resident_bytes for artifact in artifacts)


def _taken_bytes(tenant: Tenant, artifacts: set[Artifact]) -> int:
    """Return what one process of the tenant takes with these loaded."""
    return sum(artifact.resident_bytes for artifact in artifacts) // (1 + tenant.standby)


def _reason(tenant: Tenant, option: Option) -> str:
    taken_mb = _taken_bytes(tenant, {option.artifact}) / _MB
    return f"its {taken_mb:.1f} MB do not fit, beside faster ones, the {(tenant.memory_bytes or 0) / _MB:g} MB allowed"
