"""Dysta: what is left by the sparsity seen, the static and the dynamic level, and the penalty for idleness."""

from __future__ import annotations

from itertools import permutations

import pytest

from cotenant.describe import Artifact, Memory, Option, Platform, Poisson, Precision, Processor, Request, Share, Source, Step, Tenant
from cotenant.dispatch.state import READY, RUNNING, SlotRow, TenantRow
from cotenant.policy import NEVER_NS, Scene
from cotenant.policy.dysta import dysta
from cotenant.sim import Case, simulate

MS = 1_000_000


def score(slot: SlotRow, now_ns: int, *besides: SlotRow, outstanding: int = 1, **params: float) -> float:
    """Prepare, then ask for the order of the first of these candidates."""
    slots = [slot, *besides]
    ready = [index for index, s in enumerate(slots) if s.state == READY]
    running = [index for index, s in enumerate(slots) if s.state == RUNNING]
    given = [{**dict(dysta.params), **params}[name] for name, _ in dysta.params]
    scene = Scene(
        now_ns, slots, ready, len(ready), running, len(running), [TenantRow(outstanding=outstanding)], [], [], [], [], given,
        [0.0] * dysta.notes,
    )  # fmt: skip
    dysta.prepare(scene)
    return dysta.order(slot, scene)


def begun(*, left_ns: int = 1000, due_ns: int = 10_000, since_ns: int = 1500, pace: float = 1.0, state: int = READY) -> SlotRow:
    """Return a request of 2000 ns alone, arrived at 0, that last ran until `since_ns`."""
    return SlotRow(state=state, begun=1, alone_ns=2000, remaining_ns=left_ns, due_ns=due_ns, since_ns=since_ns, pace=pace)


def test_the_dynamic_level_adds_slack_and_idleness_to_what_is_left_by_the_pace_seen() -> None:
    left = 0.5 * 1000
    slack = 10_000 - 2000 - left
    idle = (2000 - 1500) / 2000 / 4 * 2000  # of its own time alone, over four requests, in units of the mean time alone
    assert score(begun(pace=0.5), 2000, outstanding=4) == pytest.approx(left + 0.01 * (slack + idle))


def test_the_unit_of_idleness_is_the_mean_time_alone_of_the_candidates() -> None:
    other = begun()
    other.alone_ns = 6000
    with_other = score(begun(), 2000, other, eta=1.0)
    alone = score(begun(), 2000, eta=1.0)
    assert with_other - alone == pytest.approx(500 / 2000 * ((2000 + 6000) / 2 - 2000))


def test_as_published_a_slowdown_of_one_counts_a_second() -> None:
    slack = 10_000 - 2000 - 1000
    assert score(begun(), 2000, as_published=1.0) == pytest.approx(1000 + 0.01 * (slack + 500 / 2000 * 1e9))


def test_what_runs_is_not_idle() -> None:
    assert score(begun(state=RUNNING), 2000) == pytest.approx(1000 + 0.01 * (10_000 - 2000 - 1000))


def test_on_arrival_the_static_level_weighs_the_slack_by_beta() -> None:
    comes = SlotRow(state=READY, alone_ns=1000, remaining_ns=1000, arrival_ns=500, due_ns=5500)
    assert score(comes, 500, beta=0.25, eta=7.0) == 1000 + 0.25 * (5000 - 1000)
    assert score(comes, 600, beta=0.25, eta=0.0) == 1000


def test_slack_is_never_less_than_nothing() -> None:
    assert score(begun(due_ns=1, state=RUNNING), 2000) == 1000


def test_a_request_without_a_deadline_goes_after_all_that_have_one() -> None:
    assert score(begun(left_ns=10, due_ns=NEVER_NS), 2000) > score(begun(left_ns=2000, due_ns=10**9), 2000)


def test_sparser_than_expected_goes_before_its_equals() -> None:
    assert score(begun(pace=0.7), 2000) < score(begun(), 2000) < score(begun(pace=1.3), 2000)


def finishes(durations_ms: tuple[int, ...], **params: float) -> list[int]:
    """Serve one request of each length on one lane, all at 0; return when they end, in ms."""
    platform = Platform(
        name="one", processors=(Processor(name="p", kind="k", lanes=1, memory="m"),), memories=(Memory(name="m", capacity_bytes=1),)
    )
    tenants, shares = [], []
    for index, ms in enumerate(durations_ms):
        name = f"t{index}"
        art = Artifact(model=name, precision=Precision.FP32, engine="e", memory="m", resident_bytes=1)
        chain = tuple(Step(segment=j, processor="p", width=1, duration_ns=ms * MS // 2) for j in range(2))
        tenants.append(Tenant(name=name, source=Source(model="zoo:x"), arrival=Poisson(rate_per_s=1.0), deadline_ns=1000 * MS))
        shares.append(Share(option=Option(tenant=name, artifact=art, chain=chain, demand=(), latency_ns=ms * MS), rate_per_s=1.0))
    requests = tuple(Request(id=i, tenant=t.name, arrival_ns=0, due_ns=1000 * MS) for i, t in enumerate(tenants))
    case = Case(tenants=tuple(tenants), shares=tuple(shares), platform=platform, requests=requests, horizon_ns=1000 * MS)
    return [int(end) // MS for end in simulate(case, dysta, name="dysta", params=tuple(params.items())).endings["finish_ns"]]


@pytest.mark.parametrize("durations", [(8, 2, 6, 4), (2, 4, 6, 8), (10, 2, 8, 2)])
def test_without_eta_and_beta_no_order_waits_less_in_the_mean(durations: tuple[int, ...]) -> None:
    ends = (sum(sum(order[: index + 1]) for index in range(len(order))) for order in permutations(durations))
    assert sum(finishes(durations, eta=0.0, beta=0.0)) == min(ends)
