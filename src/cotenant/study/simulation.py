"""A crew on a board or on this machine, simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cotenant.describe import Crew, Platform, Share, Tenant
from cotenant.describe.files import board, read_board
from cotenant.describe.reserved import reserve, with_counterparts
from cotenant.study.boarded import shares_for
from cotenant.study.prepared import Prepared
from cotenant.study.sweep import Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Hold a platform, and what each tenant may be served by on it."""

    platform: Platform
    offer: Offer


def on_board(crew: Crew) -> Place:
    """Return the board that a crew names, shipped or in a file; InputError if there is none, or it lacks a tenant's network."""
    from pathlib import Path

    found = read_board(Path(crew.platform)) if crew.platform.endswith((".yaml", ".yml")) else board(crew.platform)
    platform = reserve(found.platform, crew.workload.tenants)
    shares_for(crew.workload.tenants, found, platform)
    return Place(platform=platform, offer=lambda tenants: shares_for(tenants, found, platform))


def on_this_machine(prepared: Prepared) -> Place:
    """Return this machine as it was profiled; options share requests as the plan does, whatever the load."""
    shares = with_counterparts(prepared.plan.shares, prepared.platform)

    def offer(tenants: Sequence[Tenant]) -> tuple[Share, ...]:
        return tuple(share for tenant in tenants for share in shares if share.option.tenant == tenant.name)

    return Place(platform=prepared.platform, offer=offer)
