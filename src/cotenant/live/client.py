"""The client that a crew file describes: it asks on time, or keeps asking."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from cotenant.describe import Answer, Array, Closed, Outcome, Workload, outstanding
from cotenant.errors import InputError
from cotenant.live.attention import Attention
from cotenant.live.device import LiveDevice
from cotenant.units import NS_PER_S

Inputs = Mapping[str, Sequence[Mapping[str, Array]]]

LOOK_S = 0.05
"""How often a client that waits looks whether it was stopped, or the device closed."""

BEHIND_NS = NS_PER_S
"""A request that could not be asked so long after its arrival is passed over."""

FAILURES = 3
"""A closed loop ends after so many failures in a row: it would spin on a broken engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Ask a device as the workload says, cycling each tenant's inputs; external tenants are left to others."""

    device: LiveDevice
    workload: Workload
    lanes: int
    inputs: Inputs
    stop: threading.Event

    def ask(self, start_ns: int, stop_ns: int | None) -> None:
        """Ask from `start_ns` (CLOCK_MONOTONIC) for `stop_ns`, or until stopped; return when the last request was made.

        What cannot be asked within that time, or BEHIND_NS after its arrival, is passed over: counted as dropped.
        """
        cycles = {name: itertools.cycle(given) for name, given in self.inputs.items()}
        end_ns = None if stop_ns is None else start_ns + stop_ns
        for tenant in self.workload.tenants:
            if isinstance(tenant.arrival, Closed):
                for _ in range(outstanding(tenant.arrival, self.lanes) or 0):
                    self._keep_asking(tenant.name, cycles[tenant.name], end_ns)
        requests = self.workload.stream() if stop_ns is None else iter(self.workload.requests(stop_ns))
        with Attention() as attention:
            for request in requests:
                attention.pay()
                if not self._wait_until(start_ns + request.arrival_ns):
                    return
                arrival_ns = start_ns + request.arrival_ns
                if self._too_late(arrival_ns, end_ns):
                    self.device.pass_over(request.tenant, arrival_ns)
                else:
                    self._submit(request.tenant, next(cycles[request.tenant]), arrival_ns)
        self._wait_until(end_ns)

    def _too_late(self, arrival_ns: int, end_ns: int | None) -> bool:
        """Say whether more arrives than this thread can ask: it would take the lanes' time and never come to an end."""
        now_ns = time.monotonic_ns()
        return now_ns - arrival_ns > BEHIND_NS or (end_ns is not None and now_ns >= end_ns)

    def _wait_until(self, instant_ns: int | None) -> bool:
        """Sleep until an instant, None is never; say False if stopped before, or the device was closed."""
        while not self.stop.is_set() and not self.device.closed:
            left_s = math.inf if instant_ns is None else (instant_ns - time.monotonic_ns()) / NS_PER_S
            if left_s <= 0:
                return True
            # Not an event's wait: that counts from when its thread got to it, which rank 0 may hold up for an inference.
            time.sleep(min(left_s, LOOK_S))
        return False

    def _submit(self, tenant: str, inputs: Mapping[str, Array], arrival_ns: int | None) -> Future[Answer] | None:
        try:
            return self.device.submit(tenant, inputs, arrival_ns=arrival_ns)
        except InputError:
            if self.device.closed or self.stop.is_set():
                return None  # nothing was accepted, so nothing is lost
            raise

    def _keep_asking(self, tenant: str, cycle: Iterator[Mapping[str, Array]], end_ns: int | None, failures: int = 0) -> None:
        future = self._submit(tenant, next(cycle), None)
        if future is None:
            return

        def again(ended: Future[Answer]) -> None:
            failed = failures + 1 if ended.result().outcome is Outcome.FAILED else 0
            over = self.stop.is_set() or (end_ns is not None and time.monotonic_ns() >= end_ns)
            if not over and failed < FAILURES:
                self._keep_asking(tenant, cycle, end_ns, failed)

        future.add_done_callback(again)
