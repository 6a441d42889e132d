"""A crew with all that serving it needs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from cotenant.describe import Card, Crew, Option, Plan, Platform, Tenant
from cotenant.describe.files import digest_of
from cotenant.plan import Offer, crowding, headroom_of, offer, solve
from cotenant.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Hold a crew with all that serving it needs; `offer` has the options, and those refused with the reason.

    `allow_overload`: more may be resident than the memories hold, and less promised than asked.
    """

    crew: Crew
    platform: Platform
    profile: Profile
    offer: Offer
    plan: Plan
    allow_overload: bool = False

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        return self.crew.workload.tenants

    @property
    def options(self) -> tuple[Option, ...]:
        return self.offer.options

    @property
    def changes(self) -> tuple[str, ...]:
        """Return nothing: this machine's plans are rehearsed, not held against others."""
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what is worth knowing of how it was measured, and of the plan."""
        return (*self.profile.notes, *crowding(self.plan))

    def card(self, tenant: str) -> Card:
        """Return a tenant's card; KeyError for a stranger."""
        return {card.tenant: card for card in self.profile.cards}[tenant]


def planned(crew: Crew, platform: Platform, measured: Profile, *, allow_overload: bool = False) -> Prepared:
    """Plan a crew by what its models take, beside one another where that is known."""
    tenants = crew.workload.tenants
    begun_s = time.perf_counter()
    offered = offer(tenants, measured.cards, measured.at_work, platform)
    headroom = headroom_of(tenants, offered.options, platform, crew.objective, allow_overload=allow_overload)
    plan = solve(tenants, offered.options, platform, crew.objective, headroom=headroom, allow_overload=allow_overload)
    seconds = time.perf_counter() - begun_s
    plan = replace(
        plan, seconds=seconds, policy=crew.policy, params=crew.params, crew=digest_of(crew), platform=digest_of(platform),
        slowdowns=measured.slowdowns,
    )  # fmt: skip
    return Prepared(crew=crew, platform=platform, profile=measured, offer=offered, plan=plan, allow_overload=allow_overload)
