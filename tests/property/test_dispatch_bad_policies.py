"""What a policy may do wrong, and that it is told so: its name, the instant, and how things stood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Preemption, Share
from cotenant.dispatch import START, Dispatcher
from cotenant.errors import DecisionError
from cotenant.policy import AS_PLANNED, READY, RUNNING, Candidate, Policy, Scene
from tests.property.dispatch_crews import MS, Crew, board, crews, option, shares, tenant

PLAN = shares((option("a", ("p0", 1, 5 * MS), ("p1", 2, 5 * MS)), 1.0), (option("a", ("p1", 1, 5 * MS), ("p1", 1, 5 * MS)), 0.0))


def dispatcher(policy: Policy, plan: tuple[Share, ...] = PLAN) -> Dispatcher:
    """Return a dispatcher of two processors, of one lane and of two, where anybody interrupts anybody; one request runs, two wait."""
    bad = Dispatcher((tenant("a", 0),), plan, board((1, 2), Preemption.INSTANT), policy, name="odd")
    for request in range(3):
        bad.arrive(request, 0, 0, None)
    return bad


def nan_for(state: int) -> Callable[[Candidate, Scene], float]:
    return lambda candidate, _: float("nan") if candidate.state == state else 0.0


@pytest.mark.parametrize("state", [READY, RUNNING])
def test_a_policy_that_gives_no_number_is_named(state: int) -> None:
    bad = dispatcher(Policy(order=nan_for(state)))
    if state == RUNNING:
        bad.decide(6)
    with pytest.raises(DecisionError, match=r"policy odd at 7 ns: order gave NaN for request \d of tenant 0 at segment 0; \d wait \(req"):
        bad.decide(7)
    bad.validate(7)


def no_number_for_the_second(candidate: Candidate, _: Scene) -> float:
    return float("nan") if candidate.request == 1 else 0.0


def test_a_number_is_asked_of_whoever_comes_up_in_the_queue_where_there_is_room() -> None:
    bad = dispatcher(Policy(order=no_number_for_the_second), shares((option("a", ("p1", 1, 5 * MS)), 1.0)))
    with pytest.raises(DecisionError, match=r"order gave NaN for request 1 of tenant 0 at segment 0; 2 wait .*, 1 run .*, free lanes"):
        bad.decide(7)


def test_who_comes_up_where_nobody_has_room_is_asked_when_somebody_has() -> None:
    bad = dispatcher(Policy(order=no_number_for_the_second))
    (started,) = bad.decide(7)
    bad.finish(started.slot, 8)
    with pytest.raises(DecisionError, match=r"policy odd at 8 ns: order gave NaN for request 1 of tenant 0"):
        bad.decide(8)


def test_a_share_that_is_no_number_is_named_where_shares_are_asked() -> None:
    bad = dispatcher(Policy(order=lambda _, __: 0.0, share=lambda _, __: float("nan")))
    bad.decide(7)
    with pytest.raises(DecisionError, match=r"policy odd at 9 ns: share gave NaN for request 0 of tenant 0 at segment 0; 2 wait"):
        bad.shares(9)


CAUSES = [
    ZeroDivisionError(),
    AttributeError("x"),
    KeyError("x"),
    TypeError(),
    ValueError(),
    NameError("x"),
    RuntimeError(),
    AssertionError(),
]


@pytest.mark.parametrize("cause", CAUSES, ids=repr)
@pytest.mark.parametrize("question", ["order", "width", "place", "prepare"])
def test_a_policy_that_raises_is_named(question: str, cause: Exception) -> None:
    def raises(*_: object) -> float:
        raise cause

    policy = replace(Policy(order=lambda _, __: 0.0), **{question: raises})  # type: ignore[arg-type]
    with pytest.raises(DecisionError) as error:
        dispatcher(policy).decide(7)
    assert error.value.__cause__ is cause
    assert str(error.value) == f"policy odd at 7 ns: it raised {cause!r}; {error.value.story.split('; ')[-1]}"
    assert "3 wait (request 0 of tenant 0 at segment 0, request 1 of tenant 0" in str(error.value)
    assert "0 run (none), free lanes [1, 2]" in str(error.value)


@pytest.mark.parametrize(("place", "width"), [(0, 2), (1, 2), (1, 3), (2, 1), (7, AS_PLANNED), (AS_PLANNED, 2), (AS_PLANNED, 0), (-2, -3)])
def test_a_step_that_no_option_has_is_refused(place: int, width: int) -> None:
    """At the first segment, there is one lane of p0 and one of p1; another segment, or another tenant, may have others."""
    other = shares((option("b", ("p0", 1, 5 * MS)), 1.0), (option("b", ("p1", 2, 5 * MS)), 1.0))
    policy = Policy(order=lambda _, __: 0.0, width=lambda _, __: width, place=lambda _, __: place)
    bad = Dispatcher((tenant("a", 0), tenant("b", 1)), (*PLAN, *other), board((1, 2)), policy, name="odd")
    bad.arrive(5, 0, 0, None)
    with pytest.raises(DecisionError) as error:
        bad.decide(7)
    wrong = "width or place asked for a step that no option has for request 5 of tenant 0 at segment 0"
    assert str(error.value) == f"policy odd at 7 ns: {wrong}; 1 wait (request 5 of tenant 0 at segment 0), 0 run (none), free lanes [1, 2]"
    bad.validate(7)


@pytest.mark.parametrize(("place", "width", "lanes"), [(AS_PLANNED, AS_PLANNED, [0]), (1, AS_PLANNED, [1]), (1, 1, [1]), (0, 1, [0])])
def test_a_step_that_another_option_has_is_served(place: int, width: int, lanes: list[int]) -> None:
    policy = Policy(order=lambda _, __: 0.0, width=lambda _, __: width, place=lambda _, __: place)
    good = Dispatcher((tenant("a", 0),), PLAN, board((1, 2)), policy)
    good.arrive(0, 0, 0, None)
    assert [d.lane for d in good.decide(0) if d.kind == START] == lanes


def test_requests_that_would_interrupt_each_other_without_end_are_asked_once_a_decision() -> None:
    """Whoever waits would be better than all before, whenever asked: what was said first holds until the next decision."""
    better = count()

    def order(candidate: Candidate, scene: Scene) -> float:
        return candidate.request if candidate.state == RUNNING else -float(next(better))

    names = ("narrow", "wide", "new")
    plan = shares(*((option(name, ("p0", 2 if name == "wide" else 1, 5 * MS)), 0.0) for name in names))
    tenants = tuple(tenant(name, 0) for name in names)
    bad = Dispatcher(tenants, plan, board((3,), Preemption.INSTANT), Policy(order=order), name="odd")
    bad.arrive(0, 0, 0, None)
    bad.arrive(1, 1, 0, None)
    assert len(bad.decide(6)) == 3
    bad.arrive(2, 2, 6, None)
    kinds = [decision.kind for decision in bad.decide(7)]
    assert len(kinds) <= 6
    bad.validate(7)


@given(crews(crowded=Preemption.INSTANT, alike=True), st.integers(0, 1 << 32), st.booleans())
def test_an_order_drawn_anew_at_each_question_ends_in_a_sound_state(crew: Crew, seed: int, elsewhere: bool) -> None:
    random = np.random.default_rng(seed)

    def pick(candidate: Candidate, scene: Scene) -> int:
        stage = scene.stages[candidate.position]
        return scene.others[int(random.integers(stage.others, stage.others + stage.other_count))]

    def place(candidate: Candidate, scene: Scene) -> int:
        return scene.stages[pick(candidate, scene)].processor if random.random() < 0.5 else AS_PLANNED

    drawn = Policy(order=lambda _, __: random.choice([0.0, 1.0, random.random()]))
    loop = crew.loop(Policy(order=drawn.order, place=place) if elsewhere else drawn, foreseen=False)
    loop.run(50 * MS, crew.arrivals, crew.closed)
    loop.dispatcher.validate(loop.now_ns)
