"""The clients of a crew, each with a tenant of its own: they come and go with their tenants."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cotenant.describe import Array, External, Tenant, Workload
from cotenant.live import Client, LiveDevice

Inputs = Mapping[str, Sequence[Mapping[str, Array]]]


@dataclass(slots=True, kw_only=True)
class Asking:
    """Ask a device for each tenant in a thread of its own; what a tenant asks depends on the seed and its name, not on the others."""

    device: LiveDevice
    lanes: int
    seed: int
    _threads: dict[str, tuple[threading.Event, threading.Thread]] = field(default_factory=dict)

    def join(self, tenants: Sequence[Tenant], inputs: Inputs) -> None:
        """Start the clients of tenants that have none and do not ask by themselves."""
        for tenant in tenants:
            if tenant.name not in self._threads and not isinstance(tenant.arrival, External):
                self._start(tenant, inputs)

    def leave(self, names: Collection[str]) -> None:
        """Stop the clients of these tenants; what they have asked goes on."""
        left = [self._threads.pop(name) for name in names if name in self._threads]
        for stop, _ in left:
            stop.set()
        for _, thread in left:
            thread.join()

    def end(self) -> None:
        """Stop all."""
        self.leave(tuple(self._threads))

    def _start(self, tenant: Tenant, inputs: Inputs) -> None:
        stop = threading.Event()
        own = Workload(tenants=(tenant,), seed=self.seed ^ zlib.crc32(tenant.name.encode()))
        client = Client(device=self.device, workload=own, lanes=self.lanes, inputs={tenant.name: inputs[tenant.name]}, stop=stop)
        thread = threading.Thread(target=client.ask, args=(time.monotonic_ns(), None), name=f"cotenant-client-{tenant.name}", daemon=True)
        self._threads[tenant.name] = stop, thread
        thread.start()


def differing(before: Sequence[Tenant], after: Sequence[Tenant]) -> set[str]:
    """Name those who are gone, or ask otherwise than before."""
    asks = {tenant.name: _asks(tenant) for tenant in after}
    return {tenant.name for tenant in before if asks.get(tenant.name) != _asks(tenant)}


def _asks(tenant: Tenant) -> Tenant:
    """Return of a tenant what its client goes by."""
    plain = Tenant(name=tenant.name, source=tenant.source, arrival=tenant.arrival)
    return replace(plain, work=tenant.work)
