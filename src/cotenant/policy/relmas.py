"""RELMAS: a small network learns who goes first, and where, from times and bandwidths (Blanco et al., DAC 2024)."""

from __future__ import annotations

from cotenant.policy import AS_PLANNED, NEVER_NS, Candidate, Policy, Scene

INPUTS, HIDDEN = 12, 8
_WHO, _WHERE = 0, 1
"""The outputs: the value by which to go first, and how many times the planned segment's time another processor may take."""

Inputs = tuple[float, float, float, float, float, float, float, float, float, float, float, float]

WEIGHTS = (
    0.2657, 0.3783, -0.0458, 1.7904, 0.3109, 0.0632, 0.1727, -0.0957, 0.4398, 0.1345, 0.3338, 0.1681, 0.0753,
    -0.8975, -0.2668, -0.0499, 0.5548, 0.248, 0.0484, 0.437, 0.1726, 0.3158, -0.4912, 1.1613, -0.6456, 0.0241,
    0.4376, 0.3769, 0.5492, -0.2211, -0.1264, 0.084, -0.3425, 0.21, -0.0776, 0.1349, 0.0771, -0.1553, -0.465,
    0.4746, 0.1207, 0.113, 0.319, 0.1404, -0.1986, -0.3138, -0.2901, -0.0815, 0.0227, 0.2926, 0.3458, 0.6026,
    -0.1299, 0.3793, 0.0075, 0.1857, 0.0376, 0.1684, 0.0648, 0.3137, -0.1644, 0.1097, 0.3084, 0.3277, -0.0944,
    0.1724, -0.0771, 0.1016, 0.3629, 0.1569, -0.0454, -0.38, -0.4308, 0.2618, 0.3644, -0.3404, -0.3268, 0.0106,
    -0.0618, -0.0276, 0.1089, 0.0039, 0.1379, -0.1864, -0.0502, 0.0365, -0.2386, -0.0051, -0.1313, 0.409, -0.3668,
    -0.0178, -0.3733, 0.2363, 0.1236, -0.1233, -0.3793, -0.4193, 0.1578, 0.0877, -0.1502, 0.3792, 0.0843, 0.0439,
    1.9025, 3.3399, 0.044, 0.4863, 0.2051, 0.1257, -0.2784, 0.2555, 0.1096, -0.0617, 0.0209, 0.4004, 0.3953,
    -0.1628, -0.0317, 0.136, -0.0842, 2.2407,
)  # fmt: skip
"""Learnt by benchmarks/relmas/train.py, seed 20240413: neuron by neuron, its bias last, then the two outputs."""


def prepare(scene: Scene) -> None:
    """Note the mean of what is left of the candidates: the unit of time of what the network is shown."""
    left_ns = 0.0
    for index in range(scene.ready_count):
        left_ns += float(scene.slots[scene.ready[index]].remaining_ns)
    for index in range(scene.running_count):
        left_ns += float(scene.slots[scene.running[index]].remaining_ns)
    scene.notes[0] = max(1.0, left_ns / max(1, scene.ready_count + scene.running_count))


def order(candidate: Candidate, scene: Scene) -> float:
    """Go by the first answer of the network: the least goes first."""
    return _think(_inputs(candidate, scene), scene, _WHO)


def choose_width(candidate: Candidate, scene: Scene) -> int:
    """Take the lanes of the chosen step: at home those that are planned."""
    chosen = _chosen(candidate, scene)
    return AS_PLANNED if chosen == candidate.position else scene.stages[chosen].width


def choose_place(candidate: Candidate, scene: Scene) -> int:
    """Take the processor of the chosen step: its own unless another that is free is faster, or fast enough for the network."""
    chosen = _chosen(candidate, scene)
    return AS_PLANNED if chosen == candidate.position else scene.stages[chosen].processor


def _chosen(candidate: Candidate, scene: Scene) -> int:
    """Return the planned step while there are lanes for it and none that is free is faster, else the fastest that the network permits."""
    chosen = candidate.position
    stage = scene.stages[chosen]
    most_ns = float(stage.segment_ns)
    if len(scene.processors) == 1:
        return chosen
    if scene.processors[stage.processor].free < stage.width:
        most_ns *= _think(_inputs(candidate, scene), scene, _WHERE)
    for index in range(stage.others, stage.others + stage.other_count):
        other = scene.stages[scene.others[index]]
        is_free = other.width <= scene.processors[other.processor].free
        if other.processor != stage.processor and is_free and float(other.segment_ns) < most_ns:
            chosen = scene.others[index]
            most_ns = float(other.segment_ns)
    return chosen


def _inputs(candidate: Candidate, scene: Scene) -> Inputs:
    """Return what the network is shown of a candidate: ratios, so that neither the board's speed nor the networks' sizes matter."""
    alone_ns = float(max(1, candidate.alone_ns))
    mean_ns = scene.notes[0]
    left_ns = float(candidate.remaining_ns)
    slack_ns = float(min(candidate.due_ns, NEVER_NS) - scene.now_ns) - left_ns * candidate.pace
    capacity = scene.memories[scene.processors[candidate.processor].memory].bytes_per_ns
    return (
        0.5 * max(-2.0, min(slack_ns / alone_ns, 4.0)),
        0.5 * max(-2.0, min(slack_ns / mean_ns, 4.0)),
        min(left_ns / alone_ns, 2.0),
        0.5 * min(left_ns / mean_ns, 4.0),
        min(candidate.segment_ns / mean_ns, 2.0),
        0.25 * min(float(scene.now_ns - candidate.arrival_ns) / alone_ns, 8.0),
        min(candidate.bytes_per_ns / max(capacity, 1e-9), 2.0),
        min(_used(scene, scene.processors[candidate.processor].memory) / max(capacity, 1e-9), 2.0),
        min(candidate.bytes_left / (max(capacity, 1e-9) * max(1.0, left_ns)), 2.0),
        float(candidate.begun),
        float(candidate.late),
        min(candidate.rank, 12) / 12.0,
    )


def _used(scene: Scene, memory: int) -> float:
    """Return how much bandwidth of a memory what runs would take, bytes per ns."""
    used = 0.0
    for index in range(scene.running_count):
        other = scene.slots[scene.running[index]]
        if scene.processors[other.processor].memory == memory:
            used += other.bytes_per_ns
    return used


def _think(inputs: Inputs, scene: Scene, output: int) -> float:
    """Run the network for one output; the weights are the parameters, neuron by neuron, each with its bias last."""
    own = HIDDEN * (INPUTS + 1) + output * (HIDDEN + 1)
    answer = scene.params[own + HIDDEN]
    for neuron in range(HIDDEN):
        first = neuron * (INPUTS + 1)
        total = scene.params[first + INPUTS]
        for index in range(INPUTS):
            total += scene.params[first + index] * inputs[index]
        answer += scene.params[own + neuron] * max(0.0, total)
    return answer


relmas = Policy(
    order=order,
    width=choose_width,
    place=choose_place,
    prepare=prepare,
    preempts=False,
    notes=1,
    params=tuple((f"w{index}", weight) for index, weight in enumerate(WEIGHTS)),
)
