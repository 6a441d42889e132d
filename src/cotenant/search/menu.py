"""What a search may choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Bind, Option, Platform, Tenant
from cotenant.plan.problem import Problem
from cotenant.plan.rows import Row
from cotenant.plan.solve import HEADROOM, start
from cotenant.units import NS_PER_S

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Indices = NDArray[np.intp]

Choice = tuple[int, ...]
"""A mapping: for each tenant, in order, the index of its one option among the menu's."""


class Visit(NamedTuple):
    """A run of steps on one processor (an index) at one width, from a segment on; `seconds` is what they take alone."""

    processor: int
    segment: int
    width: int
    seconds: float


Route = tuple[Visit, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Menu:
    """Hold tenants and options as numbers; all arrays are read-only.

    `own`: the indices of each tenant's options that serve it alone by themselves. `owner`, `latency_s`, `routes`, `most`: one entry
    per option; `most` is the P that it reaches alone, in [0, 1]. `taken`, `limit`: the plan's rows `taken @ x <= limit`, shape (rows,
    options) and (rows,), x in inferences per second. `solo_per_s`, `weight`, `floor`, `rank`: one entry per tenant; `arriving_per_s`
    too, NaN for a closed one. `lane_s`: lane-seconds per inference, shape (processors, options), of `lanes`. `artifact`: an index per
    option, equal where they share what is resident.
    """

    problem: Problem
    headroom: float
    own: tuple[Indices, ...]
    owner: Indices
    taken: Matrix
    limit: Vector
    most: Vector
    solo_per_s: Vector
    weight: Vector
    floor: Vector
    rank: Indices
    arriving_per_s: Vector
    latency_s: Vector
    lane_s: Matrix
    lanes: Vector
    routes: tuple[Route, ...]
    artifact: Indices

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        return self.problem.tenants

    def options(self, choice: Sequence[int]) -> tuple[Option, ...]:
        """Return the options that a mapping chooses."""
        return tuple(self.problem.options[k] for k in choice)

    def cuts(self, option: int) -> tuple[int, ...]:
        """Return before which segments an option changes its processor."""
        return tuple(visit.segment for visit in self.routes[option][1:])

    def processors(self, option: int) -> tuple[int, ...]:
        """Return the processors that an option visits, in order."""
        return tuple(visit.processor for visit in self.routes[option])

    def whole(self, tenant: int) -> tuple[int, ...]:
        """List a tenant's options that stay on one processor; all of them if none does."""
        own = tuple(int(k) for k in self.own[tenant])
        return tuple(k for k in own if len(self.routes[k]) == 1) or own

    def load(self) -> Matrix:
        """Return what share of each processor every option would keep busy at its tenant's solo rate; shape (processors, options)."""
        return np.asarray(self.lane_s * self.solo_per_s[self.owner] / self.lanes[:, None])


def menu_of(tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, headroom: float = HEADROOM) -> Menu:
    """Write a crew's options as numbers.

    InputError for a tenant without an option, InfeasibleError for one that cannot be served even alone, as `plan.solve` raises them.
    """
    ladder = start(tenants, options, platform, headroom)
    problem = ladder.problem
    owner = _owner(problem)
    solo_per_s = np.array([ladder.solo(t.name) for t in problem.tenants])
    taken, limit = np.array([row.taken for row in problem.rows]), np.array([row.limit for row in problem.rows])
    most = _most(taken, limit, solo_per_s[owner]) * _fits_alone(problem)
    built = Menu(
        problem=problem, headroom=headroom, owner=owner, taken=taken, limit=limit, most=most, solo_per_s=solo_per_s,
        own=tuple(np.flatnonzero((owner == i) & (most > 0)) for i in range(len(problem.tenants))),
        weight=np.array([t.weight for t in problem.tenants]),
        floor=np.array([t.floor for t in problem.tenants]),
        rank=np.array([t.rank for t in problem.tenants], dtype=np.intp),
        arriving_per_s=np.array([_arriving_per_s(t, problem.rows) for t in problem.tenants]),
        latency_s=np.array([option.latency_ns / NS_PER_S for option in problem.options]),
        lane_s=np.array([[o.demand_of(p.name) for o in problem.options] for p in platform.processors]),
        lanes=np.array([float(p.lanes) for p in platform.processors]),
        routes=tuple(_route(option, platform) for option in problem.options),
        artifact=_artifacts(problem.options),
    )  # fmt: skip
    for value in (getattr(built, field.name) for field in fields(built)):
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return built


def _owner(problem: Problem) -> Indices:
    index = {tenant.name: i for i, tenant in enumerate(problem.tenants)}
    return np.array([index[option.tenant] for option in problem.options], dtype=np.intp)


def _most(taken: Matrix, limit: Vector, solo_per_s: Vector) -> Vector:
    """Return the P that each option reaches by itself; 0 where a row forbids it, as a mean accuracy does below the floor."""
    with np.errstate(divide="ignore", invalid="ignore"):
        alone = np.where(taken > 0, np.maximum(limit, 0.0)[:, None] / (taken * solo_per_s), np.inf)
    return np.asarray(np.minimum(alone.min(axis=0, initial=np.inf), 1.0))


def _fits_alone(problem: Problem) -> Vector:
    room = {memory.name: memory.capacity_bytes for memory in problem.platform.memories}
    return np.array([float(o.artifact.resident_bytes <= room.get(o.artifact.memory, np.inf)) for o in problem.options])


def _arriving_per_s(tenant: Tenant, rows: Sequence[Row]) -> float:
    return next((row.limit for row in rows if (row.bind, row.of) == (Bind.ARRIVALS, tenant.name)), float("nan"))


def _route(option: Option, platform: Platform) -> Route:
    """Join steps that follow each other on one processor at one width."""
    index = {processor.name: p for p, processor in enumerate(platform.processors)}
    visits: list[Visit] = []
    for step in option.chain:
        place, seconds = (index[step.processor], step.width), step.duration_ns / NS_PER_S
        if visits and (visits[-1].processor, visits[-1].width) == place:
            visits[-1] = visits[-1]._replace(seconds=visits[-1].seconds + seconds)
        else:
            visits.append(Visit(processor=place[0], segment=step.segment, width=place[1], seconds=seconds))
    return tuple(visits)


def _artifacts(options: Sequence[Option]) -> Indices:
    numbers = {artifact: i for i, artifact in enumerate(dict.fromkeys(option.artifact for option in options))}
    return np.array([numbers[option.artifact] for option in options], dtype=np.intp)
