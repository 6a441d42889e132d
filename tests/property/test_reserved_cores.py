"""Reserved cores in simulated runs: whose work they run, under every policy, and who is never kept waiting by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cotenant.describe import Option, Platform, Preemption, Share, Step
from cotenant.describe.reserved import counterpart, may_use, parts_of, reserve
from cotenant.dispatch import Lineup
from cotenant.errors import InputError
from cotenant.policy import NOT_NOW, Candidate, Policy, Scene
from cotenant.sim import Case, is_there, simulate
from tests.drawing import corners_of
from tests.property.test_sim_laws import (
    CONSERVING,
    MANY,
    Seen,
    between_events,
    every_law,
    policy_of,
    run,
    run_unrefused,
    unclear_waits,
    waits,
)
from tests.sim_cases import US, board, case, cases, compiler, every_policy, late_last, names, processor, request, share, tenant

FEW = settings(max_examples=max(10, settings.default.max_examples * 2 // 5) if settings.default else 10)
QUIET = (Preemption.SEGMENT, Preemption.NONE, Preemption.KERNEL, Preemption.CLASS)


@st.composite
def divided(draw: st.DrawFn, *, ways: Sequence[Preemption] = (*Preemption, Preemption.INSTANT), wide: bool = True) -> Case:
    """Draw a case of which some tenants reserve lanes, and are offered both parts, or one; a lane of each processor is left to all."""
    drawn = draw(cases(ways=ways))
    first, numbered = 0, []
    for p in drawn.platform.processors:
        numbered.append(replace(p, cores=tuple(range(first, first + p.lanes))))
        first += p.lanes
    platform = replace(drawn.platform, processors=tuple(numbered))
    who = st.none() | st.sampled_from([t.name for t in drawn.tenants])
    own: dict[str, tuple[int, ...]] = {}
    for p in platform.processors:
        first_owner = draw(who)
        for core in p.cores[1:]:
            name = draw(st.sampled_from([first_owner, first_owner, draw(who)]))
            own = own if name is None else {**own, name: (*own.get(name, ()), core)}
    tenants = tuple(replace(t, cores=own.get(t.name)) for t in drawn.tenants)
    platform = reserve(platform, tenants)
    shares: list[Share] = []
    for one in drawn.shares:
        common = Share(option=_narrowed(one.option, platform, wide=wide), rate_per_s=one.rate_per_s)
        twin = counterpart(common.option, platform)
        others = [Share(option=o, rate_per_s=draw(st.sampled_from([0.0, 50.0]))) for o in (twin, _at_home(one.option, platform)) if o]
        shares += [common, *others[:1]] if not others or not wide else draw(st.permutations([common, *others]))[draw(st.integers(0, 1)) :]
    once = [s for at, s in enumerate(shares) if s.option not in [other.option for other in shares[:at]]]
    lasting = all(s.option.latency_ns <= t.deadline_ns for t in tenants if t.deadline_ns for s in once if s.option.tenant == t.name)
    assume(lasting)
    return replace(drawn, platform=platform, tenants=tenants, shares=tuple(once))


def _at_home(option: Option, platform: Platform) -> Option | None:
    """Return the option on what its tenant has reserved of each processor, as wide as fits there."""
    own = {p.part_of: p for p in platform.processors if p.reserved == option.tenant}
    if not {step.processor for step in option.chain} & set(own):
        return None
    homes = [own.get(step.processor, platform.processor(step.processor)) for step in option.chain]
    steps = zip(option.chain, homes, strict=True)
    return replace(option, chain=tuple(replace(step, processor=p.name, width=min(step.width, p.lanes)) for step, p in steps))


def _narrowed(option: Option, platform: Platform, *, wide: bool) -> Option:
    def width(step: Step) -> int:
        return min(step.width, platform.processor(step.processor).lanes) if wide else 1

    return replace(option, chain=tuple(replace(step, width=width(step)) for step in option.chain))


def a_reserved_lane_runs_nobody_else(seen: Seen) -> None:
    for found in seen.runs:
        assert may_use(seen.processor(seen.step(found).processor), seen.owner(found.request))


@pytest.mark.parametrize("name", names())
@FEW
@given(drawn=divided(), late=st.booleans(), promises=st.booleans())
def test_every_law_holds_where_cores_are_reserved(name: str, drawn: Case, late: bool, promises: bool) -> None:
    policy = every_policy()[name]
    policy = replace(late_last(policy) if late else policy, promises=policy.promises or promises)
    seen = run(drawn, policy, name)
    a_reserved_lane_runs_nobody_else(seen)
    every_law(seen)


@pytest.mark.skipif(not is_there(), reason="numba is not installed: pip install cotenant[sim]")
@MANY
@given(name=st.sampled_from(names()), drawn=divided())
def test_compiled_and_plain_leave_the_same_trace_where_cores_are_reserved(name: str, drawn: Case) -> None:
    policy = every_policy()[name]
    plain, fast = simulate(drawn, policy, name=name), simulate(drawn, policy, name=name, loop=compiler().loop(policy))
    assert plain.spans.tobytes() == fast.spans.tobytes()
    assert plain.endings.tobytes() == fast.endings.tobytes()


@MANY
@given(variant=st.sampled_from(CONSERVING), drawn=divided(ways=QUIET))
def test_no_lane_of_either_part_is_idle_while_somebody_waits_who_may_use_it(variant: tuple[str, bool], drawn: Case) -> None:
    """But those that wide work keeps from others, and where the policy said NOT_NOW."""
    seen = run_unrefused(drawn, variant)
    waiting, unclear = list(waits(seen)), list(unclear_waits(seen))
    for begin_ns, end_ns, busy in between_events(seen, waiting):
        wait = [(r, step) for r, since_ns, until_ns, step, at in waiting if since_ns <= begin_ns and end_ns <= until_ns and not at]
        wide = [step for since_ns, until_ns, step in unclear if since_ns < end_ns and begin_ns < until_ns] + [step for _, step in wait]
        assert not list(_could_go(seen, busy, wait, wide))


def _could_go(seen: Seen, busy: set[int], wait: Sequence[tuple[int, Step]], wide: Sequence[Step]) -> Iterator[tuple[int, str]]:
    """List who would fit on idle lanes of either part, but where a wider step that waits for them keeps them."""
    idle = {p.name: len(set(seen.lanes_of(p.name)) - busy) for p in seen.case.platform.processors}
    for found, step in wait:
        home = seen.processor(step.processor)
        for part in parts_of(seen.case.platform, home.part_of or home.name):
            kept = any(_homes(seen, s) & _homes(seen, step) and s.width > max(1, idle[part.name]) for s in wide)
            if (part.name == home.name or _has_twin(seen, found, step, part.name)) and step.width <= idle[part.name] and not kept:
                yield found, part.name


def _homes(seen: Seen, step: Step) -> set[str]:
    processor = seen.processor(step.processor)
    return {processor.part_of or processor.name}


def _has_twin(seen: Seen, found: int, step: Step, part: str) -> bool:
    """Say whether every option by which this step may be served has a counterpart on the other part."""
    own = [o for o in seen.lineup.options if o.tenant == seen.owner(found) and step in o.chain]
    twins = [counterpart(option, seen.case.platform) for option in own]
    return all(t in seen.lineup.options and part in {s.processor for s in t.chain} for t in twins if t) and all(twins)


@MANY
@given(variant=st.sampled_from(CONSERVING), drawn=divided(ways=QUIET, wide=False))
def test_reserved_lanes_are_taken_first(variant: tuple[str, bool], drawn: Case) -> None:
    """Whoever starts on common lanes left none idle that are reserved for it, in steps of one lane that run on either."""
    seen = run(drawn, policy_of(variant), variant[0])
    for found in seen.runs:
        twin = counterpart(seen.option(found), drawn.platform)
        part = None if twin is None else seen.processor(twin.chain[seen.stage(found)].processor)
        if part is None or not part.reserved or twin not in seen.lineup.options or part.name == seen.step(found).processor:
            continue
        busy = {lane for other in seen.runs if other.start_ns <= found.start_ns < other.stop_ns for lane in other.lanes}
        assert set(seen.lanes_of(part.name)) <= busy


def test_what_is_drawn_reserves_lanes_and_uses_both_parts() -> None:
    corners = {"on its own", "on common lanes", "of two tenants", "wide"}

    def corners_in(drawn: Case) -> Iterator[str]:
        seen = run(drawn, every_policy()["edf"], "edf")
        reserving = {p.reserved for p in drawn.platform.processors if p.reserved}
        yield "of two tenants" if len(reserving) > 1 else ""
        for found in seen.runs:
            part = seen.processor(seen.step(found).processor)
            yield "on its own" if part.reserved else ""
            yield "on common lanes" if not part.reserved and seen.owner(found.request) in reserving else ""
            yield "wide" if part.reserved and len(found.lanes) > 1 else ""

    assert corners_of(divided(), corners, corners_in, most=300) == corners


def test_a_burst_of_who_reserves_a_lane_spills_over_idle_ones_and_nobody_comes_back() -> None:
    """Three requests of 2 us on one reserved and one common lane: by hand, at 0, 0 and 2 us; the other tenant waits for the common one."""
    tenants = (replace(tenant("own"), cores=1), tenant("other"))
    platform = reserve(board(processor("cpu", 2)), tenants)
    shares = [share("own", ("cpu[own]", 1, 2 * US)), share("own", ("cpu", 1, 2 * US), rate_per_s=0.0), share("other", ("cpu", 1, 2 * US))]
    asked = [request("own", 0) for _ in range(3)] + [request("other", 1), request("other", 1)]
    seen = run(case(platform, tenants, shares, asked), every_policy()["fifo"])
    ran = sorted((found.start_ns, seen.step(found).processor, seen.owner(found.request)) for found in seen.runs)
    assert ran == [
        (0, "cpu", "own"), (0, "cpu[own]", "own"), (2 * US, "cpu", "other"), (2 * US, "cpu[own]", "own"), (4 * US, "cpu", "other"),
    ]  # fmt: skip


def test_who_is_planned_on_common_lanes_keeps_its_place_there_while_another_goes_home() -> None:
    """By hand: of two that come at 1 ns one takes the reserved lane; the other stands before who comes at 2 ns for the common one."""
    tenants = (replace(tenant("own"), cores=1), tenant("other"))
    platform = reserve(board(processor("cpu", 2)), tenants)
    shares = [share("own", ("cpu[own]", 1, 2 * US)), share("own", ("cpu", 1, 2 * US)), share("other", ("cpu", 1, 2 * US))]
    asked = [request("other", 0), request("own", 1), request("own", 1), request("other", 2)]
    seen = run(case(platform, tenants, shares, asked), every_policy()["fifo"])
    ran = sorted((found.start_ns, seen.step(found).processor, seen.owner(found.request)) for found in seen.runs)
    assert ran == [(0, "cpu", "other"), (1, "cpu[own]", "own"), (2 * US, "cpu", "own"), (4 * US, "cpu", "other")]


def test_who_finds_no_common_lane_goes_back_before_who_stood_behind_it() -> None:
    """By hand: nothing starts on the common lane that the policy refuses; at 2 us the elder goes on the reserved one."""

    def refuses(candidate: Candidate, scene: Scene) -> float:
        return float(candidate.arrival_ns) if scene.stages[candidate.position].processor == 1 else NOT_NOW

    tenants = (replace(tenant("own"), cores=1), tenant("other"))
    platform = reserve(board(processor("cpu", 2)), tenants)
    shares = [share("own", ("cpu[own]", 1, 2 * US)), share("own", ("cpu", 1, 2 * US), rate_per_s=0.0), share("other", ("cpu", 1, 2 * US))]
    asked = [request("own", at_ns) for at_ns in (0, 1, 2)]
    seen = run(case(platform, tenants, shares, asked), Policy(order=refuses))
    ran = [
        (found.start_ns, int(seen.columns.endings[found.request]["arrival_ns"])) for found in sorted(seen.runs, key=lambda r: r.start_ns)
    ]
    assert ran == [(0, 0), (2 * US, 1), (4 * US, 2)]


def test_an_option_of_others_on_a_reserved_lane_is_refused() -> None:
    tenants = (replace(tenant("own"), cores=1), tenant("other"))
    platform = reserve(board(processor("cpu", 2)), tenants)
    shares = (share("own", ("cpu[own]", 1, US)), share("other", ("cpu[own]", 1, US)))
    with pytest.raises(InputError, match=r"other on cpu\[own\]; options of own alone"):
        Lineup(tenants=tenants, shares=shares, platform=platform)


def test_a_tenant_whose_cores_nobody_reserved_is_refused() -> None:
    tenants = (replace(tenant("own"), cores=1), tenant("other"))
    shares = (share("own", ("cpu", 1, US)), share("other", ("cpu", 1, US)))
    with pytest.raises(InputError, match=r"tenants\[own\]\.cores: 1; left out: cores are reserved before"):
        Lineup(tenants=tenants, shares=shares, platform=board(processor("cpu", 2)))
