"""What tenants are offered, and what is refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.describe import Option


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Say why a tenant is not offered a variant or an option."""

    tenant: str
    option: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Hold the options of all tenants, and what was refused on the way."""

    options: tuple[Option, ...]
    refused: tuple[Refusal, ...]

    def of(self, tenant: str) -> tuple[Option, ...]:
        return tuple(option for option in self.options if option.tenant == tenant)
