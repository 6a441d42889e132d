"""A crew file's content: who runs, on what, for how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from cotenant.describe.workload import Workload


class Objective(str, Enum):
    """Say what the plan makes greatest among tenants of one rank."""

    PROPORTIONAL = "proportional"
    WEIGHTED = "weighted"
    MAXMIN = "maxmin"
    THROUGHPUT = "throughput"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Hold a workload with the platform, the policy and the objective that it asks for."""

    workload: Workload
    platform: str = "auto"
    policy: str = "rank_edf"
    params: tuple[tuple[str, float], ...] = field(default=())
    objective: Objective = Objective.PROPORTIONAL
