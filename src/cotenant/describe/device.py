"""The seam between whoever serves and whoever is served: one machine or a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cotenant.describe.plan import Plan
from cotenant.describe.request import Outcome

Array = NDArray[np.generic]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Hold a request's outputs by name, and how it ended; `reason` says why it was dropped or failed.

    `latency_ns` runs from the scheduled arrival to the finish.
    """

    outputs: Mapping[str, Array]
    outcome: Outcome
    latency_ns: int
    option: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Count a tenant's requests: asked = done + dropped + failed + outstanding + lost."""

    asked: int
    done: int
    dropped: int
    failed: int
    outstanding: int

    @property
    def lost(self) -> int:
        return self.asked - self.done - self.dropped - self.failed - self.outstanding


class Device(Protocol):
    """Serve requests of a crew under a plan that can be exchanged."""

    def submit(self, tenant: str, inputs: Mapping[str, Array], *, arrival_ns: int | None = None) -> Future[Answer]:
        """Accept one request; InputError for a stranger or tensors that do not fit."""
        ...

    def stats(self) -> Mapping[str, Count]:
        """Count every tenant's requests so far."""
        ...

    @property
    def plan(self) -> Plan: ...

    def apply(self, plan: Plan) -> None:
        """Serve by another plan from now on; nothing outstanding is lost."""
        ...
