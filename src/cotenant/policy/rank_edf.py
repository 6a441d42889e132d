"""Rank first; within a rank, earliest deadline first, the late last."""

from __future__ import annotations

from cotenant.policy import Candidate, Policy, Scene

_RANK_STEP_NS = 4.0e15
_LATE_STEP_NS = 2.0e15
_NO_DEADLINE_NS = 1.0e15
"""46, 23 and 11 days: further apart than two due times can be, and still exact in a float to the nanosecond."""


def order(candidate: Candidate, scene: Scene) -> float:
    until_due_ns = max(-_NO_DEADLINE_NS, min(float(candidate.due_ns - scene.now_ns), _NO_DEADLINE_NS))
    return candidate.rank * _RANK_STEP_NS + candidate.late * _LATE_STEP_NS + until_due_ns


rank_edf = Policy(order=order, sees_all=False, runs_on=True)
