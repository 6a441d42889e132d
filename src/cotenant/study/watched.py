"""Serving a crew file while it may change, and its models may take another time than was reckoned."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cotenant.describe import Precision, Tenant
from cotenant.describe.files import read_crew
from cotenant.errors import BackendError, CotenantError
from cotenant.live import LiveDevice
from cotenant.study.asking import Asking, differing
from cotenant.study.at_work import taken
from cotenant.study.device import inputs_of, open_device
from cotenant.study.door import GRACE_S, Told, telling, thermometer_of
from cotenant.study.drift import Drift
from cotenant.study.prepared import Prepared
from cotenant.study.replanned import change, corrected, replanned
from cotenant.study.sight import Sight
from cotenant.trace import Trace
from cotenant.units import NS_PER_S

LOOK_S = 0.5
"""How often the crew file and its models are looked at."""

DRIFT_S = 5.0
"""How often what models take is looked at."""

Said = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Hold what came of a run, the crew as it was last, and every tenant that ever was, those of the last crew first."""

    trace: Trace
    last: Prepared
    tenants: tuple[Tenant, ...]


def watch_crew(
    prepared: Prepared, path: Path, stop: threading.Event, said: Said, told: Told | None = None,
    *, seconds: float | None = None, precisions: Sequence[Precision] | None = None, paces: bool = False,
) -> Happened:  # fmt: skip
    """Serve a crew with the clients that its file describes, and go over to what the file becomes; `said` hears what changes, or why not.

    Where models take another time at work than was reckoned, and stay so, the crew is planned again by what they take. It lasts as
    `run_crew` does. A file that cannot be used changes nothing. BackendError if a defect ends it.
    """
    horizon_ns = prepared.crew.workload.horizon_ns if seconds is None else round(seconds * NS_PER_S)
    with open_device(prepared, keeps_trace=True, paces=paces) as device:
        start_ns = device.start_clock()
        asking = Asking(device=device, lanes=prepared.platform.lanes, seed=prepared.crew.workload.seed)
        drift = Drift(reckoned=dict(prepared.plan.slowdowns))
        served = _Served(device=device, asking=asking, last=prepared, tenants=prepared.tenants, drift=drift)
        sight = Sight(path=path, crew=prepared.crew, read=read_crew)
        asking.join(prepared.tenants, inputs_of(prepared))
        with telling(device, told, start_ns, stop), thermometer_of(prepared, start_ns) as thermometer:
            while not stop.is_set() and not device.closed and (horizon_ns is None or time.monotonic_ns() - start_ns < horizon_ns):
                _look(sight, served, said, None if precisions is None else tuple(precisions))
                served.correct(time.monotonic_ns() - start_ns, said)
                stop.wait(LOOK_S if horizon_ns is None else min(LOOK_S, max(0, start_ns + horizon_ns - time.monotonic_ns()) / NS_PER_S))
        asking.end()
        asked_ns = time.monotonic_ns() - start_ns
        if not stop.is_set():
            device.drain(GRACE_S)
        device.close()
        if device.broken:
            raise BackendError("device", device.broken)
        happened = replace(device.trace(asked_ns), climate=thermometer.seen)
        return Happened(trace=happened, last=served.last, tenants=served.tenants)


@dataclass(slots=True, kw_only=True)
class _Served:
    """Hold what is served now, and all tenants so far."""

    device: LiveDevice
    asking: Asking
    last: Prepared
    tenants: tuple[Tenant, ...]
    drift: Drift
    looked_ns: int = 0

    def correct(self, now_ns: int, said: Said) -> None:
        """Plan again where models have drifted; times since the start."""
        if now_ns - self.looked_ns < DRIFT_S * NS_PER_S:
            return
        since_ns, self.looked_ns = self.looked_ns, now_ns
        known = self.drift.reckoned
        drifted = self.drift.look(taken(self.device.trace(now_ns, since_ns), self.last))
        for model in drifted:
            names = ", ".join(t.name for t in self.last.tenants if self.last.card(t.name).model.digest == model)
            said(f"{names}: an inference takes {self.drift.reckoned[model] / known[model]:.2f} times what was reckoned")
        if not drifted:
            return
        try:
            for line in self.become(corrected(self.last, self.drift.reckoned)):
                said(line)
        except CotenantError as error:
            said(f"the plan stays as it was: {error}")

    def become(self, after: Prepared) -> tuple[str, ...]:
        """Go over to another crew, and its clients with it; where that is refused, the old ones ask on."""
        inputs = inputs_of(after)
        before, others = self.last, [card.tenant for card in self.last.profile.cards if card not in after.profile.cards]
        self.asking.leave(differing(before.tenants, after.tenants) | set(others))
        try:
            lines = change(self.device, before, after)
        except CotenantError:
            self.asking.join(before.tenants, inputs_of(before))
            raise
        self.last = after
        self.drift.reckon(dict(after.plan.slowdowns))
        names = {tenant.name for tenant in after.tenants}
        self.tenants = (*after.tenants, *(tenant for tenant in self.tenants if tenant.name not in names))
        self.asking.join(after.tenants, inputs)
        return lines


def _look(sight: Sight, served: _Served, said: Said, precisions: tuple[Precision, ...] | None) -> None:
    """Look once; go over to another crew, or say in one line why not."""
    try:
        if sight.look(time.monotonic()) is None:
            return
        for line in served.become(replanned(served.last, sight.path, precisions)):
            said(line)
    except CotenantError as error:
        said(f"{sight.path}: not taken, the crew goes on as it was: {error}")
