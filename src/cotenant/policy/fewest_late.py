"""Fewest late (Moore and Hodgson, 1968) on several lanes, with bandwidth by need: ours, for deadlines."""

from __future__ import annotations

from cotenant.policy import AS_PLANNED, NEVER_NS, Candidate, Policy, Scene

_OWED, _IN_TIME, _NO_HURRY, _GIVEN_UP, _HOPELESS = 1.0, 2.0, 3.0, 4.0, 5.0
"""Classes, in this order; 0 is not yet judged.

A hopeless request whose turn it is; those that will be in time; those without a deadline; those given up for others; the hopeless.
"""

_CLASS_STEP_NS = 4.0e15
_MOST_NS = 1.0e15
"""46 and 11 days: a class is further apart than two due times can be, and both are exact to the nanosecond."""

_MOST_SERVERS, _MOST_LISTED = 32, 64
_SINCE, _BUSY, _LATE, _LISTED, _TURN, _TURN_LANES, _PRESSED, _MISSED, _CLOCKS = 0, 1, 2, 3, 4, 5, 6, 7, 8
_STARTS = _CLOCKS + _MOST_SERVERS
_SLOTS = _STARTS + _MOST_SERVERS + 1
_WANTED = _SLOTS + _MOST_LISTED
_LEFT = _WANTED + _MOST_LISTED
"""Places in the notes: the last decision; lane-ns that there were, and that those who can only wait had, while some of these did; how many
are in time; whose turn it is that could only wait (its request and one) and how many lanes it takes; in what share of the last decisions
somebody was to be late, and whether in this one; when groups of lanes are free, processor by processor, and where each one's begin; who
is in time, when wanted, and what is left of it."""

_LEARNS = 0.05
"""How much a finished segment moves its tenant's mean pace."""

_PRESSES = 0.02
"""How much a decision in which somebody will be late moves the share of those that are such."""


def order(candidate: Candidate, scene: Scene) -> float:
    """Go by class; then by when wanted, of those given up or hopeless by what is left."""
    standing = _standing(candidate, scene)
    key = _wanted_ns(candidate, scene) if standing <= _NO_HURRY else _left_ns(candidate, scene)
    return standing * _CLASS_STEP_NS + max(-_MOST_NS, min(key, _MOST_NS))


def _standing(c: Candidate, scene: Scene) -> float:
    """Return the class of a request: as of the last decision that it was a candidate in, by itself if it never was."""
    return c.note if c.note > 0.0 else _judged(c, scene)


def _wanted_ns(c: Candidate, scene: Scene) -> float:
    """Return when a request is wanted, from now on: when due, sooner if its deadline is long for its work, a protected rank before all.

    Under pressure there is no sooner: each that goes before it is due may cost another its deadline.
    """
    wanted_ns = float(c.due_ns - scene.now_ns)
    if scene.notes[_PRESSED] < scene.params[6]:
        wanted_ns = min(wanted_ns, c.arrival_ns + scene.params[4] * c.alone_ns - scene.now_ns)
    return wanted_ns - _MOST_NS / 2 if c.rank < scene.params[5] else wanted_ns


def prepare(scene: Scene) -> None:
    """Learn how fast requests go, then decide who is to be in time: earliest due first, giving up the longest where one would be late."""
    waiting = _classify(scene)
    listed = int(scene.notes[_LISTED])
    if listed > 0:
        _set_clocks(scene)
    for index in range(listed):
        scene.notes[_LEFT + index] = _left_ns(scene.slots[int(scene.notes[_SLOTS + index])], scene)
        _place(scene, index)
    scene.notes[_PRESSED] += _PRESSES * (scene.notes[_MISSED] - scene.notes[_PRESSED])
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
    if slack_ns < candidate.remaining_ns or _standing(candidate, scene) != _IN_TIME:
        return 0.0
    return candidate.bytes_per_ns * candidate.remaining_ns / slack_ns


def _learn(c: Candidate, scene: Scene) -> None:
    """Move the tenant's mean pace by what a request shows that has just ended a segment."""
    t = scene.tenants[c.tenant]
    t.note += _LEARNS * (c.pace - t.note) if t.note > 0.0 else c.pace


def _left_ns(c: Candidate, scene: Scene) -> float:
    """Return what is left of a request at its tenant's pace."""
    pace = scene.tenants[c.tenant].note
    return c.remaining_ns * (pace if pace > 0.0 else 1.0)


def _set_clocks(scene: Scene) -> None:
    """Note when each group of lanes, as wide as the widest head of its processor, will be free.

    On a board of so many processors that they have more groups than there is room for, the last serves for the rest.
    """
    servers = 0
    processors = min(len(scene.processors), _MOST_SERVERS)
    for processor in range(processors):
        scene.notes[_STARTS + processor] = float(servers)
        lanes = scene.processors[processor].lanes
        groups = max(1, lanes // _widest(scene, processor)) if lanes > 1 else 1
        for _ in range(min(groups, _MOST_SERVERS - servers)):
            scene.notes[_CLOCKS + servers] = 0.0
            servers += 1
    scene.notes[_STARTS + processors] = float(servers)
    for index in range(scene.running_count):
        c = scene.slots[scene.running[index]]
        server = _free_first(scene, c.processor)
        if scene.notes[_CLOCKS + server] == 0.0:
            scene.notes[_CLOCKS + server] = _left_ns(c, scene)


def _widest(scene: Scene, processor: int) -> int:
    """Return how many lanes the widest candidate that waits for a processor takes, 1 if nobody does."""
    widest = 1
    for index in range(scene.ready_count):
        c = scene.slots[scene.ready[index]]
        if c.processor == processor:
            widest = max(widest, c.width)
    return widest


def _free_first(scene: Scene, processor: int) -> int:
    """Return the group of a processor's lanes that is free first."""
    at = _STARTS + min(processor, _MOST_SERVERS - 1)
    start = int(scene.notes[at])
    best = min(start, _MOST_SERVERS - 1)
    for server in range(start + 1, int(scene.notes[at + 1])):
        if scene.notes[_CLOCKS + server] < scene.notes[_CLOCKS + best]:
            best = server
    return best


def _classify(scene: Scene) -> int:
    """Judge everybody alone; return how many can only wait."""
    waiting = 0
    scene.notes[_LISTED] = 0.0
    scene.notes[_MISSED] = 0.0
    for index in range(scene.ready_count):
        slot = scene.ready[index]
        c = scene.slots[slot]
        if c.stage > 0 and c.since_ns == scene.now_ns:
            _learn(c, scene)
        standing = _judged(c, scene)
        c.note = standing
        if standing == _HOPELESS:
            waiting += 1
            scene.notes[_MISSED] = 1.0
        elif standing == _IN_TIME:
            _list(scene, slot)
        elif standing == _NO_HURRY:
            waiting += 1
    return waiting


def _waited_longest(scene: Scene) -> int:
    """Return the slot, of those that can only wait, of whoever has waited longest over its time alone; there must be one."""
    longest, longest_ns, longest_alone_ns = -1, -1.0, 1.0
    for index in range(scene.ready_count):
        c = scene.slots[scene.ready[index]]
        if _can_only_wait(c.note):
            wait_ns, alone_ns = float(scene.now_ns - c.arrival_ns), float(max(1, c.alone_ns))
            if wait_ns * longest_alone_ns > longest_ns * alone_ns:
                longest, longest_ns, longest_alone_ns = scene.ready[index], wait_ns, alone_ns
    return longest


def _can_only_wait(standing: float) -> bool:
    """Say whether a class goes after all that can be in time: hopeless, or without a deadline."""
    return standing in (_NO_HURRY, _HOPELESS)


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


def _place(scene: Scene, index: int) -> None:
    """Place a listed request where lanes of its processor are free first; if it would be late so, give up the longest there so far."""
    slot = int(scene.notes[_SLOTS + index])
    c = scene.slots[slot]
    first = _free_first(scene, c.processor)
    scene.notes[_CLOCKS + first] += scene.notes[_LEFT + index]
    c.mark = 1.0 + first
    if scene.now_ns + scene.notes[_CLOCKS + first] <= c.due_ns:
        return
    longest = _longest(scene, index)
    given_up = scene.slots[int(scene.notes[_SLOTS + longest])]
    scene.notes[_CLOCKS + int(given_up.mark) - 1] -= scene.notes[_LEFT + longest]
    given_up.note = _GIVEN_UP
    scene.notes[_MISSED] = 1.0


def _longest(scene: Scene, index: int) -> int:
    """Return who of those listed up to one, on its processor and still in time, is rather given up: of no protected rank, then the longest.

    The one itself where nobody goes before it.
    """
    longest, slot = index, int(scene.notes[_SLOTS + index])
    processor = scene.slots[slot].processor
    protected, left_ns = scene.slots[slot].rank < scene.params[5], scene.notes[_LEFT + index]
    for before in range(index):
        other_ns = scene.notes[_LEFT + before]
        if other_ns <= left_ns and not protected:
            continue
        c = scene.slots[int(scene.notes[_SLOTS + before])]
        if c.note != _IN_TIME or c.processor != processor:
            continue
        theirs = c.rank < scene.params[5]
        if theirs < protected or (theirs == protected and other_ns > left_ns):
            longest, protected, left_ns = before, theirs, other_ns
    return longest


def _is_a_queue_seen(scene: Scene) -> bool:
    """Say whether all heads of a processor are candidates, not just what has come up while its lanes are taken."""
    seen = False
    for index in range(scene.ready_count):
        seen = seen or scene.processors[scene.slots[scene.ready[index]].processor].open == 1
    return seen


def _account(scene: Scene, waiting: int) -> None:
    """Count the time of lanes while some can only wait; owe them their part of it."""
    passed_ns = scene.now_ns - scene.notes[_SINCE]
    scene.notes[_SINCE] = float(scene.now_ns)
    if waiting == 0 and _is_a_queue_seen(scene):
        scene.notes[_BUSY] = 0.0
        scene.notes[_LATE] = 0.0
        return
    for index in range(len(scene.processors)):
        scene.notes[_BUSY] += passed_ns * scene.processors[index].lanes
    if scene.notes[_TURN] > 0.0 and not _is_here(scene, int(scene.notes[_TURN]) - 1):
        scene.notes[_LATE] += passed_ns * scene.notes[_TURN_LANES]
        scene.notes[_TURN] = 0.0
    for index in range(scene.running_count):
        c = scene.slots[scene.running[index]]
        standing = _standing(c, scene)
        if standing == _OWED or _can_only_wait(standing):
            scene.notes[_LATE] += passed_ns * c.width
    if waiting > 0 and scene.notes[_LATE] < scene.params[2] * scene.notes[_BUSY]:
        c = scene.slots[_waited_longest(scene)]
        c.note = _OWED
        scene.notes[_TURN] = c.request + 1.0
        scene.notes[_TURN_LANES] = c.width


def _is_here(scene: Scene, request: int) -> bool:
    """Say whether a request waits or runs."""
    here = False
    for index in range(scene.ready_count):
        here = here or scene.slots[scene.ready[index]].request == request
    for index in range(scene.running_count):
        here = here or scene.slots[scene.running[index]].request == request
    return here


fewest_late = Policy(
    order=order,
    width=choose_width,
    share=share,
    prepare=prepare,
    sees_all=False,
    notes=_LEFT + _MOST_LISTED,
    params=(("margin", 1.1), ("stretch", 1.3), ("reserve", 0.005), ("finish", 0.5), ("spread", 2.0), ("first", 0.0), ("pressed", 0.05)),
)
