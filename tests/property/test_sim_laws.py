"""What holds of every simulated run, whatever the policy, the board and the requests."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cotenant.describe import Closed, Discipline, Option, Preemption, Processor, Step
from cotenant.dispatch import NONE, Lineup
from cotenant.dispatch.ask import Asks
from cotenant.dispatch.state import State
from cotenant.errors import DecisionError
from cotenant.policy import NEVER_NS, NOT_NOW, Candidate, Policy, Scene, as_planned, unlimited
from cotenant.sim import Case, simulate
from cotenant.sim.progress import set_rates
from cotenant.sim.state import DONE, DROPPED, EVICTED, World
from cotenant.trace.columns import Columns
from tests.drawing import corners_of
from tests.property.dispatch_crews import any_place, any_width, numbered
from tests.sim_cases import US, cases, every_policy, late_last, names, progressive

CLOSE = 1e-6
"""What sums of floats may be off by, relatively; an ns more for each time that a finish is rounded up."""


@dataclass(frozen=True)
class Run:
    """One stretch of one segment on its lanes, read from the trace."""

    request: int
    position: int
    start_ns: int
    stop_ns: int
    share: float
    lanes: tuple[int, ...]


@dataclass(frozen=True)
class Seen:
    """A case, what became of it, and the trace's numbers under names."""

    case: Case
    columns: Columns
    lineup: Lineup
    runs: tuple[Run, ...]

    def step(self, run: Run) -> Step:
        return self.lineup.steps[run.position][1]

    def option(self, run: Run) -> Option:
        return self.lineup.options[self.lineup.steps[run.position][0]]

    def stage(self, run: Run) -> int:
        """Return the place in its chain of the segment that ran."""
        first = [k for k, _ in self.lineup.steps].index(self.lineup.steps[run.position][0])
        return run.position - first

    def processor(self, name: str) -> Processor:
        return self.case.platform.processor(name)

    def lanes_of(self, name: str) -> list[int]:
        return [index for index, (processor, _) in enumerate(self.columns.lanes) if processor == name]

    def owner(self, request: int) -> str:
        return self.columns.tenants[int(self.columns.endings[request]["tenant"])]

    def of_request(self) -> dict[int, list[Run]]:
        found: dict[int, list[Run]] = defaultdict(list)
        for run in sorted(self.runs, key=lambda r: (r.start_ns, r.stop_ns)):
            found[run.request].append(run)
        return found

    def segments(self) -> dict[tuple[int, int], list[Run]]:
        """List the runs of each (request, place in the chain)."""
        found: dict[tuple[int, int], list[Run]] = defaultdict(list)
        for request, runs in self.of_request().items():
            for run in runs:
                found[request, self.stage(run)].append(run)
        return found


def read(case: Case, columns: Columns) -> Seen:
    joined: dict[tuple[int, int, int, int, float], list[int]] = defaultdict(list)
    for request, position, lane, start_ns, stop_ns, share in columns.spans.tolist():
        joined[request, position, start_ns, stop_ns, share].append(lane)
    lineup = Lineup(tenants=case.tenants, shares=case.shares, platform=case.platform)
    runs = tuple(Run(r, p, a, z, share, tuple(lanes)) for (r, p, a, z, share), lanes in joined.items())
    return Seen(case, columns, lineup, runs)


def run(case: Case, policy: Policy, name: str = "policy") -> Seen:
    return read(case, simulate(case, policy, name=name))


MANY = settings(max_examples=4 * settings.default.max_examples if settings.default else 100)
"""For a law of which the policy is drawn, too."""

VARIANTS = [(name, last) for name in names() for last in (False, True)]


def policy_of(variant: tuple[str, bool]) -> Policy:
    name, last = variant
    return late_last(every_policy()[name]) if last else every_policy()[name]


def _now_and_then(candidate: Candidate, scene: Scene) -> float:
    return NOT_NOW if (candidate.request + scene.now_ns // (2 * US)) % 3 == 0 else candidate.due_ns


def _share(candidate: Candidate, scene: Scene) -> float:
    return 0.25 + (candidate.request % 3)


ODD = {
    "now and then": Policy(order=_now_and_then, period_ns=US),
    "anywhere": Policy(order=numbered, width=any_width, place=any_place),
    "anywhere, promised": Policy(order=numbered, width=any_width, place=any_place, promises=True, holds=True),
    "reserves": Policy(order=numbered, share=_share),
    "caps": Policy(order=numbered, share=_share, caps=True),
}
"""Ways that the interface permits, and that no registered policy may go yet."""


def every_law(seen: Seen) -> None:
    every_request_ends_once(seen)
    nothing_starts_early(seen)
    a_lane_runs_one_span(seen)
    spans_follow_the_chain(seen)
    work_adds_up(seen)
    closed_loops_are_kept_full(seen)


@pytest.mark.parametrize("name", names())
@given(late=st.booleans(), case=cases())
def test_every_law_holds_of_every_registered_policy(name: str, late: bool, case: Case) -> None:
    every_law(run(case, policy_of((name, late)), name))


@pytest.mark.parametrize("name", ODD)
@given(case=cases())
def test_every_law_holds_of_ways_that_the_interface_permits(name: str, case: Case) -> None:
    every_law(run(case, ODD[name], name))


def every_request_ends_once(seen: Seen) -> None:
    """Each has one row; asked = done + dropped; late ones are dropped where the tenant says so, others where its queue has a bound."""
    endings = seen.columns.endings
    assert set(endings["outcome"].tolist()) <= {DONE, DROPPED, EVICTED}
    opens = [(r.tenant, r.arrival_ns, r.due_ns) for r in seen.case.requests]
    closed = {t.name for t in seen.case.tenants if isinstance(t.arrival, Closed)}
    found = [
        (seen.owner(i), row["arrival_ns"], None if row["due_ns"] >= NEVER_NS else row["due_ns"])
        for i, row in enumerate(endings)
        if seen.owner(i) not in closed
    ]
    assert sorted(opens, key=repr) == sorted(((t, int(a), None if d is None else int(d)) for t, a, d in found), key=repr)
    for index, row in enumerate(endings):
        assert row["arrival_ns"] <= row["finish_ns"]
        if row["outcome"] == DROPPED:
            assert next(t for t in seen.case.tenants if t.name == seen.owner(index)).discipline is Discipline.DROP_LATE
            assert row["due_ns"] < NEVER_NS
        if row["outcome"] == EVICTED:
            assert next(t for t in seen.case.tenants if t.name == seen.owner(index)).queue is not None
            assert index not in seen.of_request(), "what has begun makes no room"


def nothing_starts_early(seen: Seen) -> None:
    for found in seen.runs:
        ending = seen.columns.endings[found.request]
        assert ending["arrival_ns"] <= found.start_ns < found.stop_ns <= ending["finish_ns"]


def a_lane_runs_one_span(seen: Seen) -> None:
    lanes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for found in seen.runs:
        assert len(found.lanes) == seen.step(found).width
        assert {seen.columns.lanes[lane][0] for lane in found.lanes} == {seen.step(found).processor}
        for lane in found.lanes:
            lanes[lane].append((found.start_ns, found.stop_ns))
    for spans in lanes.values():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(spans)))


def spans_follow_the_chain(seen: Seen) -> None:
    """One stretch after the other, segment by segment from the first to where the request leaves; each by one step."""
    leaves = leaving(seen)
    for request, runs in seen.of_request().items():
        assert all(before.stop_ns <= after.start_ns for before, after in pairwise(runs))
        stages = [stage for stage, _ in groupby(seen.stage(found) for found in runs)]
        assert len({(seen.stage(found), found.position) for found in runs}) == len(set(stages))
        assert stages == list(range(len(stages)))
        if seen.columns.endings[request]["outcome"] == DONE:
            last = len(seen.option(runs[0]).chain) - 1
            assert stages[-1] == min(last, leaves[request])
            assert runs[-1].stop_ns == seen.columns.endings[request]["finish_ns"]


def asked(seen: Seen) -> dict[int, tuple[float, int | None]]:
    """Return the hidden work of every request: open ones come in the order of the case, those of closed loops have nothing hidden."""
    closed = {t.name for t in seen.case.tenants if isinstance(t.arrival, Closed)}
    own = [i for i in range(len(seen.columns.endings)) if seen.owner(i) not in closed]
    found: dict[int, tuple[float, int | None]] = dict.fromkeys(range(len(seen.columns.endings)), (1.0, None))
    return found | {i: (r.work_scale, r.exit_stage) for i, r in zip(own, seen.case.requests, strict=True)}


def leaving(seen: Seen) -> dict[int, int]:
    return {i: 1000 if last is None else last for i, (_, last) in asked(seen).items()}


def work_adds_up(seen: Seen) -> None:
    """The speed times the length of its stretches is a finished segment's time alone, with what the changes cost."""
    hidden, served = asked(seen), changes(seen)
    for (request, stage), runs in seen.segments().items():
        option = seen.option(runs[0])
        done = seen.columns.endings[request]["outcome"] == DONE or (request, stage + 1) in seen.segments()
        if not done:
            continue
        processor = seen.processor(seen.step(runs[0]).processor)
        alone_ns = option.chain[stage].duration_ns * hidden[request][0]
        again = len(runs) - 1
        starts = 1 if processor.preemption is Preemption.CLASS else len(runs)
        cost_ns = starts * processor.decision_ns + again * processor.preempt_ns
        switched_ns = sum(served[found] for found in runs) * processor.switch_ns
        worked_ns = math.fsum(found.share * (found.stop_ns - found.start_ns) for found in runs)
        assert worked_ns == pytest.approx(alone_ns + cost_ns + switched_ns, rel=CLOSE, abs=0.01 * len(runs))
        assert all(0.0 < found.share <= 1.0 for found in runs) or len(runs) > 1


def changes(seen: Seen) -> dict[Run, int]:
    """Say of every stretch whether one of its lanes had served another tenant before it."""
    found: dict[Run, int] = {}
    last: dict[int, str] = {}
    for stretch in sorted(seen.runs, key=lambda r: r.start_ns):
        owner = seen.owner(stretch.request)
        found[stretch] = int(any(last.get(lane) != owner for lane in stretch.lanes))
        last.update(dict.fromkeys(stretch.lanes, owner))
    return found


def closed_loops_are_kept_full(seen: Seen) -> None:
    """Until the horizon as many are outstanding as was said: one arrives at 0 for each, one when one is done, a ns later if dropped."""
    for tenant in seen.case.tenants:
        own = [row for i, row in enumerate(seen.columns.endings) if seen.owner(i) == tenant.name]
        match tenant.arrival:
            case Closed(outstanding=int(count)):
                ended = [row for row in own if row["finish_ns"] < seen.case.horizon_ns]
                again = [int(row["finish_ns"]) + int(row["outcome"] == DROPPED) for row in ended]
                assert sorted(int(row["arrival_ns"]) for row in own) == sorted([0] * count + again)
            case _:
                pass


@MANY
@given(variant=st.sampled_from(VARIANTS), case=cases())
def test_bandwidth_granted_never_exceeds_what_there_is(variant: tuple[str, bool], case: Case) -> None:
    """Watched after every decision, for between decisions nothing changes; and unless the policy shares, all run as max-min lets them."""
    policy = policy_of(variant)

    def watched(s: State, w: World, asks: Asks, now_ns: int) -> bool:
        sound = set_rates(s, w, asks, now_ns)
        running = [w.running[index] for index in range(w.clock[0].running)]
        assert sorted(running) == sorted({row.running for row in s.lanes if row.running != NONE})
        for index, memory in enumerate(s.memories):
            beside = [slot for slot in running if s.processors[s.slots[slot].processor].memory == index]
            used = math.fsum(w.work[slot].rate * s.slots[slot].bytes_per_ns for slot in beside)
            assert used <= memory.bytes_per_ns * (1 + 1e-9)
            most = 1.0 / (1.0 + memory.interference * (len(beside) - 1)) if beside else 1.0
            assert all(w.work[slot].rate <= most for slot in beside)
            wants = [s.slots[slot].bytes_per_ns for slot in beside]
            if policy.share is unlimited and beside:
                due = progressive(wants, min(memory.bytes_per_ns, sum(wants)))
                speeds = [min(most, float(got) / want) if want else most for got, want in zip(due, wants, strict=True)]
                assert [w.work[slot].rate for slot in beside] == pytest.approx(speeds)
        return sound

    with patch("cotenant.sim.loop.set_rates", watched):
        simulate(case, policy, name=variant[0])


Wait = tuple[int, int, int, Step, tuple[int, ...]]


def waits(seen: Seen) -> Iterator[Wait]:
    """List (request, from, to, step, lanes) where requests wait: before which step, and only for the lanes where they were suspended."""
    runs_of, leaves = seen.of_request(), leaving(seen)
    for request in range(len(seen.columns.endings)):
        ending, runs = seen.columns.endings[request], runs_of[request]
        own = runs[0].position if runs else first_of(seen, request)
        ready_ns = int(ending["arrival_ns"])
        option = seen.lineup.options[seen.lineup.steps[own][0]]
        before: Run | None = None
        for found in runs:
            same = before is not None and before.position == found.position
            by_class = same and seen.processor(seen.step(found).processor).preemption is Preemption.CLASS
            yield request, ready_ns, found.start_ns, seen.step(found), found.lanes if by_class else ()
            ready_ns, before = found.stop_ns, found
        if ending["outcome"] in {DROPPED, EVICTED}:
            stage = 0 if before is None else seen.stage(before) + 1
            if before is None or (stage < len(option.chain) and stage <= leaves[request] and not _may_have_gone_back(seen, before)):
                yield request, ready_ns, int(ending["finish_ns"]), option.chain[stage], ()


def _may_have_gone_back(seen: Seen, found: Run) -> bool:
    """Say whether a request that is dropped after a stretch may have been preempted, and not stand before its next segment."""
    return seen.processor(seen.step(found).processor).preemption is Preemption.INSTANT


def unclear_waits(seen: Seen) -> Iterator[tuple[int, int, Step]]:
    """List (from, to, step) of what was dropped after a stretch, for both steps before one of which it waited."""
    for request, runs in seen.of_request().items():
        ending, last = seen.columns.endings[request], runs[-1]
        if ending["outcome"] == DROPPED and _may_have_gone_back(seen, last):
            chain = seen.option(last).chain
            for step in (seen.step(last), *chain[seen.stage(last) + 1 : seen.stage(last) + 2]):
                yield last.stop_ns, int(ending["finish_ns"]), step


def first_of(seen: Seen, request: int) -> int:
    """Return the first step of the option that a request was given when it came."""
    option = int(seen.columns.endings[request]["option"])
    return [k for k, _ in seen.lineup.steps].index(option)


def keeps_nobody_waiting(policy: Policy) -> bool:
    """Say whether a policy leaves it to the dispatcher when, where and on how many lanes requests start."""
    return policy.place is as_planned and policy.width is as_planned


CONSERVING = [variant for variant in VARIANTS if keeps_nobody_waiting(policy_of(variant))]


def run_unrefused(case: Case, variant: tuple[str, bool]) -> Seen:
    """Run a case; leave the example where the policy refuses anybody a lane for now."""
    refused = False
    policy = policy_of(variant)

    def order(candidate: Candidate, scene: Scene) -> float:
        nonlocal refused
        value = policy.order(candidate, scene)
        refused = refused or value >= NOT_NOW
        return value

    seen = run(case, replace(policy, order=order), variant[0])
    assume(not refused)
    return seen


@MANY
@given(variant=st.sampled_from(CONSERVING), case=cases())
def test_no_lane_is_idle_while_somebody_waits_who_fits(variant: tuple[str, bool], case: Case) -> None:
    """But those that a request which needs several lanes keeps from others, and where the policy said NOT_NOW."""
    seen = run_unrefused(case, variant)
    waiting, unclear = list(waits(seen)), list(unclear_waits(seen))
    for begin_ns, end_ns, busy in between_events(seen, waiting):
        wait = [(step, lanes) for _, since_ns, until_ns, step, lanes in waiting if since_ns <= begin_ns and end_ns <= until_ns]
        keep = [step for since_ns, until_ns, step in unclear if since_ns < end_ns and begin_ns < until_ns]
        assert not list(_could_go(seen, busy, wait, keep))


def between_events(seen: Seen, waiting: Sequence[Wait]) -> Iterator[tuple[int, int, set[int]]]:
    """Yield the times in which nothing starts, stops, or begins or ends to wait, with the lanes that are busy then."""
    of_runs = {instant for found in seen.runs for instant in (found.start_ns, found.stop_ns)}
    instants = sorted(of_runs | {instant for _, since_ns, until_ns, *_ in waiting for instant in (since_ns, until_ns)})
    for begin_ns, end_ns in pairwise(instants):
        yield begin_ns, end_ns, {k for found in seen.runs if found.start_ns < end_ns and begin_ns < found.stop_ns for k in found.lanes}


def _could_go(seen: Seen, busy: set[int], wait: Sequence[tuple[Step, tuple[int, ...]]], keep: Sequence[Step]) -> Iterator[Step]:
    """List the steps that would fit on idle lanes, but where a wider one keeps them: one that waits, or may have, `keep`."""
    for step, lanes in wait:
        if lanes:
            if busy.isdisjoint(lanes):
                yield step
            continue
        idle = {name.name: len(set(seen.lanes_of(name.name)) - busy) for name in seen.case.platform.processors}
        wide = (*keep, *(s for s, at in wait if not at))
        kept = any(s.processor == step.processor and s.width > max(1, idle[s.processor]) for s in wide)
        if step.width <= idle[step.processor] and not kept:
            yield step


@MANY
@given(variant=st.sampled_from(VARIANTS), case=cases())
def test_the_same_case_gives_the_same_bytes(variant: tuple[str, bool], case: Case) -> None:
    one, other = (simulate(case, policy_of(variant), name=variant[0]) for _ in range(2))
    assert one.spans.tobytes() == other.spans.tobytes()
    assert one.endings.tobytes() == other.endings.tobytes()


@pytest.mark.parametrize("name", ["rank", "rank_edf"])
@given(case=cases(one=True, ways=(Preemption.SEGMENT, Preemption.NONE, Preemption.KERNEL)))
def test_rank_0_waits_for_no_segment_that_began_while_it_waited(name: str, case: Case) -> None:
    """On one processor: so it waits, per visit, for at most one segment of lower rank on each lane, the one that is under way."""
    seen = run(case, every_policy()[name], name)
    ranks = {t.name: t.rank for t in case.tenants}
    lower = [found for found in seen.runs if ranks[seen.owner(found.request)] > 0]
    for request, since_ns, until_ns, _, _ in waits(seen):
        if ranks[seen.owner(request)] == 0:
            assert not [found for found in lower if since_ns <= found.start_ns < until_ns]
            under_way = [found for found in lower if found.start_ns < since_ns and found.stop_ns > since_ns]
            assert len(under_way) <= case.platform.lanes


@given(case=cases(plain=True, exits=False))
def test_alone_everything_goes_at_full_speed(case: Case) -> None:
    """Without contention and costs a segment takes what it takes alone, rounded up to whole ns."""
    seen = run(case, every_policy()["fifo"])
    hidden = asked(seen)
    for (request, _), runs in seen.segments().items():
        alone_ns = seen.step(runs[0]).duration_ns * hidden[request][0]
        assert [found.stop_ns - found.start_ns for found in runs] == [math.ceil(alone_ns - 1e-6)]


@given(case=cases(), more=st.data())
def test_promises_change_who_goes_first_and_no_law(case: Case, more: st.DataObject) -> None:
    policy = more.draw(st.sampled_from(sorted(names())))
    seen = run(case, replace(every_policy()[policy], promises=True))
    every_law(seen)


def test_what_is_drawn_holds_what_the_laws_are_about() -> None:
    """The cases reach every corner: else the laws would say little."""
    corners = {"class", "instant", "wide", "slowed", "dropped", "evicted", "left"}

    def corners_in(case: Case) -> Iterator[str]:
        for name in ("edf", "rank"):
            try:
                seen = run(case, every_policy()[name])
            except DecisionError:
                continue
            runs = [runs for runs in seen.segments().values() if len(runs) > 1]
            yield from (seen.processor(seen.step(found[0]).processor).preemption.value for found in runs)
            yield "wide" if any(len(found.lanes) > 1 for found in seen.runs) else ""
            yield "slowed" if min((found.share for found in seen.runs), default=1.0) < 0.9 else ""
            yield "dropped" if DROPPED in seen.columns.endings["outcome"] else ""
            yield "evicted" if EVICTED in seen.columns.endings["outcome"] else ""
            yield "left" if any(last < 2 for last in leaving(seen).values()) else ""

    assert corners_of(cases(), corners, corners_in, most=1000) == corners
