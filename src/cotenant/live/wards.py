"""The wards of a device: engine processes of all isolated tenants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from cotenant.backend import Engine
from cotenant.describe import Card, Option, Platform, Tenant
from cotenant.errors import InfeasibleError
from cotenant.live.nursery import Nursery
from cotenant.live.order import Order
from cotenant.live.ward import Fault, Told, Ward
from cotenant.live.watch import Watch

_MB = 10**6


@dataclass(slots=True, kw_only=True)
class Wards:
    """Hold a ward for each isolated tenant, where their processes come from, and the watch over them; without any, nothing runs."""

    by_tenant: Mapping[str, Ward]
    nursery: Nursery
    watch: Watch = field(repr=False)

    @classmethod
    def of(
        cls, tenants: Iterable[Tenant], cards: Mapping[str, Card], platform: Platform, engines: Sequence[Engine], told: Told, fault: Fault
    ) -> Wards:
        """Make the wards; their processes start when they are told what to load."""
        isolated = [tenant for tenant in tenants if tenant.isolated]
        nursery = Nursery(engines if isolated else ())
        wards = {
            tenant.name: Ward(
                order=Order(card=cards[tenant.name], platform=platform, options=(), critical=tenant.rank == 0),
                nursery=nursery, spares=int(tenant.standby), memory_bytes=tenant.memory_bytes, told=told, fault=fault,
            )
            for tenant in isolated
        }  # fmt: skip
        watch = Watch(wards=tuple(wards.values()), fault=fault)
        watch.start()
        return cls(by_tenant=MappingProxyType(wards), nursery=nursery, watch=watch)

    def close(self) -> None:
        """End every process; lanes that wait for one are told that it is gone."""
        self.watch.stop()
        for ward in self.by_tenant.values():
            ward.close()
        self.nursery.close()
        for ward in self.by_tenant.values():
            ward.join()


def refuse_beyond_budgets(tenants: Iterable[Tenant], options: Iterable[Option]) -> None:
    """Refuse options whose models, together, are known to take more memory than their tenant may; InfeasibleError."""
    artifacts = {(option.tenant, option.artifact) for option in options}
    for tenant in tenants:
        if tenant.memory_bytes is None:
            continue
        wanted_bytes = sum(a.resident_bytes for owner, a in artifacts if owner == tenant.name) // (1 + tenant.standby)
        if wanted_bytes > tenant.memory_bytes:
            short = f"its models take {wanted_bytes / _MB:.1f} MB of {tenant.memory_bytes / _MB:g} MB"
            raise InfeasibleError(f"memory of {tenant.name}", short, f"memory: {-(-wanted_bytes // _MB)}MB, or a smaller model")
