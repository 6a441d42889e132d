"""Fixed partitions, each request on its own to the end, first come first served: the baseline of MoCA (Kim et al., HPCA 2023).

`as_published` 1 serves in rounds, as MoCA's artifact does.
"""

from __future__ import annotations

from cotenant.policy import NOT_NOW, Candidate, Policy, Scene, at_width

_OPEN, _BEGAN, _PASS, _TOP, _SERVERS, _CLOCKS, _COUNTS = 0, 1, 2, 3, 4, 5, 21
_MOST_SERVERS = 16
"""Places in the notes: whether a round is open, when it began, its pass, until when that counts waiting; how many servers there are,
when each is predicted to be free, and how many of the pass it has."""


def order(candidate: Candidate, scene: Scene) -> float:
    """Take the earliest arrival; as published the highest of priority + wait/work, of those that take part in the round."""
    if scene.params[0] <= 0.0:
        return float(candidate.arrival_ns)
    if candidate.begun == 0 and not _takes_part(candidate, scene):
        return NOT_NOW
    waited_ns = max(0.0, scene.notes[_TOP] - candidate.arrival_ns)
    return candidate.rank - waited_ns / _alone_on_one_ns(candidate, scene)


def prepare(scene: Scene) -> None:
    """Count what has begun since the last decision; begin a round where none is under way."""
    if scene.params[0] <= 0.0:
        return
    under_way = False
    for index in range(scene.running_count):
        under_way = True
        _count(scene.slots[scene.running[index]], scene)
    for index in range(scene.ready_count):
        c = scene.slots[scene.ready[index]]
        if c.begun == 1:
            under_way = True
            _count(c, scene)
    for index in range(scene.ready_count):
        under_way = under_way or _takes_part(scene.slots[scene.ready[index]], scene)
    if not under_way:
        _begin(scene)


def _takes_part(candidate: Candidate, scene: Scene) -> bool:
    """Say whether a request may begin in the round: the lists are not full, and it had arrived when the pass (or the round) began."""
    arrived_by_ns = scene.notes[_TOP] if scene.params[5] > 0.0 else scene.notes[_BEGAN]
    return scene.notes[_OPEN] > 0.0 and scene.notes[_PASS] < scene.params[3] and candidate.arrival_ns <= arrived_by_ns


def _begin(scene: Scene) -> None:
    if scene.ready_count == 0:
        scene.notes[_OPEN] = 0.0
        return
    widest, lanes = 1, 0
    for index in range(scene.ready_count):
        widest = max(widest, scene.slots[scene.ready[index]].width)
    for index in range(len(scene.processors)):
        lanes += scene.processors[index].lanes
    servers = max(1, min(lanes // widest, _MOST_SERVERS))
    scene.notes[_OPEN] = 1.0
    scene.notes[_BEGAN] = float(scene.now_ns)
    scene.notes[_PASS] = 0.0
    scene.notes[_TOP] = scene.now_ns + scene.params[1]
    scene.notes[_SERVERS] = float(servers)
    for index in range(servers):
        scene.notes[_CLOCKS + index] = scene.notes[_TOP]
        scene.notes[_COUNTS + index] = 0.0


def _count(candidate: Candidate, scene: Scene) -> None:
    """Put what has begun on the list of the server that is predicted to be free first, once; a pass ends when a list is full."""
    if candidate.note > 0.0 or scene.notes[_OPEN] <= 0.0:
        return
    candidate.note = 1.0
    server = _first_free(scene)
    scene.notes[_CLOCKS + server] += candidate.alone_ns * scene.params[4]
    scene.notes[_COUNTS + server] += 1.0
    if scene.notes[_COUNTS + server] >= scene.params[2]:
        scene.notes[_PASS] += 1.0
        scene.notes[_TOP] = scene.notes[_CLOCKS + _first_free(scene)]
        for index in range(int(scene.notes[_SERVERS])):
            scene.notes[_COUNTS + index] = 0.0


def _first_free(scene: Scene) -> int:
    best = 0
    for index in range(1, int(scene.notes[_SERVERS])):
        if scene.notes[_CLOCKS + index] < scene.notes[_CLOCKS + best]:
            best = index
    return best


def _alone_on_one_ns(candidate: Candidate, scene: Scene) -> float:
    """Return the expected time of the whole request on one lane: an option's stages stand one after the other."""
    one = at_width(candidate, scene, 1)
    return max(1.0, float(candidate.alone_ns if one < 0 else scene.stages[one - candidate.stage].remaining_ns))


static_partition = Policy(
    order=order,
    prepare=prepare,
    preempts=False,
    holds=True,
    notes=37,
    params=(("as_published", 0.0), ("look_ns", 5.0e6), ("depth", 6.0), ("passes", 3.0), ("scale", 1.1), ("joins", 1.0)),
)
