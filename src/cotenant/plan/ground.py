"""What a proof stands on: rows, limits and goals as they are; shares no code with the solver."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cotenant.describe import Bind, Goal, Level, Option, Platform, Tenant, open_rate_per_s, outstanding

CLOSE = 1e-6  # relative: what counts as equal
FITS, HOLDS = 1e-8, 1e-7  # of a limit, of what is held: by how much rates may exceed the one, or miss the other, and still keep to it


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Hold what prices are put on: who may be served how, and what the levels before have left.

    `solo_per_s` and `held_per_s` give rates by tenant; `least` gives a level's goal and the value it keeps, by name.
    """

    tenants: Mapping[str, Tenant]
    options: Sequence[Option]
    platform: Platform
    headroom: float
    solo_per_s: Mapping[str, float]
    held_per_s: Mapping[str, float]
    least: Mapping[str, tuple[Level, float]]

    def most_per_s(self, name: str) -> float:
        """Return a rate that a tenant cannot exceed: what arrives, or what its requests in flight allow (Little)."""
        tenant = self.tenants[name]
        arriving = open_rate_per_s(tenant.arrival)
        if arriving is not None:
            return arriving
        fastest_s = min((o.latency_ns for o in self.options if o.tenant == name), default=math.inf) / 1e9
        return (outstanding(tenant.arrival, self.platform.lanes) or 0) / fastest_s

    def alone_per_s(self, option: Option) -> float:
        """Return a rate that an option cannot exceed by itself, whatever else runs."""
        known = self._alone_per_s.get(id(option))
        if known is None:
            known = self._alone_per_s[id(option)] = self._told_alone_per_s(option)
        return known

    @cached_property
    def _alone_per_s(self) -> dict[int, float]:
        return {}

    def _told_alone_per_s(self, option: Option) -> float:
        given = self.resources()
        by_resource = (given[name] / option.demand_of(name) for name, amount in option.demand if amount > 0 and name in given)
        flight = outstanding(self.tenants[option.tenant].arrival, self.platform.lanes)
        by_flight = math.inf if flight is None else flight * 1e9 / option.latency_ns
        return min(by_flight, open_rate_per_s(self.tenants[option.tenant].arrival) or math.inf, *by_resource)

    def resources(self) -> dict[str, float]:
        """Return what each resource gives, in its own unit per second."""
        bytes_per_s = {m.name: m.bandwidth_bytes_per_s for m in self.platform.memories if m.bandwidth_bytes_per_s is not None}
        links = {link.name: link.bandwidth_bytes_per_s for link in self.platform.links}
        power = {} if self.platform.power_w is None else {"energy": self.platform.power_w}
        return {**{p.name: p.lanes * (1.0 - p.stalled) for p in self.platform.processors}, **bytes_per_s, **links, **power}

    def given(self, resource: str) -> float:
        """Return what a resource gives; KeyError for a stranger."""
        return self.resources()[resource]

    def limit(self, bind: Bind, of: str) -> float:
        """Return the right side of a row `sum of a x <= b`; KeyError if there is no such row."""
        match bind:
            case Bind.CAPACITY:
                return self.given(of)
            case Bind.HEADROOM:
                return self.headroom * self.given(of)
            case Bind.ARRIVALS:
                rate = open_rate_per_s(self.tenants[of].arrival)
                return math.inf if rate is None else rate
            case Bind.OUTSTANDING:
                flight = outstanding(self.tenants[of].arrival, self.platform.lanes)
                return math.inf if flight is None else float(flight)
            case Bind.ACCURACY:
                return 0.0 if self.tenants[of].accuracy_floor is not None else math.inf
            case Bind.HELD:
                return -self.held_per_s[of]
            case Bind.LEVEL:
                return -self.least[of][1]

    def tolerance(self, bind: Bind, of: str) -> float:
        """Return by how much rates that are accepted may exceed a row's limit: nothing is proved by less."""
        match bind:
            case Bind.HELD:
                return self.given_way_per_s(of, self.held_per_s[of])
            case Bind.LEVEL:
                return self.slack(self.least[of][0], HOLDS)
            case Bind.ACCURACY:
                return FITS * self.most_per_s(of)
            case _:
                return FITS * abs(self.limit(bind, of))

    def taken(self, bind: Bind, of: str, option: Option) -> float:
        """Return the left side of a row for one inference by an option."""
        own = option.tenant == of
        match bind:
            case Bind.CAPACITY:
                return option.demand_of(of)
            case Bind.HEADROOM:
                return option.demand_of(of) if open_rate_per_s(self.tenants[option.tenant].arrival) is not None else 0.0
            case Bind.ARRIVALS:
                return 1.0 if own else 0.0
            case Bind.OUTSTANDING:
                return option.latency_ns / 1e9 if own else 0.0
            case Bind.ACCURACY:
                return (self.tenants[of].accuracy_floor or 0.0) - (option.accuracy or 0.0) if own else 0.0
            case Bind.HELD:
                return -1.0 if own else 0.0
            case Bind.LEVEL:
                level = self.least[of][0]
                weight, unit_per_s = self.term(level.goal, option.tenant)
                return -weight / unit_per_s if option.tenant in level.tenants else 0.0

    def term(self, goal: Goal, name: str) -> tuple[float, float]:
        """Return a tenant's weight in a goal, and the rate per second that counts as 1."""
        tenant = self.tenants[name]
        match goal:
            case Goal.DEMAND:
                return tenant.weight, open_rate_per_s(tenant.arrival) or math.inf
            case Goal.FLOORS:
                return tenant.weight, tenant.floor * self.solo_per_s[name]
            case Goal.STARVED:
                return 1.0, self.solo_per_s[name]
            case Goal.PROPORTIONAL | Goal.WEIGHTED | Goal.MAXMIN:
                return tenant.weight, self.solo_per_s[name]
            case Goal.THROUGHPUT | Goal.LOAD:
                return 1.0, 1.0

    def slack(self, level: Level, close: float) -> float:
        """Return by how much values of a level may differ and still count as equal."""
        terms = [(name, *self.term(level.goal, name)) for name in level.tenants]
        log = level.goal is Goal.PROPORTIONAL
        size = sum(weight * (1.0 if log else self.solo_per_s[name] / unit) for name, weight, unit in terms)
        return close * max(1.0, min(abs(level.value), abs(level.bound)), size)

    def given_way_per_s(self, name: str, held_per_s: float) -> float:
        """Return by how much a tenant's rate may miss what is held: a share of it, all where that is next to nothing of its solo rate."""
        return held_per_s if held_per_s <= HOLDS * self.solo_per_s[name] else HOLDS * held_per_s

    def missed(self, level: Level) -> float:
        """Return by how much rates fall short of a level's value if each tenant misses what still keeps to what is held."""
        if level.goal is not Goal.MAXMIN:
            return self.slack(level, HOLDS)
        return max(self.slack(level, HOLDS), HOLDS / min(self.tenants[name].weight for name in level.tenants))

    def load(self, option: Option) -> float:
        """Return the share of each resource that one inference per second takes, added up, but for lanes that are reserved."""
        reserved = [p.name for p in self.platform.processors if p.reserved]
        given = {name: amount for name, amount in self.resources().items() if name not in reserved}
        return sum(amount / given[name] for name, amount in option.demand if name in given)


def reached(ground: Ground, level: Level, rates_per_s: Mapping[str, float], load: float) -> float:
    """Return the value of a level's goal at given rates; `load` is theirs."""
    terms = [ground.term(level.goal, name) for name in level.tenants]
    parts = [rates_per_s[name] / unit for name, (_, unit) in zip(level.tenants, terms, strict=True)]
    weights = [weight for weight, _ in terms]
    match level.goal:
        case Goal.DEMAND | Goal.WEIGHTED | Goal.THROUGHPUT:
            return sum(w * p for w, p in zip(weights, parts, strict=True))
        case Goal.FLOORS:
            return sum(w * min(1.0, p) for w, p in zip(weights, parts, strict=True))
        case Goal.STARVED | Goal.MAXMIN:
            return min(p / w for w, p in zip(weights, parts, strict=True))
        case Goal.PROPORTIONAL:
            return sum(w * math.log(p) if p > 0 else -math.inf for w, p in zip(weights, parts, strict=True))
        case Goal.LOAD:
            return -load
