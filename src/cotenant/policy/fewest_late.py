"""Fewest late (Moore and Hodgson, 1968) on several lanes, with bandwidth by need: the default for deadlines."""

from __future__ import annotations

from cotenant.policy import AS_PLANNED, NEVER_NS, Candidate, Policy, Scene

_OWED, _IN_TIME, _NO_HURRY, _GIVEN_UP, _HOPELESS = 1.0, 2.0, 3.0, 4.0, 5.0
"""Classes, in this order; 0 is not yet judged.

A hopeless request whose turn it is; those that will be in time; those without a deadline; those given up for others; the hopeless.
"""

_CLASS_STEP_NS = 4.0e15
_MOST_NS = 1.0e15
"""46 and 11 days: a class is further apart than two due times can be, and both are exact to the nanosecond."""

_MOST_SERVERS, _MOST_LISTED = 16, 64
_SINCE, _BUSY, _LATE, _LISTED, _CLOCKS = 0, 1, 2, 3, 4
_SLOTS = _CLOCKS + _MOST_SERVERS
_WANTED = _SLOTS + _MOST_LISTED
"""Places in the notes: the last decision; lane-ns that anybody and that those who can only wait had, while some of these did; how many
are in time; when groups of lanes are free; who is in time, and when wanted."""

_LEARNS = 0.05
"""How much a finished segment moves its tenant's mean pace."""


def order(candidate: Candidate, scene: Scene) -> float:
    standing = candidate.note if candidate.note > 0.0 else _judged(candidate, scene)
    key = _wanted_ns(candidate, scene) if standing <= _NO_HURRY else _left_ns(candidate, scene)
    return standing * _CLASS_STEP_NS + max(-_MOST_NS, min(key, _MOST_NS))


def _wanted_ns(c: Candidate, scene: Scene) -> float:
    """Return when a request is wanted, from now on: when due, sooner if its deadline is long for its work, a protected rank at once."""
    if c.rank < scene.params[5]:
        return -_MOST_NS
    return min(float(c.due_ns - scene.now_ns), c.arrival_ns + scene.params[4] * c.alone_ns - scene.now_ns)


def prepare(scene: Scene) -> None:
    """Learn how fast requests go, then decide who is to be in time: earliest due first, giving up the longest where one would be late."""
    _learn(scene)
    servers = _set_clocks(scene)
    waiting = _classify(scene)
    listed = int(scene.notes[_LISTED])
    for index in range(listed):
        _place(scene, index, servers)
    _account(scene, waiting)


def choose_width(candidate: Candidate, scene: Scene) -> int:
    """Take the fewest lanes on which the segment takes hardly longer than as planned: what waits for memory needs no more."""
    stage = scene.stages[candidate.position]
    best = AS_PLANNED
    least = candidate.width
    for index in range(stage.others, stage.others + stage.other_count):
        other = scene.stages[scene.others[index]]
        if other.processor == stage.processor and other.width < least and other.segment_ns <= stage.segment_ns * scene.params[1]:
            best = other.width
            least = other.width
    return best


def share(candidate: Candidate, scene: Scene) -> float:
    """Grant first what a request that can be in time needs to be so; the rest is for all."""
    slack_ns = candidate.due_ns - scene.now_ns
    if candidate.note != _IN_TIME or slack_ns <= candidate.remaining_ns:
        return 0.0
    return candidate.bytes_per_ns * candidate.remaining_ns / slack_ns


def _learn(scene: Scene) -> None:
    """Keep each tenant's mean pace, as its own requests show it."""
    for index in range(scene.ready_count):
        c = scene.slots[scene.ready[index]]
        if c.stage > 0:
            t = scene.tenants[c.tenant]
            t.note += _LEARNS * (c.pace - t.note) if t.note > 0.0 else c.pace


def _left_ns(c: Candidate, scene: Scene) -> float:
    """Return what is left of a request at its tenant's pace."""
    pace = scene.tenants[c.tenant].note
    return c.remaining_ns * (pace if pace > 0.0 else 1.0)


def _set_clocks(scene: Scene) -> int:
    """Note when each group of lanes beside a free one, as wide as the widest request, will be free; return how many there are."""
    width = 1
    for index in range(scene.ready_count):
        width = max(width, scene.slots[scene.ready[index]].width)
    lanes = 0
    for index in range(len(scene.processors)):
        if scene.processors[index].free > 0 or scene.ready_count == 0:
            lanes += scene.processors[index].lanes
    servers = max(1, min(_MOST_SERVERS, lanes // width))
    busy = 0
    for index in range(scene.running_count):
        c = scene.slots[scene.running[index]]
        if busy < servers and scene.processors[c.processor].free > 0:
            scene.notes[_CLOCKS + busy] = _left_ns(c, scene)
            busy += 1
    for server in range(busy, servers):
        scene.notes[_CLOCKS + server] = 0.0
    return servers


def _classify(scene: Scene) -> int:
    """Judge everybody alone; return the slot, of those that can only wait, that has waited longest over its time alone, or -1."""
    longest = -1
    most = -1.0
    scene.notes[_LISTED] = 0.0
    for index in range(scene.ready_count):
        slot = scene.ready[index]
        c = scene.slots[slot]
        c.note = _judged(c, scene)
        if c.note == _IN_TIME:
            _list(scene, slot)
        wait = (scene.now_ns - c.arrival_ns) / max(1, c.alone_ns)
        if _can_only_wait(c) and wait > most:
            longest, most = slot, wait
    return longest


def _can_only_wait(c: Candidate) -> bool:
    """Say whether a request goes after all that can be in time: hopeless, or without a deadline."""
    return c.note == _NO_HURRY or c.note == _HOPELESS  # noqa: PLR1714  # compiles


def _judged(c: Candidate, scene: Scene) -> float:
    """Return the class of a request by itself; what is nearly done is finished, since its place is worth more than its work."""
    if c.due_ns >= NEVER_NS:
        return _NO_HURRY
    if c.begun == 1 and c.remaining_ns < scene.params[3] * c.alone_ns:
        return _IN_TIME if c.late == 0 else _OWED
    if c.late == 1 or scene.now_ns + _left_ns(c, scene) * scene.params[0] > c.due_ns:
        return _HOPELESS
    return _IN_TIME


def _list(scene: Scene, slot: int) -> None:
    """List a slot among those in time by when it is wanted; of more than _MOST_LISTED, those wanted last are left to themselves."""
    wanted_ns = _wanted_ns(scene.slots[slot], scene)
    count = int(scene.notes[_LISTED])
    if count == _MOST_LISTED:
        if wanted_ns >= scene.notes[_WANTED + count - 1]:
            return
        count -= 1
    at = count
    while at > 0 and scene.notes[_WANTED + at - 1] > wanted_ns:
        scene.notes[_WANTED + at] = scene.notes[_WANTED + at - 1]
        scene.notes[_SLOTS + at] = scene.notes[_SLOTS + at - 1]
        at -= 1
    scene.notes[_WANTED + at] = wanted_ns
    scene.notes[_SLOTS + at] = float(slot)
    scene.notes[_LISTED] = float(count + 1)


def _place(scene: Scene, index: int, servers: int) -> None:
    """Place a listed request where lanes are free first; if it would be late so, give up the longest that has been placed."""
    slot = int(scene.notes[_SLOTS + index])
    c = scene.slots[slot]
    first = 0
    for server in range(1, servers):
        if scene.notes[_CLOCKS + server] < scene.notes[_CLOCKS + first]:
            first = server
    scene.notes[_CLOCKS + first] += _left_ns(c, scene)
    c.mark = 1.0 + first
    if scene.now_ns + scene.notes[_CLOCKS + first] <= c.due_ns:
        return
    longest = slot
    for before in range(index):
        other = int(scene.notes[_SLOTS + before])
        if scene.slots[other].note == _IN_TIME and _is_longer(scene.slots[other], scene.slots[longest], scene):
            longest = other
    server = int(scene.slots[longest].mark) - 1
    scene.notes[_CLOCKS + server] -= _left_ns(scene.slots[longest], scene)
    scene.slots[longest].note = _GIVEN_UP


def _is_longer(one: Candidate, other: Candidate, scene: Scene) -> bool:
    """Say who is rather given up: of no protected rank, then whoever has more left."""
    mine, theirs = one.rank < scene.params[5], other.rank < scene.params[5]
    if mine != theirs:
        return theirs
    return _left_ns(one, scene) > _left_ns(other, scene)


def _account(scene: Scene, waiting: int) -> None:
    """Count the time of lanes while some can only wait; owe them their part of it."""
    passed_ns = scene.now_ns - scene.notes[_SINCE]
    scene.notes[_SINCE] = float(scene.now_ns)
    if waiting < 0 and scene.ready_count > 0:
        scene.notes[_BUSY] = 0.0
        scene.notes[_LATE] = 0.0
        return
    for index in range(scene.running_count):
        c = scene.slots[scene.running[index]]
        scene.notes[_BUSY] += passed_ns * c.width
        if c.note == _OWED or _can_only_wait(c):
            scene.notes[_LATE] += passed_ns * c.width
    if waiting >= 0 and scene.notes[_LATE] < scene.params[2] * scene.notes[_BUSY]:
        scene.slots[waiting].note = _OWED


fewest_late = Policy(
    order=order,
    width=choose_width,
    share=share,
    prepare=prepare,
    sees_all=False,
    notes=_WANTED + _MOST_LISTED,
    params=(("margin", 1.1), ("stretch", 1.3), ("reserve", 0.005), ("finish", 0.5), ("spread", 5.2), ("first", 0.0)),
)
