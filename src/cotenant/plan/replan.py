"""Planning again for a crew that has changed: what runs stays where it is, unless moving gains enough.

A tenant comes, goes, or changes its rank, weight, floor or arrivals. To *move* a tenant is to serve it by an option that it was not served
by before: models are loaded, caches grow cold, and a promise is at risk meanwhile. To change its rate costs nothing. So a plan is made
anew, and beside it one that keeps to the *options in use*: those that tenants which remain had a rate by, with the rates chosen afresh. Who
is new, who had no rate, and whose options are offered no more is free. Where the second plan reaches at least (1 - gain) of the first, it
is taken, and nothing moves; else the first.

What is compared, level by level in the plan's order, and every level must pass:

- demands and floors: as much as the best plan serves, less rounding, and no tenant that the best plan gives its floor, or all that
  arrives, may lose it. Gain has no say in this.
- proportional: exp of the weighted mean of log P, kept over best. The sum of w log P itself is no measure: it is negative, and grows with
  the weights.
- maxmin: the least P / w, at each of its levels: first among all, then among those whom the first did not hold down.
- weighted, throughput: the sum itself.
- whoever the best plan leaves with nothing because higher ranks take all: the kept plan must leave nothing that it could have, either.

The kept plan is proved over *all* options, by the prices of the best plan: `check` passes it. A bound from prices moves with what the
levels before are held to (weak duality), and no other way. So each level's bound is the best plan's, plus price times what the level's
rows give way; a proof of several leaves is priced anew, since a leaf that was impossible may be so no more. It says what no plan that keeps
as much at the levels before can exceed, so its gap is no less than what moving would gain. The prices shown are those of that proof: what
more of a resource would be worth if all moved where they should. `Replanned.best` has that plan, with its own bound.

Where the plan is of single options, so is the kept one: of several in use the most used stays, and who is free has what the best plan
chose. A search for single options may end early, and the options in use be ahead of what it found: then they stay, whatever that leaves to
lower ranks, duties apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Artifact, Bind, Goal, Leaf, Level, Objective, Option, Plan, Platform, Price, Share, Tenant, open_rate_per_s
from cotenant.errors import InputError
from cotenant.plan.aim import Aim
from cotenant.plan.branch import duals_of
from cotenant.plan.columns import Vector, columns
from cotenant.plan.levels import STARVED_P, Ladder, climb
from cotenant.plan.problem import USED, Problem, build
from cotenant.plan.relax import relax
from cotenant.plan.rows import Row, held_row
from cotenant.plan.single import Effort
from cotenant.plan.solve import HEADROOM, objective_levels, priced_level, solve

GAIN = 0.01  # of what the best plan reaches: what is not worth a move
EQUAL = 1e-6  # relative: what counts as reached, as in the certificate
_NOTHING_P = 2 * STARVED_P  # of a solo rate: what counts as nothing once a bound is rounded up
_DUST = 1e-7  # of a tenant's rate, or of its solo rate where it has no more: what the tolerances let through
_LOST = 1.0  # what counts as lost where a duty is broken: all
_DUTIES = {Goal.DEMAND, Goal.FLOORS, Goal.STARVED}

Limits = Mapping[tuple[Bind, str], float]
"""The right sides of the rows that levels leave behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replanned:
    """Hold the plan to serve by, and the best there is; they are one where moving is worth it.

    `gain`: the share of what the best plan reaches, at its worst level, that the options in use do not, in [0, 1]; 1 where they
    would break a duty. `moves`: who was served before and now is by an option that it was not served by.
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
    best = solve(tenants, options, platform, objective, headroom=headroom, allow_overload=allow_overload, effort=effort)
    return weigh(before, best, tenants, options, platform, gain=gain)


def weigh(
    before: Plan, best: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, *, gain: float = GAIN,
) -> Replanned:  # fmt: skip
    """Keep the options in use, with new rates, where they reach nearly what the best plan does; else take the best plan."""
    _refuse(gain)
    wanted = _Wanted(tenants=tuple(tenants), options=tuple(options), platform=platform, best=best)
    kept, lost = _climbed(wanted, _staying(before, wanted), gain)
    plan = best if kept is None else _plan(wanted, kept)
    if plan is not best and _deprived(tenants, best, plan):
        plan, lost = best, _LOST
    return Replanned(plan=plan, best=best, gain=lost, moves=tuple(_moves(before, plan)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Wanted:
    """Hold what is planned for, and the best plan for it."""

    tenants: tuple[Tenant, ...]
    options: tuple[Option, ...]
    platform: Platform
    best: Plan

    def problem(self, options: Sequence[Option]) -> Problem:
        return build(self.tenants, columns(self.tenants, options), self.platform, self.best.headroom)


def _refuse(gain: float) -> None:
    if not 0 <= gain < 1:
        raise InputError("gain", gain, "0 or more, less than 1")


def mapping(option: Option) -> tuple[object, ...]:
    """Return where and as what an option runs, whatever it takes: options of one mapping may be exchanged and nothing moves."""
    artifact = option.artifact
    places = tuple((step.segment, step.segments, step.processor, step.width) for step in option.chain)
    return artifact.model, artifact.precision, artifact.engine, option.batch, places


def _used(plan: Plan, tenant: str) -> tuple[tuple[object, ...], ...]:
    """Return the mappings that a tenant has a rate by, the most used first."""
    return tuple(mapping(share.option) for share in plan.shares_of(tenant) if share.rate_per_s > 0)


def _staying(before: Plan, wanted: _Wanted) -> list[Option]:
    """Return the options in use of those who were served before, and all of the others.

    A best plan of single options asks for single ones: the most used, and for who is free that which the best plan chose.
    """
    own: dict[str, list[Option]] = {}
    for option in wanted.options:
        own.setdefault(option.tenant, []).append(option)
    return [option for tenant in wanted.tenants for option in _stays(before, wanted.best, tenant.name, own.get(tenant.name, []))]


def _stays(before: Plan, best: Plan, tenant: str, own: Sequence[Option]) -> Sequence[Option]:
    used = _used(before, tenant)
    kept = [option for option in own if mapping(option) in used] if used else []
    if not best.single:
        return kept or own
    same = {share.option for share in before.shares}
    kept.sort(key=lambda option: (used.index(mapping(option)), option not in same))
    return kept[:1] or [share.option for share in best.shares_of(tenant)] or own[:1]


def _moves(before: Plan, after: Plan) -> Iterator[str]:
    for promise in after.promises:
        used = set(_used(before, promise.tenant))
        if used and not used.issuperset(_used(after, promise.tenant)):
            yield promise.tenant


def _climbed(wanted: _Wanted, options: Sequence[Option], gain: float) -> tuple[Ladder | None, float]:
    """Climb the best plan's levels with other options; return also what is lost of the best plan, None for more than `gain`.

    A search for single options may end before its best: what is ahead of it at one level may be behind at those after.
    """
    problem = wanted.problem(options)
    ladder = Ladder(problem=problem, rows=problem.rows, solos=wanted.best.solos, x=np.zeros(len(problem.options)))
    lost, ahead = 0.0, False
    for index, level in enumerate(wanted.best.levels):
        try:
            ladder = climb(ladder, _aim(level, wanted.tenants, ladder))
        except ArithmeticError:  # a tenant that the best plan serves cannot be served so: its model does not fit beside the others
            return None, _LOST
        ladder = _proved(ladder, wanted, index)
        loss = _loss(ladder, level)
        ahead = ahead or loss < -EQUAL
        if not ahead or level.goal in _DUTIES:
            lost = max(lost, loss)
        if lost > gain + EQUAL:
            return None, lost
    return ladder, lost


def _aim(level: Level, tenants: Sequence[Tenant], ladder: Ladder) -> Aim:
    """Return what a level of a plan made greatest."""
    some = [t for name in level.tenants for t in tenants if t.name == name]
    solos = tuple(ladder.solo(t.name) for t in some)
    weights, units = tuple(t.weight for t in some), solos
    match level.goal:
        case Goal.DEMAND:
            units = tuple(open_rate_per_s(t.arrival) or math.inf for t in some)
        case Goal.FLOORS:
            units = tuple(t.floor * solo for t, solo in zip(some, solos, strict=True))
        case Goal.STARVED:
            weights = (1.0,) * len(some)
        case Goal.THROUGHPUT | Goal.LOAD:
            weights = units = (1.0,) * len(some)
        case Goal.PROPORTIONAL | Goal.WEIGHTED | Goal.MAXMIN:
            pass
    return Aim(goal=level.goal, rank=level.rank, tenants=level.tenants, weights=weights, units_per_s=units)


def _loss(ladder: Ladder, best: Level) -> float:
    """Return what share of a level's best the level climbed last lacks, less than 0 where it has more; all of it for a broken duty."""
    aim, kept = ladder.aims[-1], ladder.levels[-1]
    short, weight = best.value - kept.value, sum(aim.weights)
    match aim.goal:
        case Goal.DEMAND | Goal.FLOORS:
            return _LOST if short > EQUAL * min(aim.weights) else min(0.0, short)
        case Goal.STARVED:
            return _LOST if kept.bound > max(_NOTHING_P, best.bound) else 0.0
        case Goal.PROPORTIONAL:
            return -math.expm1(-short / weight)
        case Goal.WEIGHTED:
            return _ratio(short, best.value, weight)
        case Goal.MAXMIN:
            return _ratio(short, best.value, 1 / max(aim.weights))
        case Goal.THROUGHPUT:
            return _ratio(short, best.value, sum(ladder.solo(name) for name in aim.tenants))
        case Goal.LOAD:
            return 0.0


def _ratio(short: float, best: float, most: float) -> float:
    """Return what share of the best is short; none of what is next to nothing beside the `most` that there could be."""
    return short / best if best > STARVED_P * most else min(0.0, short / most)


def _deprived(tenants: Sequence[Tenant], best: Plan, kept: Plan) -> bool:
    """Say whether a tenant has its floor, or all that arrives, by the best plan and not by the kept one."""
    return any(
        best.promise(t.name).rate_per_s >= due * (1 - EQUAL) > kept.promise(t.name).rate_per_s + EQUAL * due
        for t in tenants
        for due in (t.floor * best.promise(t.name).solo_rate_per_s, open_rate_per_s(t.arrival) or 0.0)
    )


def _proved(ladder: Ladder, wanted: _Wanted, index: int) -> Ladder:
    """Give the level climbed last a proof over all options: the best plan's leaves, with a bound for what this ladder keeps."""
    level, best = _rounded(ladder.levels[-1], wanted.best.levels[index]), wanted.best.levels[index]
    before, now = _limits(wanted.best.levels[:index]), _limits(ladder.levels[:-1])
    if before == now:
        bound, leaves = best.bound, best.leaves
    elif len(best.leaves) == 1:
        bound, leaves = best.bound + _slip(best.leaves[0], before, now), best.leaves
    else:
        bound, leaves = _again(ladder, wanted, best)
    return replace(ladder, levels=(*ladder.levels[:-1], replace(level, bound=max(bound, level.value), leaves=leaves)))


def _rounded(level: Level, best: Level) -> Level:
    """Let later levels keep just what the best plan's do, where that is the same but for rounding: its proof then holds as it is."""
    pairs = [(rate, most) for (_, rate), (_, most) in zip(level.held, best.held, strict=True)]
    same = all(abs(rate - most) <= EQUAL / 2 * most for rate, most in pairs)
    if level.least is not None and best.least is not None:
        same = best.least <= level.value <= best.value + EQUAL / 2 * max(1.0, abs(best.value))
    return replace(level, held=best.held, least=best.least) if same else level


def _limits(levels: Sequence[Level]) -> Limits:
    limits: dict[tuple[Bind, str], float] = {}
    for level in levels:
        if level.least is not None:
            limits[Bind.LEVEL, level.name] = -level.least
        for tenant, rate_per_s in level.held:
            limits[Bind.HELD, tenant] = min(-rate_per_s, limits.get((Bind.HELD, tenant), 0.0))
    return limits


def _slip(leaf: Leaf, before: Limits, now: Limits) -> float:
    """Return by how much a leaf's bound moves with the limits: a sum of price times limit, all else the same."""
    return sum(dual.price * (now[row] - before[row]) for dual in leaf.duals if (row := (dual.bind, dual.of)) in before)


def _again(ladder: Ladder, wanted: _Wanted, best: Level) -> tuple[float, tuple[Leaf, ...]]:
    """Bound a level anew for what the ladder keeps: leaf by leaf, since one that was impossible may be so no more.

    Sides rest on tenants being alike, and they may keep different rates now: plans of single options are bounded by mixtures.
    """
    problem, aim = wanted.problem(wanted.options), ladder.aims[-1]
    rows = (*problem.rows, *_kept_rows(ladder, problem))
    banned = tuple(dict.fromkeys(leaf.banned for leaf in best.leaves))
    found = [relax(problem, aim, rows, _left(problem, some), np.zeros(len(problem.options))) for some in banned]
    leaves = (Leaf(banned=some, duals=duals_of(rows, one.prices)) for some, one in zip(banned, found, strict=True))
    return max(one.bound for one in found), tuple(leaves)


def _kept_rows(ladder: Ladder, problem: Problem) -> Iterator[Row]:
    """Yield the rows that all levels but the last leave behind, over the options of a problem."""
    aims = {level.name: aim for level, aim in zip(ladder.levels, ladder.aims, strict=True) if level.least is not None}
    for (bind, of), limit in _limits(ladder.levels[:-1]).items():
        if bind is Bind.HELD:
            yield held_row(of, problem.owner(of), -limit)
        else:
            yield Row(bind=bind, of=of, taken=-aims[of].gain(problem), limit=limit)


def _left(problem: Problem, banned: Sequence[Artifact]) -> NDArray[np.intp]:
    """Return the indices of the options that need none of these artifacts."""
    return np.flatnonzero([option.artifact not in banned for option in problem.options])


def _plan(wanted: _Wanted, ladder: Ladder) -> Plan:
    """Make a plan of rates by the options in use; what it is measured against is the best plan's."""
    problem, best = ladder.problem, wanted.best
    most = [min(ladder.solo(t.name), open_rate_per_s(t.arrival) or math.inf) for t in wanted.tenants]
    x = _settled(ladder, np.array(most))
    rates = problem.rates(x)
    counted = objective_levels(ladder.levels)
    promises = (replace(best.promise(t.name), rate_per_s=min(rates[t.name], m)) for t, m in zip(wanted.tenants, most, strict=True))
    return replace(
        best,
        shares=tuple(Share(option=problem.options[k], rate_per_s=float(x[k])) for k in np.flatnonzero(x)),
        promises=tuple(promises),
        prices=tuple(_price(price, ladder, x, best.headroom) for price in best.prices),
        value=sum(aim.value(problem, x) for aim, level in zip(ladder.aims, ladder.levels, strict=True) if level in counted),
        bound=sum(level.bound for level in counted),
        levels=ladder.levels,
    )


def _price(price: Price, ladder: Ladder, x: Vector, headroom: float) -> Price:
    """Price a resource as the proof does, with what the rates use of it."""
    level = priced_level(ladder.levels)
    paid = {(dual.bind, dual.of): dual.price for dual in level.leaves[0].duals} if level else {}
    whole, part = (paid.get((bind, price.resource), 0.0) for bind in (Bind.CAPACITY, Bind.HEADROOM))
    return replace(price, used=float(ladder.problem.columns.demanded(price.resource) @ x), price=whole + headroom * part)


def _settled(ladder: Ladder, most: Vector) -> Vector:
    """Remove what the tolerances leave: no rate that is dust, and of each tenant none above `most`."""
    problem, owner = ladder.problem, ladder.problem.columns.owner
    solo = np.array([ladder.solo(t.name) for t in problem.tenants])
    rates = np.bincount(owner, weights=ladder.x, minlength=len(solo))
    dust = _DUST * np.where(rates > _DUST * solo, rates, solo)
    x = np.where(ladder.x > np.maximum(dust[owner], USED * problem.unit), ladder.x, 0.0)
    rates = np.bincount(owner, weights=x, minlength=len(solo))
    return np.asarray(x * np.where(rates > most, most / np.maximum(rates, most), 1.0)[owner])
