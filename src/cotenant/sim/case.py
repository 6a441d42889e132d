"""What is simulated: tenants, their options, a platform, requests."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.describe import Platform, Request, Share, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Say what is simulated: open requests in order of arrival until `horizon_ns`, then all that is left of them.

    `shares` give each tenant its options; their rates route requests and are promised where the policy keeps promises.
    """

    tenants: tuple[Tenant, ...]
    shares: tuple[Share, ...]
    platform: Platform
    requests: tuple[Request, ...]
    horizon_ns: int
    seed: int = 0
