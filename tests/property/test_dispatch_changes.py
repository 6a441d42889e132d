"""Whatever tenants come, go and change while they are served, every request ends once and what runs goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.dispatch import EVICT, START, Dispatcher
from cotenant.errors import InputError
from cotenant.policy import Policy
from tests.property.dispatch_changes import Changing, ChangingLoop, Version, changing
from tests.property.dispatch_crews import EDF, MS, POLICIES, RANK_EDF, board, option, shares, tenant

IN_ORDER = [policy for policy in POLICIES.values() if not policy.late_last]
"""Policies by which who goes before another may also interrupt whom that one interrupts."""


@given(changing(), st.sampled_from(IN_ORDER))
def test_every_request_ends_once_and_what_runs_goes_on(crew: Changing, policy: Policy) -> None:
    """The books follow every decision: the lanes, queues and tokens are theirs before and after each change."""
    loop = crew.loop(policy)
    loop.serve(crew, 60 * MS)
    assert set(loop.ended) == set(range(len(loop.owners)))
    last = crew.later[-1]
    loop.change(replace(last, renewed=()))
    assert loop.dispatcher.lineup.tenants == last.tenants
    assert set(loop.dispatcher.lineup.options) == {share.option for share in last.plan}


A, B = option("a", ("p0", 1, 4 * MS)), option("b", ("p0", 1, 4 * MS))


def two(policy: Policy = RANK_EDF) -> ChangingLoop:
    """Return a loop on one lane, where one request of `a` runs and two of each tenant wait."""
    first = Version(0, (tenant("a", 1), tenant("b", 1)), shares((A, 50.0), (B, 50.0)))
    loop = Changing(first, (), board((1,)), (), {}).loop(policy)
    for name in "aabab":
        loop._ask(name)
        loop.decide()
    return loop


def rest(loop: ChangingLoop) -> None:
    """Serve what is outstanding to its end."""
    loop.serve(Changing(Version(0, loop.present, ()), (), board((1,)), (), {}), 0)


def test_of_a_tenant_that_is_removed_what_runs_is_answered_and_what_waits_is_dropped() -> None:
    loop = two()
    loop.change(Version(0, (tenant("b", 1),), shares((B, 50.0))))
    assert [t.name for t in loop.dispatcher.lineup.tenants] == ["b", "a"]
    rest(loop)
    assert loop.ended == {0: "done", 1: "tenant removed", 2: "done", 3: "tenant removed", 4: "done"}
    loop.change(Version(0, (tenant("b", 1),), shares((B, 50.0))))
    assert loop.dispatcher.lineup.options == (B,)


def test_who_comes_back_before_its_last_request_has_ended_is_the_same_tenant() -> None:
    loop = two()
    loop.change(Version(0, (tenant("b", 1),), shares((B, 50.0))))
    loop.change(Version(0, (tenant("b", 1), tenant("a", 1)), shares((A, 50.0), (B, 50.0))))
    assert loop.dispatcher.outstanding(1) == 1
    rest(loop)
    assert sorted(loop.ended.values()) == ["done"] * 3 + ["tenant removed"] * 2


def test_a_newcomer_starts_level_with_the_last_of_its_equals() -> None:
    """It neither overtakes those who have been served for long, nor waits until it has been served as much."""
    loop = two()
    loop.change(Version(0, (tenant("a", 1, closed=2), tenant("b", 1, closed=2)), shares((A, 50.0), (B, 50.0))))
    later = Version(0, (*loop.present, tenant("c", 1, closed=2)), shares((A, 50.0), (B, 50.0), (option("c", ("p0", 1, 4 * MS)), 50.0)))
    crew = Changing(Version(0, loop.present, ()), (replace(later, at_ns=1000 * MS),), board((1,)), (), {})
    loop.serve(crew, 2000 * MS)
    since = next(index for index, (at_ns, _) in enumerate(loop.log) if at_ns >= 1000 * MS)
    begun = [loop.owners[d.request] for at_ns, d in loop.log[since:] if d.kind == START and at_ns < 2000 * MS]
    counts = sorted(begun.count(name) for name in "abc")
    assert counts[2] - counts[0] <= 0.06 * 50 * 2 + 0.5 * 50 + 6  # the warm lead, what may be saved, and two inferences each


def test_a_better_rank_counts_for_what_waits_already() -> None:
    loop = two()
    loop.change(Version(0, (tenant("a", 1), tenant("b", 0)), shares((A, 50.0), (B, 50.0))))
    rest(loop)
    done = sorted(loop.ended_ns, key=lambda request: loop.ended_ns[request])
    assert [loop.owners[request] for request in done[:2]] == ["b", "b"], "they interrupt what runs, where the processor can"


def test_a_shorter_queue_drops_the_oldest_that_wait() -> None:
    loop = two(EDF)
    loop.change(Version(0, (tenant("a", 1), tenant("b", 1, queue=1)), shares((A, 50.0), (B, 50.0))))
    loop.decide()
    assert [d.request for _, d in loop.log if d.kind == EVICT] == [2]


def test_the_newest_goes_first_from_when_its_tenant_says_so() -> None:
    loop = two(EDF)
    loop._ask("b")
    loop.change(Version(0, (tenant("b", 1, newest=True),), shares((B, 50.0))))
    rest(loop)
    assert [d.request for _, d in loop.log if d.kind == START] == [0, 5, 4, 2]


@pytest.mark.parametrize(("renewed", "served"), [(("a",), ["a", "new", "new"]), ((), ["a", "a", "a"])])
def test_what_waits_of_a_replaced_model_goes_to_the_new_one_where_it_may(renewed: tuple[str, ...], served: list[str]) -> None:
    loop = two()
    new = replace(A, artifact=replace(A.artifact, model="new"))
    loop.change(Version(0, (tenant("a", 1), tenant("b", 1)), shares((new, 50.0), (B, 50.0)), renewed))
    rest(loop)
    assert [loop.chains[request].artifact.model for request in (0, 1, 3)] == served
    assert set(loop.ended.values()) == {"done"}


def test_a_chain_that_has_begun_ends_on_the_model_that_it_began_on() -> None:
    """Even where the policy may choose among steps that serve the same segment."""
    old = option("a", ("p0", 1, MS), ("p1", 1, MS))
    new = replace(old, artifact=replace(old.artifact, model="new"))
    dispatcher = Dispatcher((tenant("a", 1),), shares((old, 9.0)), board((1, 1)), RANK_EDF)
    slot = dispatcher.arrive(0, 0, 0, None)
    dispatcher.decide(0)
    dispatcher.apply(shares((new, 9.0)), (tenant("a", 1),), ("a",))
    assert not dispatcher.finish(slot, MS)
    state, (_, *others) = dispatcher.state, dispatcher.lineup.options
    assert others == [old]
    stage = state.stages[state.slots[slot].position]
    served = {dispatcher.lineup.options[state.stages[state.others[stage.others + i]].option] for i in range(stage.other_count)}
    assert served == {old}


def test_a_crew_without_an_option_for_somebody_is_refused_and_nothing_changes() -> None:
    loop = two()
    with pytest.raises(InputError, match="no option for b"):
        loop.dispatcher.apply(shares((A, 50.0)), (tenant("b", 1),))
    assert loop.dispatcher.outstanding(0) == 3
    loop.audit()
