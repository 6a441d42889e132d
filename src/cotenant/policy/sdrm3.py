"""SDRM3, published as DREAM: urgency, preference and starvation say what goes where (Kim et al., 2023).

What the paper leaves open and what was chosen: docs/policies/sdrm3.md.
"""

from __future__ import annotations

from cotenant.policy import AS_PLANNED, NEVER_NS, NOT_NOW, Candidate, Policy, Scene


def order(candidate: Candidate, scene: Scene) -> float:
    """Take the pair of request and processor with the highest MapScore; not now where no processor has a lane free."""
    step = _best(candidate, scene)
    return -_map_score(candidate, scene, step) if step >= 0 else NOT_NOW


def choose_place(candidate: Candidate, scene: Scene) -> int:
    """Take the processor of the highest score."""
    step = _best(candidate, scene)
    return AS_PLANNED if step < 0 or step == candidate.position else scene.stages[step].processor


def choose_width(candidate: Candidate, scene: Scene) -> int:
    """Take the lanes of the step of the highest score: at home those that are planned."""
    step = _best(candidate, scene)
    return AS_PLANNED if step < 0 or step == candidate.position else scene.stages[step].width


def _best(c: Candidate, scene: Scene) -> int:
    """Return the step with the highest score on a processor with a lane free, -1 if there is none."""
    stage = scene.stages[c.position]
    best, best_score = -1, 0.0
    for index in range(stage.others, stage.others + stage.other_count):
        step = scene.others[index]
        if not _is_open(c, scene, step) or scene.processors[scene.stages[step].processor].free == 0:
            continue
        score = _map_score(c, scene, step)
        if best < 0 or score > best_score or (score == best_score and step == c.position):
            best, best_score = step, score
    return best


def _is_open(c: Candidate, scene: Scene, step: int) -> bool:
    """Say whether a step is its own, or on another processor: at home the planned width is kept."""
    return step == c.position or scene.stages[step].processor != scene.stages[c.position].processor


def _map_score(c: Candidate, scene: Scene, step: int) -> float:
    """Return urgency x latency preference + alpha starvation + beta (energy preference - cost of the switch)."""
    stage = scene.stages[c.position]
    count, segments_ns, left_ns, lanes_ns = 0.0, 0.0, 0.0, 0.0
    for index in range(stage.others, stage.others + stage.other_count):
        other = scene.others[index]
        if _is_open(c, scene, other):
            count += 1.0
            segments_ns += scene.stages[other].segment_ns
            left_ns += scene.stages[other].remaining_ns
            lanes_ns += float(scene.stages[other].segment_ns) * scene.stages[other].width
    togo_ns = max(1.0, left_ns / count)
    own_ns = float(max(1, scene.stages[step].segment_ns))
    latency = segments_ns / own_ns
    energy = lanes_ns / (own_ns * scene.stages[step].width) - _switch_ns(c, scene, step) / own_ns
    starved = max(0, scene.now_ns - _ready_ns(c)) / togo_ns
    return _urgency(c, scene, togo_ns) * latency + scene.params[0] * starved + scene.params[1] * energy


def _urgency(c: Candidate, scene: Scene, togo_ns: float) -> float:
    """Return what is left over the slack; nothing without a deadline, or past it."""
    slack_ns = c.due_ns - scene.now_ns
    return togo_ns / slack_ns if slack_ns > 0 and c.due_ns < NEVER_NS else 0.0


def _ready_ns(c: Candidate) -> int:
    """Return since when it waits: the end of its last segment, or its arrival."""
    return max(c.arrival_ns, c.since_ns) if c.begun == 1 else c.arrival_ns


def _switch_ns(c: Candidate, scene: Scene, step: int) -> float:
    """Return what a start there costs: nothing where a begun request stays on its planned processor."""
    processor = scene.stages[step].processor
    if c.begun == 1 and processor == c.processor:
        return 0.0
    return float(scene.processors[processor].switch_ns)


sdrm3 = Policy(order=order, width=choose_width, place=choose_place, preempts=False, params=(("alpha", 1.0), ("beta", 1.0)))
