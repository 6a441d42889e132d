"""A prepared crew on the live device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import replace

from cotenant.backend import installed
from cotenant.describe import Array, Artifact, Option, Plan, Platform, Share, Tenant
from cotenant.dispatch import Dispatcher, Steps
from cotenant.errors import InfeasibleError
from cotenant.live import LiveDevice
from cotenant.policy import Params, Policy
from cotenant.profile import samples_of
from cotenant.sim import Stepped, is_shipped, is_there
from cotenant.study.prepared import Prepared
from cotenant.units import NS_PER_S

SAMPLES = 8


def open_device(prepared: Prepared, *, keeps_trace: bool = False, paces: bool = False) -> LiveDevice:
    """Serve a prepared crew; where it `paces`, whoever slows a better rank down is held back while that helps."""
    return LiveDevice(
        crew=prepared.crew,
        platform=prepared.platform,
        cards=prepared.profile.cards,
        plan=with_everyone(prepared),
        engines=installed(),
        keeps_trace=keeps_trace,
        dispatchers=dispatchers_for(prepared),
        paces=paces,
    )


def dispatchers_for(prepared: Prepared) -> Callable[..., Steps]:
    """Return what makes a dispatcher: a compiled one where networks run in segments, if numba is there.

    Asked every few milliseconds, a plain one would take some hundredths of the CPU; compiling one takes a second or two, which is not
    worth it for whole networks.
    """
    in_segments = any(share.option.artifact.in_segments for share in prepared.plan.shares)
    return compiled if in_segments and is_there() else Dispatcher


def compiled(
    tenants: tuple[Tenant, ...], shares: tuple[Share, ...], platform: Platform, policy: Policy, *, name: str, params: Params
) -> Steps:
    """Return a compiled dispatcher; a plain one for a user's policy, which may do what does not compile, and whose errors are then told."""
    made = Stepped if is_shipped(policy) else Dispatcher
    return made(tenants, shares, platform, policy, name=name, params=params)


def with_everyone(prepared: Prepared) -> Plan:
    """Return the plan with an option, at rate 0, also for tenants that higher ranks leave nothing.

    They are promised nothing, but served whenever no promised work is ready. InfeasibleError where the memory has no room
    left for one, unless the crew may overload it.
    """
    plan = prepared.plan
    for pick in (_lane_seconds, _added_bytes):
        more = _left(prepared, pick)
        used = {share.option.artifact for share in (*plan.shares, *more)}
        if (excess_bytes := _excess_bytes(used, prepared.platform)) == 0:
            break
    if excess_bytes and not prepared.allow_overload:
        names = ", ".join(share.option.tenant for share in more)
        short = f"{excess_bytes} bytes too few for the smallest models of who is promised nothing ({names})"
        raise InfeasibleError(
            more[0].option.artifact.memory, short, "a floor for them, smaller models or fewer tenants; or --allow-overload"
        )
    return replace(plan, shares=(*plan.shares, *more))


def _left(prepared: Prepared, pick: Callable[[Option, Set[Artifact]], float]) -> tuple[Share, ...]:
    """Pick an option for each tenant that the plan leaves nothing: the least, of those that fit beside what was picked before."""
    served = {share.option.tenant for share in prepared.plan.shares}
    resident = {share.option.artifact for share in prepared.plan.shares}
    more = []
    for tenant in prepared.tenants:
        if tenant.name not in served:
            own = [option for option in prepared.options if option.tenant == tenant.name]
            option = min(own, key=lambda o: (_excess_bytes(resident | {o.artifact}, prepared.platform), pick(o, resident)))
            resident.add(option.artifact)
            more.append(Share(option=option, rate_per_s=0.0))
    return tuple(more)


def _excess_bytes(resident: Set[Artifact], platform: Platform) -> int:
    """Return how many bytes too many would be resident, over all memories."""
    used = ((sum(a.resident_bytes for a in resident if a.memory == m.name), m.capacity_bytes) for m in platform.memories)
    return sum(max(used_bytes - capacity_bytes, 0) for used_bytes, capacity_bytes in used)


def _lane_seconds(option: Option, _: Set[Artifact]) -> float:
    return sum(step.width * step.duration_ns for step in option.chain) / NS_PER_S


def _added_bytes(option: Option, resident: Set[Artifact]) -> float:
    return 0 if option.artifact in resident else option.artifact.resident_bytes


def inputs_of(prepared: Prepared) -> dict[str, tuple[Mapping[str, Array], ...]]:
    """Return each tenant's samples, as the inputs of one request each."""
    found: dict[str, tuple[Mapping[str, Array], ...]] = {}
    for tenant in prepared.tenants:
        samples = samples_of(tenant, prepared.card(tenant.name).model, SAMPLES)
        found[tenant.name] = tuple(samples.request(index) for index in range(len(samples)))
    return found
