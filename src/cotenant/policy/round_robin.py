"""Round robin: every tenant in turn, a segment at a time (Kleinrock, 1964; by queues: Nagle, 1987)."""

from __future__ import annotations

from cotenant.policy import Candidate, Policy, Scene


def order(candidate: Candidate, scene: Scene) -> float:
    """Let the tenant go first whose last start is the longest ago."""
    return float(scene.tenants[candidate.tenant].last_ns)


round_robin = Policy(order=order, sees_all=False, preempts=False)
