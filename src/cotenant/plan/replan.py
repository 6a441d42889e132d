"""Planning again for a crew that has changed: what runs stays where it is, unless moving gains enough.

A tenant comes, goes, or changes its rank, weight, floor or arrivals. To *move* a tenant is to serve it by an option that it was not served
by before: models are loaded, caches grow cold, and a promise is at risk meanwhile. To change its rate costs nothing. So a plan is made
anew, and beside it one that keeps to the *options in use*: those that tenants which remain had a rate by, with the rates chosen afresh. Who
is new, who had no rate, and whose options are offered no more is free. Where the second plan reaches at least (1 - gain) of the first, it
is taken, and nothing moves; else the first. `loss` says what is lost of the best plan, `keptproof` proves the other over all options.
Where the plan before proves itself for the crew as it is now, and no other would gain more, not even a rate changes: among equal tenants
many plans are best. Unless overload is allowed, it must also give everybody what is due.

Where the plan is of single options, so is the kept one: of several in use the most used stays, and who is free has what the best plan
chose. A search for single options may end early, and the options in use be ahead of what it found: then they stay, whatever that leaves to
lower ranks, duties apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cotenant.describe import Goal, Level, Objective, Option, Plan, Platform, Tenant
from cotenant.errors import InputError
from cotenant.plan.aim import DUTIES
from cotenant.plan.certificate import check
from cotenant.plan.columns import columns
from cotenant.plan.keptplan import Wanted, kept
from cotenant.plan.loss import EQUAL, LOST
from cotenant.plan.missed import missed
from cotenant.plan.problem import build
from cotenant.plan.serving import serving
from cotenant.plan.settled import overstated
from cotenant.plan.shortage import refuse_homeless
from cotenant.plan.single import Effort
from cotenant.plan.solve import HEADROOM, solve
from cotenant.plan.stalls import stalled
from cotenant.plan.tolerated import open_of

GAIN = 0.01  # of what the best plan reaches: what is not worth a move


@dataclass(frozen=True, slots=True, kw_only=True)
class Replanned:
    """Hold the plan to serve by, and the best there is; they are one where moving is worth it.

    `gain`: the share of what the best plan reaches, at its worst level, that the options in use do not, in [0, 1]; 1 where they
    would break a duty. `moves`: who was served before and now is, with the same model, by an option that it was not served by.
    """

    plan: Plan
    best: Plan
    gain: float
    moves: tuple[str, ...]

    @property
    def moved(self) -> bool:
        return bool(self.moves)


def replan(
    before: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, objective: Objective,
    *, gain: float = GAIN, headroom: float = HEADROOM, allow_overload: bool = False, effort: Effort | None = None,
) -> Replanned:  # fmt: skip
    """Plan for the crew as it is now, and move nobody for less than `gain`, a share of what the best plan reaches, in [0, 1).

    InputError and InfeasibleError as `solve` raises them: where the crew does not fit at all, no plan is taken, and the one before
    stands. InputError for another gain. With an `effort`, one option for each tenant.
    """
    _refuse(gain)
    alike = before.single == (effort is not None) and (before.objective, before.headroom) == (objective, headroom)
    if alike and _stands(before, tenants, options, platform, gain) and (allow_overload or _fits(before, tenants, options, platform)):
        return Replanned(plan=before, best=before, gain=0.0, moves=())
    best = solve(tenants, options, platform, objective, headroom=headroom, allow_overload=allow_overload, effort=effort)
    return weigh(before, best, tenants, options, platform, gain=gain)


def weigh(
    before: Plan, best: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, *, gain: float = GAIN,
) -> Replanned:  # fmt: skip
    """Keep the options in use, with new rates, where they reach nearly what the best plan does; else take the best plan."""
    _refuse(gain)
    wanted = Wanted(tenants=tuple(tenants), options=tuple(options), platform=platform, best=best)
    found, lost = kept(wanted, _staying(before, wanted), gain)
    plan = best if found is None else found
    return Replanned(plan=plan, best=best, gain=lost, moves=tuple(_moves(before, plan)))


def _refuse(gain: float) -> None:
    if not 0 <= gain < 1:
        raise InputError("gain", gain, "0 or more, less than 1")


def _stands(before: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, gain: float) -> bool:
    """Say whether a plan is proved for a crew, and that no other gains more than `gain` at any level."""
    verdict = check(before, tenants, options, stalled(platform, dict(before.stalls)), before.headroom)
    if not verdict.ok or verdict.undecided or any(overstated(before, platform)):
        return False
    return all(_open(level, before.levels[:at], tenants) <= gain for at, level in enumerate(before.levels))


def _fits(before: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform) -> bool:
    """Say whether a plan gives each tenant what is due to it; InfeasibleError where the memories cannot hold everybody."""
    refuse_homeless(build(tenants, columns(tenants, options), platform, before.headroom))
    return not any(missed(before, tenant) for tenant in tenants)


def _open(level: Level, before: Sequence[Level], tenants: Sequence[Tenant]) -> float:
    """Return what share of a level's bound the level might gain; of a duty, any of it is all."""
    short = open_of(level, before)
    match level.goal:
        case Goal.STARVED | Goal.LOAD:
            return 0.0
        case Goal.PROPORTIONAL:
            found = -math.expm1(-short / sum(tenant.weight for tenant in tenants if tenant.name in level.tenants))
        case _:
            found = short / max(level.bound, EQUAL)
    if found <= EQUAL:
        return 0.0
    return LOST if level.goal in DUTIES else found


def mapping(option: Option) -> tuple[object, ...]:
    """Return where and as what an option runs, whatever it takes: options of one mapping may be exchanged and nothing moves."""
    artifact = option.artifact
    places = tuple((step.segment, step.segments, step.processor, step.width) for step in option.chain)
    return artifact.model, artifact.precision, artifact.engine, option.batch, places


def model_of(plan: Plan, name: str) -> str | None:
    """Return a tenant's model, whether the plan serves it or not; None where not even its solo rate shows it."""
    shares = (*plan.shares, *(share for solo in plan.solos for share in solo.shares))
    return next((share.option.artifact.model for share in shares if share.option.tenant == name), None)


def _used(plan: Plan, tenant: str) -> tuple[tuple[object, ...], ...]:
    """Return the mappings that a tenant is served by, the most used first."""
    return tuple(mapping(share.option) for share in serving(plan, tenant))


def _staying(before: Plan, wanted: Wanted) -> list[Option]:
    """Return the options in use of those who were served before, and all of the others.

    A best plan of single options asks for single ones: the most used, and for who is free that which the best plan chose.
    """
    own: dict[str, list[Option]] = {}
    for option in wanted.options:
        own.setdefault(option.tenant, []).append(option)
    return [option for tenant in wanted.tenants for option in _stays(before, wanted.best, tenant.name, own.get(tenant.name, []))]


def _stays(before: Plan, best: Plan, tenant: str, own: Sequence[Option]) -> Sequence[Option]:
    used = _used(before, tenant)
    staying = [option for option in own if mapping(option) in used] if used else []
    if not best.single:
        return staying or own
    same = {share.option for share in before.shares}
    staying.sort(key=lambda option: (used.index(mapping(option)), option not in same))
    return staying[:1] or [share.option for share in best.shares_of(tenant)] or own[:1]


def _moves(before: Plan, after: Plan) -> Iterator[str]:
    for promise in after.promises:
        tenant = promise.tenant
        used = set(_used(before, tenant))
        if used and model_of(before, tenant) == model_of(after, tenant) and not used.issuperset(_used(after, tenant)):
            yield tenant
