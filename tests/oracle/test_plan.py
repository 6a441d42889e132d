"""Plans of one option for each tenant against every choice, and against HiGHS's own search over integers."""

from __future__ import annotations

import itertools
from dataclasses import replace

import highspy
import numpy as np
import pytest
from numpy.typing import NDArray

from cotenant.describe import Goal, Objective, Option, Plan, Tenant, outstanding
from cotenant.plan import Effort, check, solve
from tests.plan_cases import Case, closed, option, platform

INSTANCES = 200
EXACT = Effort(gap=0.0, nodes=10**6)
CLOSE = 1e-6

Matrix = NDArray[np.float64]


def drawn(tenants: int, seed: int) -> Case:
    """Draw closed tenants of one rank with options on three processors; in some cases two tenants are alike."""
    rng = np.random.default_rng((tenants, seed))
    board = platform(2, 4, 1)
    twins = rng.random() < 0.3
    crew: list[Tenant] = []
    options: list[Option] = []
    for name in (f"t{at}" for at in range(tenants)):
        if twins and len(crew) == 1:
            crew.append(replace(crew[0], name=name))
            options += [replace(one, tenant=name) for one in options]
            continue
        crew.append(closed(name, weight=float(rng.choice([0.5, 1.0, 1.0, 2.0])), outstanding=int(rng.choice([2, 8]))))
        for _ in range(int(rng.integers(2, 6))):
            cpu = int(rng.integers(3))
            options.append(option(name, float(rng.uniform(5, 80)), f"cpu{cpu}", int(rng.integers(1, (2, 4, 1)[cpu] + 1))))
    return Case(tenants=tuple(crew), options=tuple(options), platform=board)


def objective(seed: int) -> Objective:
    return tuple(Objective)[seed % len(Objective)]


def rows(case: Case) -> tuple[Matrix, Matrix]:
    """Write the rows over all options: lanes of each processor, and requests in flight of each tenant."""
    matrix = [[o.demand_of(p.name) for o in case.options] for p in case.platform.processors]
    matrix += [[o.latency_ns / 1e9 * (o.tenant == t.name) for o in case.options] for t in case.tenants]
    lanes = [float(p.lanes) for p in case.platform.processors]
    limit = lanes + [float(outstanding(t.arrival, case.platform.lanes) or 0) for t in case.tenants]
    return np.array(matrix), np.array(limit)


def gains(case: Case, plan: Plan) -> Matrix:
    """Return by tenant what one inference per second adds to a weighted sum."""
    if plan.objective is Objective.THROUGHPUT:
        return np.ones(len(case.tenants))
    return np.array([t.weight / plan.promise(t.name).solo_rate_per_s for t in case.tenants])


def units(case: Case, plan: Plan) -> Matrix:
    return np.array([t.weight * plan.promise(t.name).solo_rate_per_s for t in case.tenants])


def choices(case: Case) -> list[tuple[int, ...]]:
    own = [[k for k, o in enumerate(case.options) if o.tenant == t.name] for t in case.tenants]
    return list(itertools.product(*own))


def greatest_at(matrix: Matrix, limit: Matrix, gain: Matrix) -> float:
    """Return the greatest gain over y >= 0 with matrix y <= limit: that of the best vertex."""
    count = matrix.shape[1]
    every, most = np.vstack([matrix, -np.eye(count)]), np.concatenate([limit, np.zeros(count)])
    best = 0.0
    for some in itertools.combinations(range(len(most)), count):
        square = every[list(some)]
        if abs(np.linalg.det(square)) > 1e-14:
            y = np.linalg.solve(square, most[list(some)])
            if (every @ y <= most + 1e-9 * (1 + np.abs(most))).all():
                best = max(best, float(gain @ y))
    return best


def best_of_all(case: Case, plan: Plan) -> float:
    matrix, limit = rows(case)
    if plan.objective is Objective.MAXMIN:
        return max(float((limit / (matrix[:, c] @ units(case, plan)).clip(1e-12)).min()) for c in map(list, choices(case)))
    return max(greatest_at(matrix[:, c], limit, gains(case, plan)) for c in map(list, choices(case)))


def milp(case: Case, plan: Plan) -> float:
    """Let HiGHS choose: a rate for each option, and whether the option is the one that its tenant has."""
    matrix, limit = rows(case)
    most = (limit[:, None] / matrix.clip(1e-12)).min(axis=0)
    count, names = len(case.options), [t.name for t in case.tenants]
    maxmin = plan.objective is Objective.MAXMIN
    model = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    model.setOptionValue("mip_rel_gap", 0.0)
    gain = np.array([0.0 if maxmin else gains(case, plan)[names.index(o.tenant)] for o in case.options])
    model.addVars(2 * count + 1, np.zeros(2 * count + 1), np.concatenate([most, np.ones(count), [np.inf if maxmin else 0.0]]))
    model.changeColsCost(2 * count + 1, np.arange(2 * count + 1, dtype=np.int32), -np.concatenate([gain, np.zeros(count), [1.0]]))
    model.changeColsIntegrality(count, np.arange(count, 2 * count, dtype=np.int32), np.full(count, highspy.HighsVarType.kInteger))
    for row, given in zip(matrix, limit, strict=True):
        used = np.flatnonzero(row).astype(np.int32)
        model.addRow(-np.inf, given, len(used), used, row[used])
    for k in range(count):
        model.addRow(-np.inf, 0.0, 2, np.array([k, count + k], dtype=np.int32), np.array([1.0, -most[k]]))
    for at, name in enumerate(names):
        own = np.array([k for k, o in enumerate(case.options) if o.tenant == name], dtype=np.int32)
        model.addRow(-np.inf, 1.0, len(own), own + count, np.ones(len(own)))
        if maxmin:
            columns = np.append(own, 2 * count).astype(np.int32)
            model.addRow(0.0, np.inf, len(columns), columns, np.append(np.ones(len(own)), -units(case, plan)[at]))
    model.run()
    return -float(model.getInfo().objective_function_value)


def reached(plan: Plan) -> float:
    goals = {Goal.MAXMIN, Goal.WEIGHTED, Goal.THROUGHPUT, Goal.PROPORTIONAL}
    return next(level.value for level in plan.levels if level.goal in goals)


def planned(tenants: int, seed: int) -> tuple[Case, Plan]:
    """Plan a drawn case, and hold what every exact plan must: one option each, and a proof that leaves nothing open."""
    case = drawn(tenants, seed)
    plan = solve(case.tenants, case.options, case.platform, objective(seed), effort=EXACT)
    verdict = check(plan, case.tenants, case.options, case.platform)
    assert verdict.ok, verdict.complaints
    assert all(len(plan.shares_of(t.name)) <= 1 for t in case.tenants)
    assert plan.gap <= CLOSE * max(1.0, abs(plan.value))
    return case, plan


@pytest.mark.parametrize("tenants", [2, 3])
def test_a_plan_of_single_options_is_the_best_of_all_choices(tenants: int) -> None:
    for seed in range(INSTANCES):
        case, plan = planned(tenants, seed)
        if plan.objective is not Objective.PROPORTIONAL:  # that one is proved by its certificate, which closes
            assert reached(plan) == pytest.approx(best_of_all(case, plan), rel=CLOSE), seed


@pytest.mark.parametrize("tenants", [4, 5])
def test_a_plan_of_single_options_is_that_of_a_search_over_integers(tenants: int) -> None:
    for seed in range(INSTANCES):
        case, plan = planned(tenants, seed)
        if plan.objective is not Objective.PROPORTIONAL:
            assert reached(plan) == pytest.approx(milp(case, plan), rel=CLOSE), seed
