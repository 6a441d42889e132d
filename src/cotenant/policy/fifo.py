"""First come, first served."""

from __future__ import annotations

from cotenant.policy import Candidate, Policy, Scene


def order(candidate: Candidate, scene: Scene) -> float:
    return candidate.arrival_ns


fifo = Policy(order=order, sees_all=False, runs_on=True, preempts=False)
