"""What ways are set against: every model alone, measured in the same rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from cotenant.errors import BackendError
from cotenant.plan import stp_bounds
from cotenant.study.prepared import Prepared
from cotenant.study.rounds import Measured
from cotenant.study.solo import Key, at_solo, by_tenant, solo_ns
from cotenant.trace import tally
from cotenant.units import NS_PER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Name the ways that measure models alone: by tenant with ONNX Runtime's defaults, by variant on one core."""

    alone: Mapping[str, str]
    solo: Mapping[Key, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Hold rates alone by tenant, solo times by tenant and variant, and what sums of rates over rates alone they allow.

    Bounds follow from the solo times; where none were measured, from what the plan reckons with.
    """

    alone_per_s: tuple[tuple[str, float], ...]
    solo_ns: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    bound_stp: float
    fair_stp: float

    @property
    def rates(self) -> dict[str, float]:
        """Return the rates alone, each more than 0."""
        return dict(self.alone_per_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Hold the medians over all rounds as the `whole`, and each round by itself."""

    whole: Reference
    rounds: tuple[Reference, ...]


def references_of(prepared: Prepared, measured: Sequence[Measured], names: Names, rounds: int) -> References:
    """Sum up what was measured alone; in a round in which somebody answered nothing, the medians stand for that.

    BackendError for a tenant that answered nothing in most rounds.
    """
    rates, solos = _rates(measured, names), solo_ns(measured, names.solo)
    for tenant, rate_per_s in rates.items():
        if not rate_per_s > 0:
            raise BackendError("onnxruntime", f"{tenant} alone answered nothing")
    found = []
    for index in range(rounds):
        own = [m for m in measured if m.round == index]
        known = {tenant: rate_per_s for tenant, rate_per_s in _rates(own, names).items() if rate_per_s > 0}
        found.append(_reference(prepared, rates | known, solos | solo_ns(own, names.solo)))
    return References(whole=_reference(prepared, rates, solos), rounds=tuple(found))


def reference_json(reference: Reference) -> dict[str, Any]:
    """Return a reference as `compare --json` prints it, solo times in milliseconds."""
    return {
        "alone_per_s": reference.rates,
        "solo_ms": {name: {variant: time_ns / NS_PER_MS for variant, time_ns in own} for name, own in reference.solo_ns},
        "bound_stp": reference.bound_stp,
        "fair_stp": reference.fair_stp,
    }


def _rates(measured: Sequence[Measured], names: Names) -> dict[str, float]:
    found = {tenant: [tally(m.trace, tenant).rate_per_s for m in measured if m.way == way] for tenant, way in names.alone.items()}
    return {tenant: median(rates_per_s) if rates_per_s else 0.0 for tenant, rates_per_s in found.items()}


def _reference(prepared: Prepared, rates: Mapping[str, float], solos: Mapping[Key, int]) -> Reference:
    options = at_solo(prepared.options, prepared.profile.table, prepared.platform, solos)
    bound, fair = stp_bounds(prepared.tenants, options, prepared.platform, rates)
    told = by_tenant(options, solos)
    return Reference(
        alone_per_s=tuple(rates.items()),
        solo_ns=tuple((tenant, tuple(own.items())) for tenant, own in told.items()),
        bound_stp=bound,
        fair_stp=fair,
    )
