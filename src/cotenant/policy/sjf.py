"""Shortest remaining time first (Schrage and Miller, 1966; without preemption: Smith, 1956)."""

from __future__ import annotations

from cotenant.policy import Candidate, Policy, Scene


def order(candidate: Candidate, scene: Scene) -> float:
    """Compare what is expected to be left; with `pace` 1, as fast as the request's own finished segments went."""
    pace = candidate.pace if scene.params[0] > 0.0 else 1.0
    return candidate.remaining_ns * pace


sjf = Policy(order=order, sees_all=False, params=(("pace", 0.0),))
