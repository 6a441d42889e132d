"""RELMAS: what the network is shown, what it answers, and where its weights come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cotenant.dispatch.state import READY, RUNNING, MemoryRow, ProcessorRow, SlotRow, StageRow
from cotenant.policy import AS_PLANNED, Scene
from cotenant.policy.relmas import HIDDEN, INPUTS, WEIGHTS, relmas

ROOT = Path(__file__).parents[2]
WHO = HIDDEN * (INPUTS + 1)
WHERE = WHO + HIDDEN + 1
LEFT, USED = 3, 7
"""The inputs that the tests below look at: what is left over its mean, and the bandwidth in use over what there is."""


def weights(**named: float) -> list[float]:
    """Return weights that are 0 but for these: `n0_3` is the weight of input 3 in neuron 0, `n0_b` its bias, `who_0`, `where_b`."""
    found = [0.0] * len(WEIGHTS)
    for name, value in named.items():
        row, at = name.split("_")
        if row.startswith("n"):
            found[int(row[1:]) * (INPUTS + 1) + (INPUTS if at == "b" else int(at))] = value
        else:
            found[(WHO if row == "who" else WHERE) + (HIDDEN if at == "b" else int(at))] = value
    return found


def slot(left_ns: int, *, state: int = READY, position: int = 0, due_ns: int = 5000) -> SlotRow:
    return SlotRow(
        state=state, stages=1, position=position, alone_ns=2 * left_ns, remaining_ns=left_ns, segment_ns=left_ns // 2, due_ns=due_ns,
        arrival_ns=100, bytes_per_ns=0.25, bytes_left=0.25 * left_ns,
    )  # fmt: skip


def scene(
    slots: list[SlotRow], params: list[float], *, now_ns: int = 1000, frees: tuple[int, ...] = (1,), times: tuple[int, ...] = (100,)
) -> Scene:
    """Return a scene of equal memories of 1 byte per ns; the segment at hand takes so long on each processor."""
    processors = [ProcessorRow(lanes=1, free=free) for free in frees]
    stages = [StageRow(processor=p, segment_ns=ns, others=0, other_count=len(times)) for p, ns in enumerate(times)]
    ready = [index for index, s in enumerate(slots) if s.state == READY]
    running = [index for index, s in enumerate(slots) if s.state == RUNNING]
    found = Scene(
        now_ns, slots, ready, len(ready), running, len(running), [], processors, [MemoryRow(bytes_per_ns=1.0)], stages,
        list(range(len(times))), params, [0.0],
    )  # fmt: skip
    relmas.prepare(found)
    return found


def test_the_network_is_small() -> None:
    assert len(WEIGHTS) == len(relmas.params) == HIDDEN * (INPUTS + 1) + 2 * (HIDDEN + 1) <= 200


def test_a_neuron_of_what_is_left_orders_by_the_shortest() -> None:
    short, long = slot(100), slot(300)
    seen = scene([short, long], weights(n0_3=2.0, n0_b=0.5, who_0=3.0, who_b=-1.0))
    mean = (100 + 300) / 2
    assert relmas.order(short, seen) == pytest.approx(-1 + 3 * (2 * 0.5 * 100 / mean + 0.5))
    assert relmas.order(long, seen) == pytest.approx(-1 + 3 * (2 * 0.5 * 300 / mean + 0.5))


def test_a_neuron_below_0_is_silent() -> None:
    one = slot(100)
    assert relmas.order(one, scene([one], weights(n0_3=-1.0, who_0=3.0, who_b=0.25))) == 0.25


def test_it_is_shown_how_much_bandwidth_is_in_use() -> None:
    waits = slot(100)
    running = [slot(100, state=RUNNING), slot(200, state=RUNNING)]
    params = weights(n0_7=1.0, who_0=1.0)
    assert relmas.order(waits, scene([waits], params)) == 0.0
    assert relmas.order(waits, scene([waits, *running], params)) == pytest.approx(0.25 + 0.25)


def test_neither_the_speed_of_a_board_nor_the_size_of_its_networks_matters() -> None:
    def ordered(times: int) -> list[float]:
        slots = [slot(100), slot(300, due_ns=1200), slot(700, state=RUNNING)]
        for s in slots:
            s.alone_ns, s.remaining_ns, s.segment_ns = s.alone_ns * times, s.remaining_ns * times, s.segment_ns * times
            s.due_ns, s.arrival_ns, s.bytes_left = s.due_ns * times, s.arrival_ns * times, s.bytes_left * times
        seen = scene(slots, list(WEIGHTS), now_ns=1000 * times)
        return [relmas.order(s, seen) for s in slots]

    assert ordered(8) == ordered(1)


@pytest.mark.parametrize(
    ("frees", "times", "patience", "where"),
    [
        ((1, 1), (100, 80), 0.0, 1),  # both are free: the faster
        ((1, 1), (100, 120), 9.0, AS_PLANNED),
        ((0, 1), (100, 150), 2.0, 1),  # its own is taken: what is slower by less than it permits
        ((0, 1), (100, 150), 1.5, AS_PLANNED),
        ((0, 1, 1), (100, 150, 90), 2.0, 2),
        ((0, 0), (100, 80), 9.0, AS_PLANNED),
    ],
)
def test_another_processor_is_taken_if_it_is_free_and_the_network_permits_its_time(
    frees: tuple[int, ...], times: tuple[int, ...], patience: float, where: int
) -> None:
    one = slot(100)
    seen = scene([one], weights(where_b=patience), frees=frees, times=times)
    assert relmas.place(one, seen) == where
    assert relmas.width(one, seen) == (AS_PLANNED if where == AS_PLANNED else 1)


def test_the_weights_are_those_that_the_benchmark_learnt() -> None:
    kept = json.loads((ROOT / "benchmarks" / "relmas" / "weights.json").read_text())
    assert list(WEIGHTS) == kept["weights"]
