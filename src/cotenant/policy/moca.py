"""MoCA: bandwidth by urgency as layers start, heavy requests beside light ones (Kim et al., 2023).

What the paper leaves open, what was chosen and what `as_published` brings back: docs/policies/moca.md.
"""

from __future__ import annotations

from cotenant.policy import NEVER_NS, Candidate, Policy, Scene, at_width

_HIGHEST = 11
"""Priorities are 0 to 11, and 11 is the most important (the artifact's workloads)."""

_LATE, _MOST_URGENT = 1.0, 20.0
"""Ten times remaining/slack: once the due time is past, and at most (0.1 and 2 in the authors' later AuRORA)."""

_BEHIND = 1e12
"""Put a heavy request behind every light one."""

_DECIDED, _UNPAIRED, _RATES, _WEIGHTS, _MEMORIES = 0, 1, 2, 18, 16
"""Notes: the instant of the last decision, heavy less light that run; by memory the rates on the board, and score times rate."""


def order(candidate: Candidate, scene: Scene) -> float:
    """Take the highest of priority + wait/estimate; while a heavy request runs without a light one, heavy ones wait."""
    value = -_priority(candidate) - max(0, scene.now_ns - candidate.arrival_ns) / _estimate_ns(candidate, scene)
    if scene.notes[_UNPAIRED] > 0.0 and _is_heavy(candidate, scene):
        return value + _BEHIND
    return value


def share(candidate: Candidate, scene: Scene) -> float:
    """Cap a segment that starts by what the board says; what was set when the others started stays."""
    return candidate.note if candidate.since_ns < scene.now_ns else _grant(candidate, scene)


def prepare(scene: Scene) -> None:
    """Note what the last decision granted, then write the board that whoever starts now will read."""
    _keep(scene)
    for index in range(_UNPAIRED, _WEIGHTS + _MEMORIES):
        scene.notes[index] = 0.0
    for index in range(scene.running_count):
        c = scene.slots[scene.running[index]]
        scene.notes[_UNPAIRED] += 1.0 if _is_heavy(c, scene) else -1.0
        if c.since_ns < scene.now_ns:
            rate = c.bytes_per_ns if scene.params[5] > 0.0 else c.note
            memory = _memory(c, scene)
            scene.notes[_RATES + memory] += rate
            scene.notes[_WEIGHTS + memory] += rate * c.mark
    scene.notes[_DECIDED] = float(scene.now_ns)


def _keep(scene: Scene) -> None:
    for index in range(scene.running_count):
        c = scene.slots[scene.running[index]]
        if c.since_ns == scene.notes[_DECIDED] and c.since_ns < scene.now_ns:
            c.note = _grant(c, scene)
            c.mark = _score(c, scene)


def _grant(c: Candidate, scene: Scene) -> float:
    """Return the bandwidth of a segment from its start on: its demand, less its part of what all demand above the limit."""
    demand = c.bytes_per_ns
    capacity = scene.memories[scene.processors[c.processor].memory].bytes_per_ns
    others = scene.notes[_RATES + _memory(c, scene)]
    if demand <= 0.0 or capacity > 1e29 or demand + others <= scene.params[0] * capacity:
        return demand
    own, weight = _score(c, scene) * demand, scene.notes[_WEIGHTS + _memory(c, scene)]
    if scene.params[5] > 0.0:
        own, weight = demand, others
    rate = demand - (demand + others - scene.params[0] * capacity) * weight / (own + weight)
    return min(demand, _quantised(max(rate, scene.params[1] * capacity), scene))


def _quantised(rate: float, scene: Scene) -> float:
    """Round down to whole accesses in a window, at least one: the throttle counts."""
    window_ns, access_bytes = scene.params[3], scene.params[4]
    if window_ns <= 0.0 or access_bytes <= 0.0:
        return rate
    accesses = max(1, int(rate * window_ns / access_bytes + 1e-9))
    return accesses * access_bytes / window_ns


def _score(c: Candidate, scene: Scene) -> float:
    """Return floor((1 + priority)/4) + round(10 remaining/slack) as a segment starts."""
    base = float(int((1.0 + _priority(c)) / 4.0))
    slack_ns = c.due_ns - c.since_ns
    if slack_ns <= 0 or c.due_ns >= NEVER_NS:
        return base + _LATE
    urgency = float(int(10.0 * scene.stages[c.position].remaining_ns / slack_ns + 0.5))
    return base + max(1.0, min(urgency, _MOST_URGENT))


def _priority(c: Candidate) -> float:
    return float(max(0, _HIGHEST - c.rank))


def _estimate_ns(c: Candidate, scene: Scene) -> float:
    """Return the expected time alone; as published, that on one lane."""
    one = at_width(c, scene, 1) if scene.params[5] > 0.0 and c.stage == 0 else -1
    return float(max(1, scene.stages[one].remaining_ns if one >= 0 else c.alone_ns))


def _is_heavy(c: Candidate, scene: Scene) -> bool:
    """Say whether all that is left takes more than a share of its memory's bandwidth, on the mean."""
    capacity = scene.memories[scene.processors[c.processor].memory].bytes_per_ns
    return capacity < 1e29 and c.bytes_left > scene.params[2] * capacity * scene.stages[c.position].remaining_ns


def _memory(c: Candidate, scene: Scene) -> int:
    return min(scene.processors[c.processor].memory, _MEMORIES - 1)


moca = Policy(
    order=order,
    share=share,
    prepare=prepare,
    preempts=False,
    holds=True,
    caps=True,
    notes=_WEIGHTS + _MEMORIES,
    params=(("limit", 1.5), ("floor", 0.25), ("heavy", 0.5), ("window_ns", 1000.0), ("access_bytes", 16.0), ("as_published", 0.0)),
)
