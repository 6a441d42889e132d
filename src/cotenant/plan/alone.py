"""What each tenant reaches with the platform for itself.

Tenants alone have nothing in common, so one linear program of as many blocks finds all solo rates at once, and each block's prices prove
its own. Tenants that are alike share a block: a search for single options knows them by their rates. Whose models then do not fit a memory
together is sought by itself, artifact by artifact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cotenant.describe import Bind, Goal, Leaf, Platform, Solo, Tenant
from cotenant.errors import InfeasibleError, InputError
from cotenant.plan.aim import Aim
from cotenant.plan.branch import best, duals_of
from cotenant.plan.columns import Columns, Vector
from cotenant.plan.lp import Lazy, LostError, Lp, Optimum
from cotenant.plan.problem import Problem, build
from cotenant.plan.written import shares_of


def solos(tenants: Sequence[Tenant], every: Columns, platform: Platform, headroom: float) -> tuple[Solo, ...]:
    """Give each tenant the platform for itself, with its own arrivals and its own options.

    InputError for one without an option; InfeasibleError where none of its models fits.
    """
    problems = [build([tenant], every.of(at), platform, headroom) for at, tenant in enumerate(tenants)]
    for tenant, problem in zip(tenants, problems, strict=True):
        if not problem.options:
            raise InputError(f"tenants[{tenant.name}]", "no option", "at least one way to serve it")
    blocks = {_key(problem): problem for problem in problems}
    found = _together(list(blocks.values())) if blocks else None
    if found is None:
        return tuple(_apart(problem) for problem in problems)
    rates = np.split(found.columns, np.cumsum([len(problem.options) for problem in blocks.values()])[:-1])
    prices = np.split(found.prices, np.cumsum([len(problem.rows) for problem in blocks.values()])[:-1])
    of = dict(zip(blocks, zip(rates, prices, strict=True), strict=True))
    return tuple(_solo(problem, *of[_key(problem)]) for problem in problems)


def _key(problem: Problem) -> tuple[tuple[Bind, float, bytes], ...]:
    return tuple((row.bind, row.limit, row.taken.tobytes()) for row in problem.rows)


def _together(problems: Sequence[Problem]) -> Optimum | None:
    """Make the sum of all rates greatest, each as a share of its tenant's fastest option; None if that cannot be told."""
    first = np.cumsum([0, *(len(problem.options) for problem in problems)])
    taken = np.zeros((sum(len(problem.rows) for problem in problems), first[-1]))
    at = 0
    for problem, column in zip(problems, first[:-1], strict=True):
        for row in problem.rows:
            taken[at, column : column + len(row.taken)] = row.taken
            at += 1
    lp = Lp(
        np.concatenate([np.full(len(problem.options), 1.0 / _fastest(problem)) for problem in problems]),
        taken,
        np.array([row.limit for problem in problems for row in problem.rows]),
        unit=np.concatenate([problem.unit for problem in problems]),
        lazy=Lazy(
            group=np.repeat(np.arange(len(problems)), np.diff(first)),
            start=np.flatnonzero(np.concatenate([problem.promising for problem in problems])),
        ),
    )
    try:
        return lp.solve()
    except LostError:
        return None


def _fastest(problem: Problem) -> float:
    return float(problem.unit.max())


def _solo(problem: Problem, x: Vector, prices: Vector) -> Solo:
    x = np.maximum(x, 0.0)
    if x.sum() <= 0 or problem.overflow(x):
        return _apart(problem)
    leaf = Leaf(banned=(), duals=duals_of(problem.rows, prices * _fastest(problem)))
    return Solo(tenant=problem.tenants[0].name, shares=shares_of(problem, x), leaves=(leaf,))


def _apart(problem: Problem) -> Solo:
    (tenant,) = problem.tenants
    aim = Aim(goal=Goal.THROUGHPUT, rank=tenant.rank, tenants=(tenant.name,), weights=(1.0,), units_per_s=(1.0,))
    found = best(problem, aim, problem.rows, np.zeros(len(problem.options)))
    if found is None or found.value <= 0:
        raise InfeasibleError(*_homeless(tenant, problem))
    return Solo(tenant=tenant.name, shares=shares_of(problem, found.x), leaves=found.leaves)


def _homeless(tenant: Tenant, problem: Problem) -> tuple[str, str, str]:
    least = min((o.artifact for o in problem.options), key=lambda a: a.resident_bytes)
    if tenant.accuracy_floor is not None and all((o.accuracy or 0) < tenant.accuracy_floor for o in problem.options):
        most = max(o.accuracy or 0 for o in problem.options)
        return f"tenants[{tenant.name}].accuracy", f"{tenant.accuracy_floor} is more than any option has", f"at most {most:.3g}"
    return least.memory, f"tenant {tenant.name} needs {least.resident_bytes} bytes resident by its smallest option", "a smaller model"
