"""From a crew file to a plan for this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from cotenant.backend import installed
from cotenant.backend.machine import discover
from cotenant.describe import Card, Crew, Option, Plan, Platform, Precision, Tenant, cache_folder
from cotenant.describe.files import digest_of, read_crew
from cotenant.errors import InputError
from cotenant.plan import HEADROOM, Offer, offer, solve
from cotenant.profile import SILENT, Profile, Progress, profile

AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Hold a crew with all that serving it needs; `offer` has the options, and those refused with the reason."""

    crew: Crew
    platform: Platform
    profile: Profile
    offer: Offer
    plan: Plan

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        return self.crew.workload.tenants

    @property
    def options(self) -> tuple[Option, ...]:
        return self.offer.options

    def card(self, tenant: str) -> Card:
        """Return a tenant's card; KeyError for a stranger."""
        return {card.tenant: card for card in self.profile.cards}[tenant]


def prepare(
    path: Path,
    precisions: tuple[Precision, ...] | None = None,
    progress: Progress = SILENT,
    *,
    headroom: float = HEADROOM,
    allow_overload: bool = False,
) -> Prepared:
    """Read a crew, discover this machine, measure what is not yet known, and plan.

    `precisions` None permits all. InputError for what cannot be used, InfeasibleError for a crew that does not fit.
    """
    crew = read_crew(path)
    platform = platform_of(crew)
    measured = profile(crew, platform, installed(), cache_folder(), progress, precisions)
    return planned(crew, platform, measured, headroom=headroom, allow_overload=allow_overload)


def planned(crew: Crew, platform: Platform, measured: Profile, *, headroom: float = HEADROOM, allow_overload: bool = False) -> Prepared:
    """Plan a crew that has been measured."""
    tenants = crew.workload.tenants
    begun_s = time.perf_counter()
    offered = offer(tenants, measured.cards, measured.table, platform)
    plan = solve(tenants, offered.options, platform, crew.objective, headroom=headroom, allow_overload=allow_overload)
    seconds = time.perf_counter() - begun_s
    plan = replace(plan, seconds=seconds, policy=crew.policy, params=crew.params, crew=digest_of(crew), platform=digest_of(platform))
    return Prepared(crew=crew, platform=platform, profile=measured, offer=offered, plan=plan)


def platform_of(crew: Crew) -> Platform:
    """Return this machine; InputError for a crew that asks for another, which cannot be measured from here."""
    if crew.platform != AUTO:
        raise InputError("platform", crew.platform, f"{AUTO}: only this machine can be measured and served")
    return discover()
