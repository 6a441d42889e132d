"""The planner against enumeration: every vertex, every set of models, every point of a grid."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cotenant.describe import Artifact, Objective, Option, outstanding
from cotenant.plan import solve
from tests.plan_cases import Case, cases

Vector = NDArray[np.float64]


def rows(case: Case, options: tuple[Option, ...]) -> tuple[NDArray[np.float64], Vector]:
    """Write the rows of a crew of closed tenants without floors: A x <= b, x >= 0 among them."""
    names = [p.name for p in case.platform.processors]
    limits = [float(p.lanes) for p in case.platform.processors]
    bandwidth = case.platform.memories[0].bandwidth_bytes_per_s
    if bandwidth:
        names, limits = [*names, "dram"], [*limits, bandwidth]
    matrix = [[o.demand_of(name) for o in options] for name in names]
    matrix += [[o.latency_ns / 1e9 * (o.tenant == t.name) for o in options] for t in case.tenants]
    limits += [float(outstanding(t.arrival, case.platform.lanes) or 0) for t in case.tenants]
    sizes = np.array(limits)[:, None]
    scaled = np.array(matrix).reshape(len(limits), len(options)) / sizes
    scaled = scaled[scaled.any(axis=1)]
    return np.vstack([scaled, -np.eye(len(options))]), np.concatenate([np.ones(len(scaled)), np.zeros(len(options))])


def vertices(case: Case, options: tuple[Option, ...]) -> list[Vector]:
    """List every feasible point where as many rows hold with equality as there are options."""
    matrix, limit = rows(case, options)
    if not options:
        return []
    unit = np.abs(matrix[: -len(options)]).max(axis=0)
    found = []
    for chosen in itertools.combinations(range(len(limit)), len(options)):
        some = matrix[list(chosen)] / unit
        some, at = some / np.abs(some).max(axis=1)[:, None], limit[list(chosen)] / np.abs(some).max(axis=1)
        if np.linalg.matrix_rank(some, tol=1e-9) == len(options):
            x = np.linalg.solve(some, at) / unit
            if (matrix @ x <= limit + 1e-9).all() and (x * unit >= -1e-9).all():
                found.append(x)
    return found


def fitting_sets(case: Case) -> list[tuple[Option, ...]]:
    """List the options of every set of models that the memory holds."""
    artifacts = list(dict.fromkeys(o.artifact for o in case.options))
    room = case.platform.memories[0].capacity_bytes
    subsets: list[tuple[Artifact, ...]] = [s for n in range(len(artifacts) + 1) for s in itertools.combinations(artifacts, n)]
    return [tuple(o for o in case.options if o.artifact in s) for s in subsets if sum(a.resident_bytes for a in s) <= room]


def greatest(case: Case, gains: dict[str, float]) -> float:
    """Return the greatest sum of gain x rate over all vertices of all sets of models that fit."""
    best = 0.0
    for options in fitting_sets(case):
        gain = np.array([gains[o.tenant] for o in options])
        best = max([best, *(float(gain @ x) for x in vertices(case, options))])
    return best


small = cases(level=True, most_tenants=2)
crowded = cases(level=True, most_tenants=2, tight=True)


def few(case: Case) -> bool:
    return len(case.options) <= 5


@settings(max_examples=15)
@given(st.one_of(small, crowded).filter(few))
def test_the_greatest_throughput_is_that_of_the_best_vertex(case: Case) -> None:
    by_hand = greatest(case, dict.fromkeys((t.name for t in case.tenants), 1.0))
    plan = solve(case.tenants, case.options, case.platform, Objective.THROUGHPUT, allow_overload=True)
    assert plan.value == pytest.approx(by_hand, rel=1e-6)


@settings(max_examples=15)
@given(small.filter(few))
def test_the_greatest_weighted_sum_is_that_of_the_best_vertex(case: Case) -> None:
    plan = solve(case.tenants, case.options, case.platform, Objective.WEIGHTED)
    alone = {t.name: greatest(case, {u.name: float(u is t) for u in case.tenants}) for t in case.tenants}
    assert [p.solo_rate_per_s for p in plan.promises] == pytest.approx([alone[p.tenant] for p in plan.promises], rel=1e-6)
    assert plan.value == pytest.approx(greatest(case, {t.name: t.weight / alone[t.name] for t in case.tenants}), rel=1e-6)


@settings(max_examples=15)
@given(small.filter(few), st.sampled_from((Objective.PROPORTIONAL, Objective.MAXMIN)))
def test_no_mixture_of_vertices_is_better(case: Case, objective: Objective) -> None:
    """Two tenants' rates are mixtures of two vertices: a grid over all pairs comes close to the optimum, never above."""
    plan = solve(case.tenants, case.options, case.platform, objective)
    solo = {p.tenant: p.solo_rate_per_s for p in plan.promises}
    owners = np.array([[float(o.tenant == t.name) / solo[t.name] for o in case.options] for t in case.tenants])
    shares = np.unique(np.round([owners @ x for x in vertices(case, case.options)], 9), axis=0)
    mix = np.linspace(0.0, 1.0, 401)[:, None, None, None]
    p = (mix * shares[None, :, None, :] + (1 - mix) * shares[None, None, :, :]).reshape(-1, len(case.tenants))
    weight = np.array([t.weight for t in case.tenants])
    worth = np.log(np.maximum(p, 1e-12)) @ weight if objective is Objective.PROPORTIONAL else (p / weight).min(axis=1)
    assert worth.max() <= plan.bound + 1e-6
    assert worth.max() == pytest.approx(plan.value, abs=0.02)
