"""A prepared crew on the live device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cotenant.backend import installed
from cotenant.describe import Array, Option, Plan, Share
from cotenant.live import LiveDevice
from cotenant.profile import samples_of
from cotenant.study.prepared import Prepared
from cotenant.units import NS_PER_S

SAMPLES = 8


def open_device(prepared: Prepared, *, keeps_trace: bool = False) -> LiveDevice:
    """Serve a prepared crew."""
    return LiveDevice(
        crew=prepared.crew,
        platform=prepared.platform,
        cards=prepared.profile.cards,
        plan=with_everyone(prepared),
        engines=installed(),
        keeps_trace=keeps_trace,
    )


def with_everyone(prepared: Prepared) -> Plan:
    """Return the plan with an option, at rate 0, also for tenants that higher ranks leave nothing.

    They are promised nothing, but served whenever no promised work is ready.
    """
    served = {share.option.tenant for share in prepared.plan.shares}
    left = {tenant.name for tenant in prepared.tenants} - served
    fastest = {name: min((o for o in prepared.options if o.tenant == name), key=_lane_seconds) for name in left}
    more = tuple(Share(option=option, rate_per_s=0.0) for _, option in sorted(fastest.items()))
    return replace(prepared.plan, shares=(*prepared.plan.shares, *more))


def _lane_seconds(option: Option) -> float:
    return sum(step.width * step.duration_ns for step in option.chain) / NS_PER_S


def inputs_of(prepared: Prepared) -> dict[str, tuple[Mapping[str, Array], ...]]:
    """Return each tenant's samples, as the inputs of one request each."""
    found: dict[str, tuple[Mapping[str, Array], ...]] = {}
    for tenant in prepared.tenants:
        samples = samples_of(tenant, prepared.card(tenant.name).model, SAMPLES)
        found[tenant.name] = tuple(samples.request(index) for index in range(len(samples)))
    return found
