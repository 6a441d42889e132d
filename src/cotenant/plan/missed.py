"""What a plan owes and does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cotenant.describe import Goal, Level, Plan, Tenant, open_rate_per_s
from cotenant.plan.levels import STARVED_P
from cotenant.plan.serving import told_per_s
from cotenant.plan.tolerated import open_of
from cotenant.plan.words import listed
from cotenant.plan.written import objective_levels

_CLOSE = 1e-6  # relative: what tolerances leave of a demand, or of a floor, that is held


def missed(plan: Plan, tenant: Tenant) -> tuple[str, ...]:
    """Say what of a tenant's arrivals and of its floor a plan does not hold; nothing where it holds both."""
    return tuple(_missed(plan, tenant))


def serves_all(plan: Plan, tenant: Tenant) -> bool:
    """Say whether a plan promises a tenant all that arrives; of closed tenants nothing does by itself."""
    arriving = open_rate_per_s(tenant.arrival)
    return arriving is None or told_per_s(plan.promise(tenant.name)) >= arriving * (1 - _CLOSE)


def _missed(plan: Plan, tenant: Tenant) -> Iterator[str]:
    promise, arriving = plan.promise(tenant.name), open_rate_per_s(tenant.arrival)
    rate_per_s = told_per_s(promise)
    if arriving is not None and not serves_all(plan, tenant):
        got, due = _apart(rate_per_s, arriving)
        yield f"{tenant.name} gets {got}/s of {due}/s that arrive"
    p = rate_per_s / promise.solo_rate_per_s
    if p < tenant.floor * (1 - _CLOSE):
        yield "the floor of {} is missed: P {} of {}".format(tenant.name, *_apart(p, tenant.floor))


def _apart(got: float, due: float) -> tuple[str, str]:
    """Write two numbers in as many digits as tell them apart."""
    digits = next((n for n in (3, 5) if f"{got:.{n}g}" != f"{due:.{n}g}"), 8)
    return f"{got:.{digits}g}", f"{due:.{digits}g}"


def outdone(level: Level, before: Sequence[Level]) -> bool:
    """Say whether a plan may hold more of what a level says is due: mappings, and searches that ended early, hold less."""
    match level.goal:
        case Goal.DEMAND | Goal.FLOORS:
            return open_of(level, before) > _CLOSE * max(1.0, abs(level.bound))
        case Goal.STARVED:
            return level.value <= STARVED_P < level.bound
        case _:
            return False


def unbounded(levels: Sequence[Level]) -> str:
    """Say why nothing bounds what comes after some levels, in words that follow on a `since`; empty where they hold what is due.

    Who holds less of it has more to divide, and the bound of a later level is that of the plans which hold as little.
    """
    return next((_more(level) for at, level in enumerate(levels) if outdone(level, levels[:at])), "")


def _more(level: Level) -> str:
    match level.goal:
        case Goal.DEMAND:
            return "a plan may serve more of what arrives"
        case Goal.FLOORS:
            return "a plan may hold more of the floors"
        case _:
            return f"a plan may serve {listed(level.tenants)}"


def left_out(levels: Sequence[Level], rank: int) -> tuple[str, ...]:
    """Name those of a rank that the objective leaves out, since they get nothing: a logarithm knows no zero."""
    return tuple(level.tenants[-1] for level in levels if level.goal is Goal.STARVED and level.rank == rank)


def incomparable(plan: Plan) -> str:
    """Say why no bound is to be held against all that a plan is worth; empty where its own is."""
    counted = objective_levels(plan.levels)
    ends = (at + (level.goal is Goal.STARVED) for at, level in enumerate(plan.levels) if level in counted or level.goal is Goal.STARVED)
    return unbounded(plan.levels[: max(ends, default=0)])
