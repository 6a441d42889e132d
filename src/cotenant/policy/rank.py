"""Fixed priorities: the first rank goes first."""

from __future__ import annotations

from cotenant.policy import Candidate, Policy, Scene


def order(candidate: Candidate, scene: Scene) -> float:
    return candidate.rank


rank = Policy(order=order, sees_all=False, runs_on=True)
