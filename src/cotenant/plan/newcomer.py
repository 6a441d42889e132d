"""What one more tenant would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from cotenant.describe import Option, Plan, Platform, Promise, Tenant
from cotenant.errors import InfeasibleError
from cotenant.plan.solve import solve


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Hold what a tenant is promised without the newcomer, and with it."""

    before: Promise
    after: Promise

    @property
    def tenant(self) -> str:
        return self.before.tenant

    @property
    def rate_per_s(self) -> float:
        return self.after.rate_per_s - self.before.rate_per_s

    @property
    def p(self) -> float:
        return self.after.p - self.before.p


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Hold what a newcomer like these tenants gets, and what that costs the others; `value` is the change of the objective.

    The objective has a term for the newcomer too, which lowers it where it is a logarithm.
    """

    like: tuple[str, ...]
    promise: Promise
    value: float
    others: tuple[Change, ...]

    @property
    def stp(self) -> float:
        """Return the change of the sum of P, the newcomer's own included."""
        return self.promise.p + sum(change.p for change in self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Say why a newcomer like these tenants does not fit: which resource is short, by how much, and what would fit."""

    like: tuple[str, ...]
    reason: str


Newcomer = Joined | Refused


def newcomers(
    plan: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, *, allow_overload: bool = False
) -> tuple[Newcomer, ...]:
    """Plan a crew anew with one more tenant: for each, one like it in all but its name; tenants alike are asked for once.

    It joins its twin's own rank. In the last rank it would get what is left there, which says little of its cost; and options hold for
    a rank: what may hold up its betters, and which loaded copy it shares, is settled by those who are there already.
    """
    like: dict[Tenant, list[str]] = {}
    for tenant in tenants:
        like.setdefault(replace(tenant, name="-"), []).append(tenant.name)
    return tuple(_newcomer(tuple(names), plan, tenants, options, platform, allow_overload=allow_overload) for names in like.values())


def _newcomer(
    like: tuple[str, ...], plan: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, *, allow_overload: bool
) -> Newcomer:
    twin = next(tenant for tenant in tenants if tenant.name == like[0])
    name = _free_name(twin.name, {tenant.name for tenant in tenants})
    more = [replace(option, tenant=name) for option in options if option.tenant == twin.name]
    crew = [*tenants, replace(twin, name=name)]
    try:
        anew = solve(crew, [*options, *more], platform, plan.objective, headroom=plan.headroom, allow_overload=allow_overload)
    except InfeasibleError as error:
        return Refused(like=like, reason=str(error))
    others = tuple(Change(before=promise, after=anew.promise(promise.tenant)) for promise in plan.promises)
    return Joined(like=like, promise=anew.promise(name), value=anew.value - plan.value, others=others)


def _free_name(name: str, taken: set[str]) -> str:
    return next(free for number in count(2) if (free := f"{name} {number}") not in taken)
