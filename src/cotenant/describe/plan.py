"""A plan: a rate for every option, with the prices that prove it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from cotenant.describe.crew import Objective
from cotenant.describe.option import Artifact, Option
from cotenant.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Give one option a rate, in inferences per second."""

    option: Option
    rate_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Promise a tenant a rate; P = rate_per_s / solo_rate_per_s, in [0, 1]."""

    tenant: str
    rate_per_s: float
    solo_rate_per_s: float

    @property
    def p(self) -> float:
        return self.rate_per_s / self.solo_rate_per_s if self.solo_rate_per_s > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Say what one more unit of a resource would add to the objective, and how much of it is used."""

    resource: str
    unit: str
    used: float
    capacity: float
    price: float


class Bind(str, Enum):
    """Say what a row of the plan's linear program holds; every row reads `sum of a x <= b`."""

    CAPACITY = "capacity"  # of a resource
    HEADROOM = "headroom"  # open tenants alone, on a processor
    ARRIVALS = "arrivals"  # an open tenant's rate
    OUTSTANDING = "outstanding"  # a closed tenant's requests in flight (Little)
    ACCURACY = "accuracy"  # a tenant's mean accuracy
    HELD = "held"  # a tenant's rate, as the levels before left it
    LEVEL = "level"  # a level's value, as it was left


class Goal(str, Enum):
    """Say what a level makes greatest; y is a tenant's rate, w its weight, S its solo rate."""

    DEMAND = "demand"  # sum of w y / arrival rate
    FLOORS = "floors"  # sum of w min(1, y / (floor S))
    STARVED = "starved"  # least y / S, with a last tenant that higher levels leave nothing
    PROPORTIONAL = "proportional"  # sum of w log(y / S)
    WEIGHTED = "weighted"  # sum of w y / S
    MAXMIN = "maxmin"  # least y / (w S)
    THROUGHPUT = "throughput"  # sum of y
    LOAD = "load"  # minus the sum of used / capacity over all resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Dual:
    """Price one row: what one more unit of its limit would add to its level's value."""

    bind: Bind
    of: str
    price: float


MOST = 1e300
"""More than any figure of an option: infinity is no number in JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Leave a tenant those of its options whose figure is at least `least` and less than `below`; `figure` as `Option.figure_of` has it."""

    tenant: str
    figure: str
    least: float = 0.0
    below: float = MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """Prove a bound for all plans that leave these artifacts out, none where the memories hold every choice, and that keep to these sides.

    `sieves`: prices that show, one after the other, by which options that are left no choice exceeds the level's bound (reduced-cost
    fixing); the leaf's own prices are for the rest. Sides and sieves stand only in plans of one option for each tenant.
    """

    banned: tuple[Artifact, ...]
    duals: tuple[Dual, ...]
    sides: tuple[Side, ...] = ()
    sieves: tuple[tuple[Dual, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Hold one step of the order: what it made greatest, for whom, how far it came and why no plan comes further.

    Later levels keep `held`, a rate per tenant, and `least`, the level's own value less a tolerance. The first leaf is
    the plan's own: its artifacts and sides leave what was chosen, though its sieves may not.
    """

    goal: Goal
    rank: int
    tenants: tuple[str, ...]
    value: float
    bound: float
    leaves: tuple[Leaf, ...]
    held: tuple[tuple[str, float], ...] = ()
    least: float | None = None

    @property
    def name(self) -> str:
        return f"{self.goal.value} {self.rank}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Solo:
    """Show how a tenant alone reaches its solo rate, and why it cannot exceed it."""

    tenant: str
    shares: tuple[Share, ...]
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Hold the rates, the promises and the proof: objective <= bound, gap = bound - objective.

    `value` and `bound` add up the levels of the objective (the first of each rank), or without closed tenants those
    of the open demands. `levels` and `solos` are the proof. `crew` and `platform` are hashes of what was planned for;
    `slowdowns` pairs models (digests) with what an inference was reckoned to take beside the others over what it takes alone;
    `stalls` pairs processors with the share of their busy time that it takes to be lost waiting for a memory;
    `single`: each tenant has one option, and the bound is that of all plans which give one.
    """

    shares: tuple[Share, ...]
    promises: tuple[Promise, ...]
    prices: tuple[Price, ...]
    objective: Objective
    value: float
    bound: float
    seconds: float = 0.0
    policy: str = "rank_edf"
    params: tuple[tuple[str, float], ...] = ()
    crew: str = ""
    platform: str = ""
    slowdowns: tuple[tuple[str, float], ...] = ()
    headroom: float = 0.9
    single: bool = False
    stalls: tuple[tuple[str, float], ...] = ()
    levels: tuple[Level, ...] = ()
    solos: tuple[Solo, ...] = ()

    def __post_init__(self) -> None:
        for model, factor in self.slowdowns:
            if not 0 < factor < math.inf:
                raise InputError(f"slowdowns[{model}]", factor, "a positive number")
        for processor, lost in self.stalls:
            if not 0 <= lost < 1:
                raise InputError(f"stalls[{processor}]", lost, "0 or more, less than 1")

    @property
    def gap(self) -> float:
        return self.bound - self.value

    @property
    def stp(self) -> float:
        return sum(promise.p for promise in self.promises)

    def promise(self, tenant: str) -> Promise:
        """Return what a tenant is promised; KeyError for a stranger."""
        for promise in self.promises:
            if promise.tenant == tenant:
                return promise
        raise KeyError(tenant)

    def shares_of(self, tenant: str) -> tuple[Share, ...]:
        """Return the shares of one tenant, the greatest rate first."""
        own = (s for s in self.shares if s.option.tenant == tenant)
        return tuple(sorted(own, key=lambda s: -s.rate_per_s))
