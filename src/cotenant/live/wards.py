"""The wards of a device: engine processes of all isolated tenants."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cotenant.backend import Engine
from cotenant.describe import Card, Option, Platform, Tenant
from cotenant.errors import InfeasibleError
from cotenant.live.nursery import Nursery
from cotenant.live.order import Order
from cotenant.live.origin import Origin
from cotenant.live.ward import Fault, Told, Ward
from cotenant.live.watch import Watch

_MB = 10**6


@dataclass(slots=True, kw_only=True)
class Wards:
    """Hold a ward for each isolated tenant, where their processes come from, and the watch over them; without any, nothing runs."""

    engines: Sequence[Engine]
    platform: Platform
    told: Told
    fault: Fault
    by_tenant: Mapping[str, Ward] = field(default_factory=dict)
    nursery: Nursery | None = None
    _watch: Watch | None = field(default=None, repr=False)
    _living: tuple[Ward, ...] = ()

    def wanted(self, tenants: Iterable[Tenant], cards: Mapping[str, Card]) -> dict[str, Ward]:
        """Return a ward for each isolated tenant: the one that it has, or another where it is to be served otherwise.

        Processes of a new one start when it is told what to load.
        """
        return {tenant.name: self._of(tenant, cards[tenant.name]) for tenant in tenants if tenant.isolated}

    def receives(self, tenant: str) -> bool:
        """Say whether a request of a tenant may be asked now."""
        return tenant not in self.by_tenant or self.by_tenant[tenant].receives

    def keep(self, wards: Collection[Ward]) -> None:
        """End the processes of all but these; with the last of them, the fork server and the watch."""
        ended = [ward for ward in self._living if ward not in wards]
        self._oversee(ward for ward in self._living if ward in wards)
        for ward in ended:
            ward.close()
        for ward in ended:
            ward.join()
        if ended and not self._living:
            self._end()

    def close(self) -> None:
        """End every process; lanes that wait for one are told that it is gone."""
        ended, self._living = self._living, ()
        for ward in ended:
            ward.close()
        self._end()
        for ward in ended:
            ward.join()

    def _of(self, tenant: Tenant, card: Card) -> Ward:
        known = self.by_tenant.get(tenant.name)
        terms = (*_files(card), tenant.rank == 0, tenant.standby, tenant.memory_bytes)
        if known is not None and not known.given_up and _terms(known) == terms:
            return known
        if self.nursery is None:
            self.nursery = Nursery(self.engines)
        ward = Ward(
            order=Order(card=card, platform=self.platform, options=(), critical=tenant.rank == 0),
            origin=Origin(nursery=self.nursery), spares=int(tenant.standby), memory_bytes=tenant.memory_bytes,
            told=self.told, fault=self.fault,
        )  # fmt: skip
        self._oversee((*self._living, ward))
        return ward

    def _oversee(self, wards: Iterable[Ward]) -> None:
        self._living = tuple(wards)
        if self._watch is not None:
            self._watch.wards = self._living
        elif self._living:
            self._watch = Watch(wards=self._living, fault=self.fault)
            self._watch.start()

    def _end(self) -> None:
        if self._watch is not None:
            self._watch.stop()
        if self.nursery is not None:
            self.nursery.close()
        self._watch = self.nursery = None


def _files(card: Card) -> tuple[object, ...]:
    return card.model.digest, card.files, card.segments


def _terms(ward: Ward) -> tuple[object, ...]:
    """Return what a ward is for: where that changes, another takes its place."""
    return (*_files(ward.order.card), ward.order.critical, bool(ward.spares), ward.memory_bytes)


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
