"""Fluid batching: early exits reckoned with, freed slots refilled at once (Kouris et al., ICCAD 2022)."""

from __future__ import annotations

from cotenant.policy import NEVER_NS, Candidate, Policy, Scene

_PRIOR = 8.0
"""Requests that are taken to have run to their end before any was seen."""

_CLASS_STEP_NS = 4.0e14
_FURTHEST_NS = 1.0e14
"""110 and 27 hours: classes are further apart than any two slacks, and a slack is still exact in a float to the nanosecond."""


def prepare(scene: Scene) -> None:
    """Count for each tenant the requests seen (`note`) and how much of their boundaries they passed (`mark`)."""
    for index in range(scene.ready_count):
        _count(scene, scene.ready[index])
    for index in range(scene.running_count):
        _count(scene, scene.running[index])


def _count(scene: Scene, slot: int) -> None:
    candidate = scene.slots[slot]
    tenant = scene.tenants[candidate.tenant]
    if candidate.note == 0.0:
        tenant.note += 1.0
        candidate.note = 1.0
    passed = candidate.stage + 1 - candidate.note
    if passed > 0.0:
        tenant.mark += passed / max(1, candidate.stages - 1)
        candidate.note += passed


def order(candidate: Candidate, scene: Scene) -> float:
    """Serve what can wait no longer by its slack, then refill the slots of what runs, the least advanced first; the hopeless last."""
    slack_ns = _due_ns(candidate, scene) - scene.now_ns - expected_ns(candidate, scene)
    slack_ns = max(-_FURTHEST_NS, min(slack_ns, _FURTHEST_NS))
    if slack_ns < 0.0 and candidate.due_ns < NEVER_NS:
        return 2.0 * _CLASS_STEP_NS + slack_ns
    if slack_ns < scene.params[2] * float(candidate.alone_ns - candidate.remaining_ns + candidate.segment_ns):
        return slack_ns - _CLASS_STEP_NS
    advanced = 1.0 - min(1.0, float(candidate.remaining_ns) / max(1, candidate.alone_ns))
    beside = _running(candidate, scene)
    refills = 0 < beside < scene.params[0]
    return advanced * _FURTHEST_NS + (0.0 if refills else _CLASS_STEP_NS)


def expected_ns(candidate: Candidate, scene: Scene) -> float:
    """Return the segment at hand and what is to be expected of the rest, since requests of this tenant leave early."""
    tenant = scene.tenants[candidate.tenant]
    stays = min(1.0, (tenant.mark + _PRIOR) / (tenant.note + _PRIOR))
    return candidate.segment_ns + stays * float(candidate.remaining_ns - candidate.segment_ns)


def _due_ns(candidate: Candidate, scene: Scene) -> float:
    if candidate.due_ns < NEVER_NS:
        return float(candidate.due_ns)
    return candidate.arrival_ns + scene.params[1] * candidate.alone_ns


def _running(candidate: Candidate, scene: Scene) -> int:
    """Count what else of its tenant runs: the batch that it would join."""
    count = 0
    for index in range(scene.running_count):
        other = scene.slots[scene.running[index]]
        if other.tenant == candidate.tenant and other.request != candidate.request:
            count += 1
    return count


fluid_batching = Policy(order=order, prepare=prepare, preempts=False, params=(("batch", 8.0), ("slo", 4.0), ("guard", 1.0)))
