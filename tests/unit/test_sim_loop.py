"""The loop's corners: what closed loops, drops and interruptions come to, and policies that make no sense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cotenant.describe import Preemption
from cotenant.errors import DecisionError, InputError
from cotenant.policy import NEVER_NS, NOT_NOW, Candidate, Policy, Scene
from cotenant.sim import Loop, is_there, simulate
from cotenant.sim.state import DONE, DROPPED, EVICTED
from cotenant.trace.columns import Columns
from tests.sim_cases import US, board, case, compiler, every_policy, memory, processor, request, share, tenant

MODES = [
    "plain",
    pytest.param("compiled", marks=pytest.mark.skipif(not is_there(), reason="numba is not installed: pip install cotenant[sim]")),
]

EDF, RANK, FIFO = (every_policy()[name] for name in ("edf", "rank", "fifo"))

both = pytest.mark.parametrize("mode", MODES)


def loop_of(mode: str, policy: Policy) -> Loop | None:
    return compiler().loop(policy) if mode == "compiled" else None


def outcomes(columns: Columns, name: str) -> list[tuple[int, int, int]]:
    """List (arrival, finish, outcome) of a tenant's requests."""
    own = columns.endings[columns.endings["tenant"] == columns.tenants.index(name)]
    return [(int(row["arrival_ns"]), int(row["finish_ns"]), int(row["outcome"])) for row in own]


@both
def test_one_decision_may_drop_more_than_there_are_rows_for(mode: str) -> None:
    """200 of a closed loop turn late at one instant, and 200 others come."""
    platform = board(processor("p0"))
    crowd = [tenant("a", 0), tenant("b", 1, closed=200, deadline_ns=5 * US, drops=True)]
    drawn = case(platform, crowd, [share("a", ("p0", 1, 100 * US)), share("b", ("p0", 1, US))], [request("a", 0)], horizon_ns=5 * US)
    columns = simulate(drawn, RANK, name="rank", loop=loop_of(mode, RANK))
    # Alone for 1 us and due after 5, they are late an instant after 4 us; the 200 that come a ns later are so past the horizon.
    late_ns = 4 * US + 1
    assert outcomes(columns, "b") == [(0, late_ns, DROPPED)] * 200 + [(late_ns + 1, 2 * late_ns + 1, DROPPED)] * 200


@both
def test_each_closed_loop_asks_again_for_what_it_lost_itself(mode: str) -> None:
    """Requests of several tenants are dropped by one decision: their slots are given away before all are read."""
    crowd = [tenant("a", 0), *(tenant(name, 1, closed=2, deadline_ns=5 * US, drops=True) for name in "bcd")]
    shares = [share("a", ("p0", 1, 100 * US)), *(share(name, ("p0", 1, US)) for name in "bcd")]
    drawn = case(board(processor("p0")), crowd, shares, [request("a", 0)], horizon_ns=5 * US)
    columns = simulate(drawn, RANK, name="rank", loop=loop_of(mode, RANK))
    assert {name: len(outcomes(columns, name)) for name in "bcd"} == {"b": 4, "c": 4, "d": 4}


@both
def test_what_a_drop_brings_starts_a_ns_later_where_a_lane_is_free(mode: str) -> None:
    """Two options: the slow one cannot be in time, so its request is dropped as it comes; the next takes the fast one, and starts."""
    crowd = [tenant("a", 0, closed=1, deadline_ns=5 * US, drops=True)]
    shares = [share("a", ("p0", 1, 10 * US), rate_per_s=100.0), share("a", ("p0", 1, 2 * US), rate_per_s=99.0)]
    drawn = case(board(processor("p0")), crowd, shares, horizon_ns=2 * US)
    columns = simulate(drawn, FIFO, name="fifo", loop=loop_of(mode, FIFO))
    assert outcomes(columns, "a") == [(0, 0, DROPPED), (1, 2 * US + 1, DONE)]


def test_a_closed_loop_that_can_never_be_in_time_is_refused() -> None:
    """Else it would ask for ever at one instant."""
    crowd = [tenant("a", 0, closed=1, deadline_ns=US, drops=True)]
    drawn = case(board(processor("p0")), crowd, [share("a", ("p0", 1, 2 * US))])
    with pytest.raises(InputError, match=r"tenants\[a\].deadline: .*; at least .*alone"):
        simulate(drawn, FIFO, name="fifo")


@both
def test_an_interrupted_segment_pays_for_going_on_by_class_too(mode: str) -> None:
    """Rank 0 comes at 2 us for 3; the rest goes on at 5 with 2 us for the interruption and 1 for the change of tenant, then 8 of its 10."""
    platform = board(processor("p0", 1, Preemption.CLASS, costs=(US, 2 * US, 0)))
    crowd = [tenant("first", 0), tenant("rest", 1)]
    drawn = case(
        platform,
        crowd,
        [share("first", ("p0", 1, 2 * US)), share("rest", ("p0", 1, 9 * US))],
        [request("rest", 0), request("first", 2 * US)],
    )
    columns = simulate(drawn, RANK, name="rank", loop=loop_of(mode, RANK))
    assert outcomes(columns, "first") == [(2 * US, 5 * US, DONE)]
    assert outcomes(columns, "rest") == [(0, 16 * US, DONE)]


@both
def test_a_lane_remembers_whom_it_served_after_an_interruption(mode: str) -> None:
    """After the rest went on, the rest's next request changes nothing, and rank 0's does."""
    platform = board(processor("p0", 1, Preemption.CLASS, costs=(US, 0, 0)))
    crowd = [tenant("first", 0), tenant("rest", 1)]
    asked = [request("rest", 0), request("first", 2 * US), request("rest", 3 * US), request("first", 30 * US)]
    drawn = case(platform, crowd, [share("first", ("p0", 1, US)), share("rest", ("p0", 1, 9 * US))], asked)
    columns = simulate(drawn, RANK, name="rank", loop=loop_of(mode, RANK))
    # rest: 1 + 1 of 9 done at 2; first: 1 + 1 until 4; rest: 1 + 8 until 13, then 9 more until 22; first: 1 + 1 until 32.
    assert outcomes(columns, "rest") == [(0, 13 * US, DONE), (3 * US, 22 * US, DONE)]
    assert outcomes(columns, "first") == [(2 * US, 4 * US, DONE), (30 * US, 32 * US, DONE)]


@both
def test_a_segment_interrupted_as_it_starts_has_cost_nothing(mode: str) -> None:
    """Rank 0's oldest is not to start, so the rest does; it makes room for the next, which takes the lane. No trace shows it."""
    policy = Policy(order=_first_comes_second)
    platform = board(processor("p0", 1, Preemption.CLASS, costs=(US, 5 * US, 2 * US)))
    crowd = [tenant("first", 0, queue=1), tenant("rest", 1)]
    asked = [request("first", 0), request("first", 0), request("rest", 0)]
    drawn = case(platform, crowd, [share("first", ("p0", 1, 3 * US)), share("rest", ("p0", 1, 10 * US))], asked)
    columns = simulate(drawn, policy, name="odd", loop=loop_of(mode, policy))
    assert outcomes(columns, "first") == [(0, 0, EVICTED), (0, 6 * US, DONE)]
    assert outcomes(columns, "rest") == [(0, 19 * US, DONE)]
    assert len(columns.spans) == 2


def _first_comes_second(candidate: Candidate, scene: Scene) -> float:
    return NOT_NOW if candidate.request == 0 else float(candidate.tenant)


def _nan(candidate: Candidate, scene: Scene) -> float:
    return float("nan")


def _nan_later(candidate: Candidate, scene: Scene) -> float:
    return float("nan") if scene.now_ns > 0 else 1.0


def _divides(candidate: Candidate, scene: Scene) -> float:
    return 1.0 / (candidate.request * 0.0)


def _never(candidate: Candidate, scene: Scene) -> float:
    return NOT_NOW


def _infinite(candidate: Candidate, scene: Scene) -> float:
    return float("inf")


def _first(candidate: Candidate, scene: Scene) -> float:
    return float(candidate.request)


def _seven(candidate: Candidate, scene: Scene) -> int:
    return 7


def _parameter_too_far(candidate: Candidate, scene: Scene) -> float:
    return scene.params[0]


def _note_too_far(scene: Scene) -> None:
    scene.notes[1_000_000_000] = 1.0


def _slot_too_far(scene: Scene) -> None:
    scene.slots[1_000_000_000].note = 1.0


def _nothing(candidate: Candidate, scene: Scene) -> float:
    return 0.0


def _less_than_nothing(candidate: Candidate, scene: Scene) -> float:
    return -3.0


WRONG: dict[str, tuple[Policy, int, str]] = {
    "raises": (Policy(order=_divides), 0, "it raised ZeroDivisionError"),
    "reads a parameter that it does not have": (Policy(order=_parameter_too_far), 0, "it raised IndexError"),
    "writes a note that it does not have": (Policy(order=_first, prepare=_note_too_far, notes=1), 0, "it raised IndexError"),
    "writes into a slot that there is not": (Policy(order=_first, prepare=_slot_too_far), 0, "it raised IndexError"),
    "gives NaN": (Policy(order=_nan), 0, "order gave NaN for request 0 of tenant 0"),
    "gives NaN later": (Policy(order=_nan_later), 10 * US, "order gave NaN for request"),
    "asks for a width that there is not": (Policy(order=_first, width=_seven), 0, "asked for a step that no option has for request 0"),
    "asks for a place that there is not": (Policy(order=_first, place=_seven), 0, "asked for a step that no option has for request 0"),
    "never starts anybody": (Policy(order=_never), 10 * US, "leaves 2 requests for ever; 2 wait"),
    "gives infinity": (Policy(order=_infinite), 10 * US, "leaves 2 requests for ever; 2 wait"),
    "never starts anybody, asked ever again": (Policy(order=_never, period_ns=US), 0, "leaves 2 requests for ever; 2 wait"),
    "shares nothing": (Policy(order=_first, share=_nothing, caps=True), 10 * US, "leaves 2 requests for ever; 1 wait"),
    "shares less than nothing": (Policy(order=_first, share=_less_than_nothing, caps=True), 10 * US, "leaves 2 requests for ever; 1 wait"),
    "shares nothing, asked ever again": (
        Policy(order=_first, share=_nothing, caps=True, period_ns=US), 0, "leaves 2 requests for ever; 1 wait",
    ),
}  # fmt: skip


def two(bytes_moved: int = 4 * US) -> Callable[[Policy, Loop | None], Columns]:
    """Serve two requests on one lane: at 0, and at 10 us while the first still runs; both move something."""
    platform = board(processor("p0"), memories=[memory("m0", 4.0)])
    shares = [share(name, ("p0", 1, 20 * US, bytes_moved)) for name in "ab"]
    drawn = case(platform, [tenant("a"), tenant("b")], shares, [request("a", 0), request("b", 10 * US)])
    return lambda policy, loop: simulate(drawn, policy, name="wrong", loop=loop)


@both
@pytest.mark.parametrize("what", WRONG)
def test_a_policy_that_makes_no_sense_is_named_with_the_instant_and_the_state(what: str, mode: str) -> None:
    policy, now_ns, said = WRONG[what]
    with pytest.raises(DecisionError) as refused:
        two()(policy, loop_of(mode, policy))
    assert refused.value.policy == "wrong"
    assert refused.value.now_ns >= now_ns
    assert said in refused.value.story
    assert "free lanes [" in refused.value.story


@both
def test_a_share_that_is_no_number_is_refused(mode: str) -> None:
    policy = Policy(order=_first, share=_nan, caps=True)
    with pytest.raises(DecisionError, match="NaN"):
        two()(policy, loop_of(mode, policy))


@both
def test_who_waits_for_long_by_a_policy_that_is_asked_ever_again_is_served_in_the_end(mode: str) -> None:
    def patient(candidate: Candidate, scene: Scene) -> float:
        return NOT_NOW if scene.now_ns < 50_000 * US else 0.0

    policy = Policy(order=patient, period_ns=US)
    columns = two(0)(policy, loop_of(mode, policy))
    assert outcomes(columns, "a") == [(0, 50_020 * US, DONE)]


def test_requests_out_of_order_are_refused() -> None:
    drawn = case(board(processor("p0")), [tenant("a")], [share("a", ("p0", 1, US))], [request("a", 0), request("a", US)])
    with pytest.raises(InputError, match="not in order of arrival"):
        simulate(replace(drawn, requests=drawn.requests[::-1]), FIFO, name="fifo")


def test_an_unknown_parameter_is_refused() -> None:
    drawn = case(board(processor("p0")), [tenant("a")], [share("a", ("p0", 1, US))])
    with pytest.raises(InputError, match=r"policy\.fifo\.x: unknown parameter"):
        simulate(drawn, FIFO, name="fifo", params=(("x", 1.0),))


def test_a_request_without_a_deadline_is_never_late() -> None:
    drawn = case(board(processor("p0")), [tenant("a", drops=True)], [share("a", ("p0", 1, US))], [request("a", 0)] * 9)
    columns = simulate(drawn, EDF, name="edf")
    assert set(columns.endings["due_ns"].tolist()) == {NEVER_NS}
    assert [end for _, end, _ in outcomes(columns, "a")] == [US * k for k in range(1, 10)]


def _of_one(candidate: Candidate) -> float:
    return 0.0


def _of_no_such_field(candidate: Candidate, scene: Scene) -> float:
    return float(candidate.deadline)  # type: ignore[attr-defined]


def _of_a_list(candidate: Candidate, scene: Scene) -> float:
    return float(len(["a"] * candidate.rank))


def _of_no_such_view(candidate: Candidate, scene: Scene) -> float:
    return float(scene.nonsense)  # type: ignore[attr-defined]


@pytest.mark.skipif(not is_there(), reason="needs numba")
@pytest.mark.parametrize(
    ("order", "said"),
    [
        (_of_one, r"_of_one\(.*\) does not take \(candidate, scene\)"),
        (_of_no_such_field, "a field that rows do not have: 'deadline'"),
        (_of_a_list, r"another object at .*test_sim_loop\.py, line \d+"),
        (_of_no_such_view, r"'nonsense' .* at .*test_sim_loop\.py, line \d+"),
    ],
)
def test_what_does_not_compile_is_refused_in_one_line(order: Callable[..., float], said: str) -> None:
    policy = Policy(order=order)
    with pytest.raises(DecisionError, match=said) as refused:
        two()(policy, loop_of("compiled", policy))
    assert "\n" not in str(refused.value)
