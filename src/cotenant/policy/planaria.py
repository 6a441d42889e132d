"""Planaria: each request the least width that is in time, the spare lanes by priority over remaining time (Ghodrati et al., MICRO 2020).

`prepare` allots the lanes of each processor; whoever has none waits. What runs is allotted anew at its next segment.
"""

from __future__ import annotations

from math import floor

from cotenant.policy import NOT_NOW, RUNNING, Candidate, Policy, Scene, at_most

_MOST_NS = 1.0e15
"""The slack without a deadline: 11 days."""

_HOPELESS = 1.0e17
"""Added to the urgency of whoever cannot be in time on any width: more than any other."""

_UNSEEN = 1.0e18
"""The order of a head that was none when lanes were allotted: after all that were."""


def order(candidate: Candidate, scene: Scene) -> float:
    """Go by urgency where lanes are allotted (`note` lanes, by urgency `mark`)."""
    if candidate.note > 0.0:
        return candidate.mark
    if candidate.note == 0.0 and scene.processors[candidate.processor].free > _to_grow(candidate.processor, scene):
        return _UNSEEN
    return NOT_NOW


def choose_width(candidate: Candidate, scene: Scene) -> int:
    """Take what is allotted, or as much of it as is free now."""
    free = scene.processors[candidate.processor].free
    allotted = max(1, int(candidate.note))
    return _at_most(candidate, scene, min(allotted, free) if free > 0 else allotted)


def prepare(scene: Scene) -> None:
    """Allot the lanes of every processor, each by itself: to least widths first, then the spare ones."""
    for processor in range(len(scene.processors)):
        _allot(processor, scene)


def _allot(processor: int, scene: Scene) -> None:
    """Write to `note` the lanes of each candidate of a processor, negative for none, and its urgency to `mark`."""
    for index in range(_count(scene)):
        c = _candidate(index, scene)
        if c.processor == processor:
            _judge(c, scene)
    lanes = scene.processors[processor].lanes
    left = _serve(processor, lanes, 1, scene)
    if left == lanes:
        left = _serve(processor, left, 0, scene)
    left = _spread(processor, left, scene)
    left = _top_up(processor, left, scene)
    _serve(processor, left, 0, scene)


def _judge(c: Candidate, scene: Scene) -> None:
    """Note the least width in time as a negative number, the narrowest for the hopeless, and how urgent it is: least first."""
    slack_ns = min(float(c.due_ns - scene.now_ns), _MOST_NS)
    least = _next_width(c, scene, 0)
    narrowest = least
    lanes = scene.processors[c.processor].lanes
    while least > 0 and _left_ns(c, scene, least) > slack_ns:
        least = _next_width(c, scene, least)
    if least > lanes or least == 0:
        c.note = -float(narrowest)
        c.mark = _HOPELESS + _left_ns(c, scene, _at_most(c, scene, lanes)) / _priority(c, scene)
    else:
        c.note = -float(least)
        c.mark = max(1.0, slack_ns) * least / _priority(c, scene)


def _serve(processor: int, left: int, in_time: int, scene: Scene) -> int:
    """Allot least widths in order of urgency, if need be less; to the hopeless too unless `in_time`. Return the lanes left."""
    refused = 0.0
    while left > 0:
        best = -1
        for index in range(_count(scene)):
            c = _candidate(index, scene)
            asks = c.processor == processor and c.note < 0.0 and c.mark > refused and (in_time == 0 or c.mark < _HOPELESS)
            if asks and (best < 0 or _is_more_urgent(c, _candidate(best, scene))):
                best = index
        if best < 0:
            return left
        c = _candidate(best, scene)
        lanes = _at_most(c, scene, min(left, int(-c.note)))
        if lanes <= left:
            c.note = float(lanes)
            left -= lanes
        else:
            refused = c.mark
    return left


def _spread(processor: int, spare: int, scene: Scene) -> int:
    """Share spare lanes among the served by priority over remaining time, rounded down to widths that there are."""
    total, left = 0.0, spare
    for index in range(_count(scene)):
        c = _candidate(index, scene)
        if c.processor == processor and c.note > 0.0:
            total += _weight(c, scene)
    for index in range(_count(scene)):
        c = _candidate(index, scene)
        if c.processor == processor and c.note > 0.0:
            more = _at_most(c, scene, int(c.note) + floor(spare * _weight(c, scene) / total)) - int(c.note)
            c.note += more
            left -= more
    return left


def _top_up(processor: int, left: int, scene: Scene) -> int:
    """Give what rounding left to the first rank that has a use for it."""
    while left > 0:
        best = -1
        for index in range(_count(scene)):
            c = _candidate(index, scene)
            grows = c.processor == processor and c.note > 0.0 and _at_most(c, scene, int(c.note) + left) > c.note
            if grows and (best < 0 or _is_before(c, _candidate(best, scene))):
                best = index
        if best < 0:
            return left
        c = _candidate(best, scene)
        more = _at_most(c, scene, int(c.note) + left) - int(c.note)
        c.note += more
        left -= more
    return left


def _is_more_urgent(a: Candidate, b: Candidate) -> bool:
    if a.mark != b.mark:
        return a.mark < b.mark
    return _is_older(a, b)


def _is_before(a: Candidate, b: Candidate) -> bool:
    if a.rank != b.rank:
        return a.rank < b.rank
    return _is_more_urgent(a, b)


def _is_older(a: Candidate, b: Candidate) -> bool:
    if a.arrival_ns != b.arrival_ns:
        return a.arrival_ns < b.arrival_ns
    return a.request < b.request


def _to_grow(processor: int, scene: Scene) -> int:
    """Count the lanes that what runs is allotted beyond those that it has."""
    lanes = 0
    for index in range(scene.running_count):
        c = scene.slots[scene.running[index]]
        if c.processor == processor and c.state == RUNNING:
            lanes += max(0, int(c.note) - c.width)
    return lanes


def _weight(c: Candidate, scene: Scene) -> float:
    return _priority(c, scene) / max(1.0, _left_ns(c, scene, int(c.note)))


def _priority(c: Candidate, scene: Scene) -> float:
    """Return `levels` for the first rank, one less for each after it, 1 at least."""
    return max(1.0, scene.params[0] - c.rank)


def _left_ns(c: Candidate, scene: Scene, lanes: int) -> float:
    """Return what is expected to be left on a width; what runs finishes its segment as it is."""
    stage = scene.stages[c.position]
    if stage.width == lanes:
        return float(c.remaining_ns)
    left_ns = c.remaining_ns
    for index in range(stage.others, stage.others + stage.other_count):
        other = scene.stages[scene.others[index]]
        if other.processor == stage.processor and other.width == lanes:
            left_ns = other.remaining_ns
            if c.state == RUNNING:
                left_ns += c.segment_ns - other.segment_ns
    return float(left_ns)


def _next_width(c: Candidate, scene: Scene, lanes: int) -> int:
    """Return the least width beyond `lanes` that there is on the processor, 0 for none."""
    stage = scene.stages[c.position]
    best = 0
    for index in range(stage.others, stage.others + stage.other_count):
        other = scene.stages[scene.others[index]]
        if other.processor == stage.processor and other.width > lanes and (best == 0 or other.width < best):
            best = other.width
    return best


def _at_most(c: Candidate, scene: Scene, lanes: int) -> int:
    """Return the greatest width up to `lanes` that there is; where there is none, the least."""
    return scene.stages[at_most(c, scene, lanes)].width


def _count(scene: Scene) -> int:
    return scene.ready_count + scene.running_count


def _candidate(index: int, scene: Scene) -> Candidate:
    """Return the heads that wait, then what runs."""
    if index < scene.ready_count:
        return scene.slots[scene.ready[index]]
    return scene.slots[scene.running[index - scene.ready_count]]


planaria = Policy(order=order, width=choose_width, prepare=prepare, params=(("levels", 12.0),))
