"""PREMA: tokens by priority and slowdown, then the shortest job (Choi and Rhu, HPCA 2020).

One request has a processor to itself: it is served on the widest step that there is.
"""

from __future__ import annotations

from cotenant.policy import READY, Candidate, Policy, Scene, at_most

_BELOW_NS = 1.0e17
"""Added to what is left of a request below the threshold: more than is left of any."""

_THRESHOLD = 0
"""The note that holds it."""


def order(candidate: Candidate, scene: Scene) -> float:
    """Let whoever is drained go on, then take the shortest above the threshold, then the shortest below."""
    if candidate.mark > 0.0 and candidate.mark == float(scene.now_ns):
        return -1.0
    return _value(candidate, scene)


def choose_width(candidate: Candidate, scene: Scene) -> int:
    """Take the widest step that there is: one request has a processor to itself."""
    return scene.stages[_widest(candidate, scene)].width


def prepare(scene: Scene) -> None:
    """Set the threshold: the most tokens anybody has, rounded down to a priority. Then choose between drain and checkpoint."""
    most = 0.0
    for index in range(scene.ready_count):
        most = max(most, _tokens(scene.slots[scene.ready[index]], scene))
    for index in range(scene.running_count):
        most = max(most, _tokens(scene.slots[scene.running[index]], scene))
    scene.notes[_THRESHOLD] = _rounded_down(most, scene)
    if scene.params[5] > 0.0:
        for index in range(scene.ready_count):
            slot = scene.ready[index]
            if scene.slots[slot].begun == 1 and scene.slots[slot].since_ns == scene.now_ns:
                _drain(slot, scene)
        for index in range(scene.running_count):
            _drain(scene.running[index], scene)


def _drain(current: int, scene: Scene) -> None:
    """Mark a request that is to go on though another is to go first: where that delays the two by less, relative to their lengths."""
    c = scene.slots[current]
    rival = -1
    for index in range(scene.ready_count):
        slot = scene.ready[index]
        other = scene.slots[slot]
        comes_back = other.begun == 1 and other.since_ns == scene.now_ns
        if other.processor == c.processor and not comes_back and (rival < 0 or _value(other, scene) < _value(scene.slots[rival], scene)):
            rival = slot
    if rival < 0 or _value(scene.slots[rival], scene) >= _value(c, scene):
        return
    other = scene.slots[rival]
    if _left_ns(other, scene) / _alone_ns(c, scene) > _left_ns(c, scene) / _alone_ns(other, scene):
        c.mark = float(scene.now_ns)


def _value(candidate: Candidate, scene: Scene) -> float:
    below_ns = _BELOW_NS if _tokens(candidate, scene) < scene.notes[_THRESHOLD] else 0.0
    return below_ns + _left_ns(candidate, scene)


def _tokens(candidate: Candidate, scene: Scene) -> float:
    """Return priority x (1 + time waited / time alone)."""
    alone_ns = _alone_ns(candidate, scene)
    ran_ns = (alone_ns - _left_ns(candidate, scene)) * candidate.pace
    waited_ns = max(0.0, scene.now_ns - candidate.arrival_ns - ran_ns)
    return _priority(candidate.rank, scene) * (1.0 + waited_ns / alone_ns)


def _priority(rank: int, scene: Scene) -> float:
    if rank <= scene.params[3]:
        return scene.params[0]
    if rank <= scene.params[4]:
        return scene.params[1]
    return scene.params[2]


def _rounded_down(tokens: float, scene: Scene) -> float:
    if tokens >= scene.params[0]:
        return scene.params[0]
    if tokens >= scene.params[1]:
        return scene.params[1]
    return scene.params[2]


def _left_ns(candidate: Candidate, scene: Scene) -> float:
    """Return what is expected to be left on the widest step."""
    widest = _widest(candidate, scene)
    return float(candidate.remaining_ns if widest == candidate.position else scene.stages[widest].remaining_ns)


def _alone_ns(candidate: Candidate, scene: Scene) -> float:
    """Return the expected time of the whole request on the widest steps: an option's stages stand one after the other."""
    return max(1.0, float(scene.stages[_widest(candidate, scene) - candidate.stage].remaining_ns))


def _widest(candidate: Candidate, scene: Scene) -> int:
    """Return the index of the widest step of the segment at hand on its own processor; of what runs, that on which it runs."""
    if candidate.state != READY:
        return candidate.position
    return at_most(candidate, scene, scene.processors[candidate.processor].lanes)


prema = Policy(
    order=order,
    width=choose_width,
    prepare=prepare,
    notes=1,
    params=(("high", 9.0), ("medium", 3.0), ("low", 1.0), ("high_rank", 0.0), ("medium_rank", 1.0), ("drain", 1.0)),
)
