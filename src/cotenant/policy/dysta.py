"""Dysta: least of what is left, by the sparsity seen, with some slack (Fan et al., MICRO 2023)."""

from __future__ import annotations

from cotenant.policy import NEVER_NS, RUNNING, Candidate, Policy, Scene

_NO_DEADLINE_NS = 1.0e15
"""The slack of a request without a deadline: 11 days, longer than any other."""

_SECOND_NS = 1.0e9
"""What one unit of the penalty counts in the artifact, whose times are in seconds."""


def prepare(scene: Scene) -> None:
    """Note how many requests are outstanding, and what one unit of the penalty counts: the mean time alone of the candidates."""
    outstanding = 0
    for index in range(len(scene.tenants)):
        outstanding += scene.tenants[index].outstanding
    alone_ns = 0.0
    for index in range(scene.ready_count):
        alone_ns += float(scene.slots[scene.ready[index]].alone_ns)
    for index in range(scene.running_count):
        alone_ns += float(scene.slots[scene.running[index]].alone_ns)
    scene.notes[0] = float(max(1, outstanding))
    scene.notes[1] = _SECOND_NS if scene.params[2] > 0.0 else alone_ns / max(1, scene.ready_count + scene.running_count)


def order(candidate: Candidate, scene: Scene) -> float:
    """Add to what is left a part of its slack and of its idleness: `beta` of it on arrival, `eta` (both of the paper) from then on."""
    left_ns = candidate.pace * candidate.remaining_ns
    slack_ns = _NO_DEADLINE_NS
    if candidate.due_ns < NEVER_NS:
        slack_ns = max(0.0, float(candidate.due_ns - scene.now_ns) - left_ns)
    if candidate.begun == 0 and candidate.arrival_ns == scene.now_ns:
        return left_ns + scene.params[1] * slack_ns
    slowdown = _idle_ns(candidate, scene) / max(1, candidate.alone_ns)
    return left_ns + scene.params[0] * (slack_ns + slowdown / scene.notes[0] * scene.notes[1])


def _idle_ns(candidate: Candidate, scene: Scene) -> float:
    """Return how long a request has been waiting since it arrived, or since its last segment stopped."""
    if candidate.state == RUNNING:
        return 0.0
    since_ns = candidate.since_ns if candidate.begun == 1 else candidate.arrival_ns
    return float(scene.now_ns - since_ns)


dysta = Policy(order=order, prepare=prepare, preempts=False, notes=2, params=(("eta", 0.01), ("beta", 0.01), ("as_published", 0.0)))
