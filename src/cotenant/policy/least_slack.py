"""Least slack first: the time to spare, were all that is left run alone from now on (Mok, 1983)."""

from __future__ import annotations

from cotenant.policy import NEVER_NS, Candidate, Policy, Scene

_NO_DEADLINE_NS = 4.0e18
"""More than any slack: who has no deadline goes after all who have."""


def order(candidate: Candidate, scene: Scene) -> float:
    if candidate.due_ns >= NEVER_NS:
        return _NO_DEADLINE_NS
    return float(candidate.due_ns - scene.now_ns - candidate.remaining_ns)


least_slack = Policy(order=order)
