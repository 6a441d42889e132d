"""A request, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Outcome(str, Enum):
    """Say how a request ended; every request ends exactly once."""

    DONE = "done"
    DROPPED = "dropped"
    FAILED = "failed"


TOO_LATE = "too late"
QUEUE_FULL = "queue full"
TENANT_REMOVED = "tenant removed"
"""Why the dispatcher drops a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Ask for one inference of a tenant: `arrival_ns` as scheduled, `due_ns` None without a deadline.

    `work_scale` multiplies its work; it leaves after segment `exit_stage`, None stays to the end. Both are drawn with the arrival and
    hidden from policies; only a simulator honours them, since a real engine does what the network does.
    """

    id: int
    tenant: str
    arrival_ns: int
    due_ns: int | None = None
    work_scale: float = 1.0
    exit_stage: int | None = None
