"""AuRORA: lanes and bandwidth by slack over what is left, none to the hopeless first (Kim et al., 2023).

What the paper leaves open and what was chosen: docs/policies/aurora.md.
"""

from __future__ import annotations

from cotenant.policy import NEVER_NS, RUNNING, Candidate, Policy, Scene, at_most

_HIGHEST = 11.0
"""Priorities are 0 to 11 as in MoCA: 11 less the rank."""

_SPARE_LANES = 3
"""A hopeless request keeps to one lane while no more than these would be left idle (the artifact, of 10)."""

_AHEAD, _EASY = 2.0, 4.0
"""Whoever has twice another's slack for its work gives lanes up to it; with four times its work in slack, to anybody."""

_LATE, _MOST_URGENT = 0.1, 2.0
"""What counts as remaining/slack for bandwidth: once the due time is past, and at most (the artifact)."""

_DECIDED, _RATES, _WEIGHTS, _MEMORIES = 0, 1, 17, 16
"""Notes: the instant of the last decision; by memory the rates on the board, and score times rate."""


def order(candidate: Candidate, scene: Scene) -> float:
    """Take whoever waited longest for its time on the most lanes; the hopeless score 0."""
    if _is_hopeless(candidate, scene):
        return 0.0
    waited_ns = max(0, scene.now_ns - candidate.arrival_ns)
    return -_factor(candidate, scene) * waited_ns / _left_ns(candidate, scene, int(scene.params[2]))


def choose_width(candidate: Candidate, scene: Scene) -> int:
    """Take the lanes that slack asks for and others can spare, of those that are free: the nearest width that there is."""
    lanes = min(_lanes(candidate, scene), scene.processors[candidate.processor].free)
    return scene.stages[at_most(candidate, scene, lanes)].width


def share(candidate: Candidate, scene: Scene) -> float:
    """Cap a segment that starts by what the board says; what was set when the others started stays."""
    return candidate.note if candidate.since_ns < scene.now_ns else _grant(candidate, scene)


def prepare(scene: Scene) -> None:
    """Note what the last decision granted, then write the board that whoever starts now will read."""
    for index in range(scene.running_count):
        c = scene.slots[scene.running[index]]
        if c.since_ns == scene.notes[_DECIDED] and c.since_ns < scene.now_ns:
            c.note = _grant(c, scene)
            c.mark = _bandwidth_score(c, scene)
    for index in range(_RATES, _WEIGHTS + _MEMORIES):
        scene.notes[index] = 0.0
    for index in range(scene.running_count):
        c = scene.slots[scene.running[index]]
        if c.since_ns < scene.now_ns:
            scene.notes[_RATES + _memory(c, scene)] += c.note
            scene.notes[_WEIGHTS + _memory(c, scene)] += c.note * c.mark
    scene.notes[_DECIDED] = float(scene.now_ns)


def _lanes(c: Candidate, scene: Scene) -> int:
    """Return the lanes that its slack asks for; once begun the most, unless a tighter one needs them."""
    base, most = int(scene.params[1]), int(scene.params[2])
    free = scene.processors[c.processor].free
    if _is_hopeless(c, scene):
        return base if free - base > _SPARE_LANES else 1
    lanes = max(base, _asked(c, scene, most))
    if _is_there_a_tighter(c, scene, 1.0):
        lanes = min(lanes, base)
    elif c.begun == 1:
        lanes = most
    if _is_there_a_tighter(c, scene, _AHEAD) or (free - lanes <= 1 and _slackness(c, scene) > _EASY):
        lanes = max(1, lanes // 2)
    return lanes


def _asked(c: Candidate, scene: Scene, most: int) -> int:
    """Return the most lanes on which its slack is less than `stretch` times what is left, halving from `most`; else one."""
    lanes = most
    while lanes > 1 and c.due_ns - scene.now_ns >= scene.params[0] * _left_ns(c, scene, lanes):
        lanes = lanes // 2
    return lanes


def _is_there_a_tighter(c: Candidate, scene: Scene, times: float) -> bool:
    """Say whether one that runs, not hopeless and on less than the most lanes, has so many times less slack for its work."""
    own = _slackness(c, scene)
    found = False
    for index in range(scene.running_count):
        other = scene.slots[scene.running[index]]
        if other.state != RUNNING or other.processor != c.processor or other.width >= scene.params[2] or _is_hopeless(other, scene):
            continue
        found = found or own > times * _slackness(other, scene)
    return found


def _slackness(c: Candidate, scene: Scene) -> float:
    """Return slack over what is left, less for the important: for what runs on its lanes when it started, else on the base."""
    lanes = c.width if c.state == RUNNING else int(scene.params[1])
    return (c.due_ns - _instant_ns(c, scene)) / (_left_ns(c, scene, lanes) * _factor(c, scene))


def _is_hopeless(c: Candidate, scene: Scene) -> bool:
    """Say whether it would be late even on the most lanes."""
    return c.due_ns - _instant_ns(c, scene) < _left_ns(c, scene, int(scene.params[2]))


def _instant_ns(c: Candidate, scene: Scene) -> int:
    """Return when its segment started, now if it has not."""
    return c.since_ns if c.state == RUNNING else scene.now_ns


def _left_ns(c: Candidate, scene: Scene, lanes: int) -> float:
    return float(max(1, scene.stages[at_most(c, scene, lanes)].remaining_ns))


def _factor(c: Candidate, scene: Scene) -> float:
    """Return how much a priority counts: 1 for the least, 1 more for the highest by default."""
    return 1.0 + scene.params[5] * max(0.0, _HIGHEST - c.rank) / _HIGHEST


def _grant(c: Candidate, scene: Scene) -> float:
    """Return the bandwidth of a segment from its start on: its demand, less its part of what all demand above the limit."""
    demand = c.bytes_per_ns
    capacity = scene.memories[scene.processors[c.processor].memory].bytes_per_ns
    others = scene.notes[_RATES + _memory(c, scene)]
    if demand <= 0.0 or capacity > 1e29 or demand + others <= scene.params[3] * capacity:
        return demand
    own, weight = _bandwidth_score(c, scene) * demand, scene.notes[_WEIGHTS + _memory(c, scene)]
    rate = demand - (demand + others - scene.params[3] * capacity) * weight / (own + weight)
    return min(demand, max(rate, scene.params[4] * capacity))


def _bandwidth_score(c: Candidate, scene: Scene) -> float:
    """Return remaining over slack as a segment starts, more for the important."""
    slack_ns = c.due_ns - c.since_ns
    if slack_ns <= 0:
        return _LATE * _factor(c, scene)
    left_ns = 1.0 if c.due_ns >= NEVER_NS else float(max(1, scene.stages[c.position].remaining_ns))
    return min(left_ns / slack_ns, _MOST_URGENT) * _factor(c, scene)


def _memory(c: Candidate, scene: Scene) -> int:
    return min(scene.processors[c.processor].memory, _MEMORIES - 1)


aurora = Policy(
    order=order,
    width=choose_width,
    share=share,
    prepare=prepare,
    preempts=False,
    holds=True,
    caps=True,
    notes=_WEIGHTS + _MEMORIES,
    params=(("stretch", 1.5), ("base", 2.0), ("most", 4.0), ("limit", 1.2), ("floor", 0.05), ("priority", 1.0)),
)
