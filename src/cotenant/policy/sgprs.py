"""SGPRS: stages with virtual deadlines over a pool of contexts (Babaei and Chantem, 2024; DARIS, 2025)."""

from __future__ import annotations

from cotenant.policy import AS_PLANNED, NEVER_NS, Candidate, Policy, Scene

_LEVEL_STEP_NS = 4.0e14
_FURTHEST_NS = 1.0e14
"""110 and 27 hours: levels are further apart than any two virtual deadlines, and all is exact in a float to the nanosecond."""

_HIGH, _MEDIUM, _LOW = 0, 1, 2
_LEVELS = 3


def order(candidate: Candidate, scene: Scene) -> float:
    """Put the last stages first, then stages after one that came too late, then the rest; within a level, earliest virtual deadline."""
    level = _level(candidate, scene)
    if scene.params[1] > 0.0 and candidate.rank > 0:
        level += _LEVELS
    until_ns = virtual_due_ns(candidate, candidate.remaining_ns - candidate.segment_ns) - scene.now_ns
    return level * _LEVEL_STEP_NS + max(-_FURTHEST_NS, min(until_ns, _FURTHEST_NS))


def choose_width(candidate: Candidate, scene: Scene) -> int:
    """Take the lanes of the chosen context."""
    chosen = context(candidate, scene)
    return AS_PLANNED if chosen == candidate.position else scene.stages[chosen].width


def choose_place(candidate: Candidate, scene: Scene) -> int:
    """Take the processor of the chosen context."""
    chosen = context(candidate, scene)
    return AS_PLANNED if chosen == candidate.position else scene.stages[chosen].processor


def virtual_due_ns(candidate: Candidate, after_ns: int) -> float:
    """Return when a stage is due that leaves `after_ns` to do: the deadline is shared out by the time that each stage takes."""
    if candidate.due_ns >= NEVER_NS:
        return float(NEVER_NS)
    done = 1.0 - min(1.0, max(0.0, float(after_ns) / max(1, candidate.alone_ns)))
    return candidate.arrival_ns + done * (candidate.due_ns - candidate.arrival_ns)


def context(candidate: Candidate, scene: Scene) -> int:
    """Return the step to take: of the contexts that are free the slowest that meets the virtual deadline, else the fastest.

    Without a deadline it is the planned one while that is free, else the fastest. Where none is free it is the planned one.
    """
    planned = candidate.position
    if candidate.due_ns >= NEVER_NS and _is_free(candidate, scene, planned):
        return planned
    left_ns = virtual_due_ns(candidate, candidate.remaining_ns - candidate.segment_ns) - scene.now_ns
    if candidate.due_ns >= NEVER_NS:
        left_ns = 0.0
    chosen = planned if _is_free(candidate, scene, planned) else -1
    for index in range(scene.stages[planned].others, scene.stages[planned].others + scene.stages[planned].other_count):
        other = scene.others[index]
        if _is_free(candidate, scene, other) and (chosen < 0 or _is_better(scene, other, chosen, left_ns)):
            chosen = other
    return planned if chosen < 0 else chosen


def _is_better(scene: Scene, one: int, other: int, left_ns: float) -> bool:
    a_ns, b_ns = scene.stages[one].segment_ns, scene.stages[other].segment_ns
    if a_ns <= left_ns and b_ns <= left_ns:
        return a_ns > b_ns
    return a_ns < b_ns


def _is_free(candidate: Candidate, scene: Scene, position: int) -> bool:
    """Say whether there are lanes for a step no wider than a context: its planned width times the oversubscription."""
    stage = scene.stages[position]
    most = max(1.0, scene.params[0] * candidate.width)
    return stage.width <= scene.processors[stage.processor].free and stage.width <= most


def _level(candidate: Candidate, scene: Scene) -> int:
    if candidate.stage + 1 == candidate.stages:
        return _HIGH
    missed = candidate.stage > 0 and candidate.since_ns > virtual_due_ns(candidate, candidate.remaining_ns)
    return _MEDIUM if missed and scene.params[2] <= 0.0 else _LOW


sgprs = Policy(
    order=order,
    width=choose_width,
    place=choose_place,
    preempts=False,
    params=(("oversubscription", 1.5), ("ranks", 0.0), ("as_published", 0.0)),
)
