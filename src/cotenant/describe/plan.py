"""A plan: a rate for every option, with the prices that prove it."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.describe.crew import Objective
from cotenant.describe.option import Option


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Hold the rates, the promises and the proof: objective <= bound, gap = bound - objective.

    `crew` and `platform` are hashes of what was planned for.
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
