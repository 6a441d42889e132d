"""Fluid batching: early exits learnt, slots refilled, and who may wait no longer."""

from __future__ import annotations

import pytest

from cotenant.describe import Artifact, Memory, Option, Platform, Poisson, Precision, Processor, Request, Share, Source, Step, Tenant
from cotenant.dispatch.state import READY, RUNNING, SlotRow, TenantRow
from cotenant.policy import NEVER_NS, Scene
from cotenant.policy.fluid_batching import expected_ns, fluid_batching
from cotenant.sim import Case, simulate
from cotenant.trace.columns import Columns

SEGMENT_NS, STAGES = 100, 5
MS = 1_000_000


class Board:
    """Two tenants of five stages of 100 ns each, by hand."""

    def __init__(self, **params: float) -> None:
        self.tenants = [TenantRow(), TenantRow()]
        self.slots: list[SlotRow] = []
        self.params = [{**dict(fluid_batching.params), **params}[name] for name, _ in fluid_batching.params]

    def slot(self, stage: int = 0, *, tenant: int = 0, due_ns: int = 10_000, state: int = READY) -> SlotRow:
        left = (STAGES - stage) * SEGMENT_NS
        row = SlotRow(
            request=len(self.slots), tenant=tenant, stage=stage, stages=STAGES, state=state, due_ns=due_ns, begun=int(stage > 0),
            alone_ns=STAGES * SEGMENT_NS, remaining_ns=left, segment_ns=SEGMENT_NS,
        )  # fmt: skip
        self.slots.append(row)
        return row

    def scene(self, now_ns: int = 0) -> Scene:
        ready = [index for index, s in enumerate(self.slots) if s.state == READY]
        running = [index for index, s in enumerate(self.slots) if s.state == RUNNING]
        return Scene(
            now_ns, self.slots, ready, len(ready), running, len(running), self.tenants, [], [], [], [], self.params, [],
        )  # fmt: skip

    def order(self, slot: SlotRow, now_ns: int = 0) -> float:
        return fluid_batching.order(slot, self.scene(now_ns))


def test_each_boundary_passed_is_counted_once() -> None:
    board = Board()
    slot = board.slot()
    for stage, passed in ((0, 0), (0, 0), (1, 1), (3, 3), (3, 3), (4, 4)):
        slot.stage = stage
        fluid_batching.prepare(board.scene())
        assert board.tenants[0].note == 1.0
        assert board.tenants[0].mark == pytest.approx(passed / 4)
    assert board.tenants[1].note == 0.0


def test_the_rest_counts_by_how_much_of_it_requests_of_the_tenant_stay_for() -> None:
    board = Board()
    slot = board.slot(stage=1)
    assert expected_ns(slot, board.scene()) == 4 * SEGMENT_NS
    board.tenants[0].note, board.tenants[0].mark = 24.0, 8.0  # beside 8 taken for granted: 16 of 32 stayed
    assert expected_ns(slot, board.scene()) == SEGMENT_NS + 0.5 * 3 * SEGMENT_NS


def test_a_freed_slot_goes_to_the_tenant_whose_batch_runs_while_that_has_room() -> None:
    board = Board(batch=2.0)
    board.slot(state=RUNNING)
    joins, other = board.slot(), board.slot(tenant=1)
    assert board.order(joins) < board.order(other)
    board.slot(state=RUNNING)
    assert board.order(joins) == board.order(other)


def test_the_least_advanced_refill_first_while_the_others_can_wait() -> None:
    board = Board()
    board.slot(state=RUNNING)
    values = [board.order(board.slot(stage)) for stage in range(STAGES)]
    assert values == sorted(values)
    assert len(set(values)) == STAGES


def test_who_cannot_wait_for_another_to_catch_up_goes_first() -> None:
    board = Board()
    # at stage 3 another needs 4 segments to have done as much; two are left of it
    waits, goes = board.slot(3, due_ns=600), board.slot(3, due_ns=599)
    fresh = board.slot()
    assert board.order(goes) < board.order(fresh) < board.order(waits)


def test_the_hopeless_go_last_unless_an_exit_may_save_them() -> None:
    board = Board()
    slot, other = board.slot(due_ns=399), board.slot(due_ns=10_000)
    assert board.order(slot) > board.order(other)
    board.tenants[0].note = 8.0  # half leave at once: 100 + 0.5 * 400 of 399
    assert board.order(slot) < board.order(other)


def test_without_a_deadline_a_request_becomes_urgent_by_its_own_time_alone() -> None:
    board = Board(slo=4.0)
    begun, fresh = board.slot(3, due_ns=NEVER_NS), board.slot(due_ns=100_000)
    assert board.order(begun, now_ns=0) > board.order(fresh, now_ns=0)
    assert board.order(begun, now_ns=4 * STAGES * SEGMENT_NS) < board.order(fresh, now_ns=4 * STAGES * SEGMENT_NS)


def served(exits: tuple[int | None, ...]) -> Columns:
    """Serve requests of one tenant, three stages of 1 ms, on one lane, all at 0."""
    memory = Memory(name="m", capacity_bytes=1)
    platform = Platform(name="one", processors=(Processor(name="p", kind="k", lanes=1, memory="m"),), memories=(memory,))
    art = Artifact(model="t", precision=Precision.FP32, engine="e", memory="m", resident_bytes=1)
    chain = tuple(Step(segment=index, processor="p", width=1, duration_ns=MS) for index in range(3))
    tenant = Tenant(name="t", source=Source(model="zoo:x"), arrival=Poisson(rate_per_s=1.0), deadline_ns=100 * MS)
    share = Share(option=Option(tenant="t", artifact=art, chain=chain, demand=(), latency_ns=3 * MS), rate_per_s=1.0)
    requests = tuple(Request(id=i, tenant="t", arrival_ns=0, due_ns=100 * MS, exit_stage=leaves) for i, leaves in enumerate(exits))
    case = Case(tenants=(tenant,), shares=(share,), platform=platform, requests=requests, horizon_ns=100 * MS)
    return simulate(case, fluid_batching, name="fluid_batching")


def test_what_an_exit_frees_is_refilled_at_that_instant() -> None:
    exits = (0, None, 1, 0, None)
    spans = served(exits).spans
    assert len(spans) == 1 + 3 + 2 + 1 + 3
    assert list(spans["start_ns"][1:]) == list(spans["stop_ns"][:-1])


def test_newcomers_catch_up_before_the_advanced_go_on() -> None:
    spans = served((None, None, None)).spans
    assert [int(request) for request in spans["request"]] == [0, 1, 2] * 3
