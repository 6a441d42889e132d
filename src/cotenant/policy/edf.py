"""Earliest deadline first (Liu and Layland, 1973)."""

from __future__ import annotations

from cotenant.policy import Candidate, Policy, Scene


def order(candidate: Candidate, scene: Scene) -> float:
    return candidate.due_ns


edf = Policy(order=order, sees_all=False, runs_on=True)
