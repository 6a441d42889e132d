"""MoCA: who goes first, who is throttled and by how much."""

from __future__ import annotations

import numpy as np
import pytest

from cotenant.describe import Artifact, Option, Platform, Poisson, Precision, Processor, Request, Share, Source, Step, Tenant
from cotenant.describe import Memory as BoardMemory
from cotenant.dispatch.state import READY, RUNNING, MemoryRow, ProcessorRow, SlotRow, StageRow
from cotenant.policy import NEVER_NS, Scene
from cotenant.policy.moca import moca
from cotenant.sim import Case, simulate


class Board:
    """A memory of 1 byte per ns and what runs on it, by hand."""

    def __init__(self, **params: float) -> None:
        self.params = [{**dict(moca.params), **params}[name] for name, _ in moca.params]
        self.notes = [0.0] * moca.notes
        self.slots: list[SlotRow] = []
        self.stages: list[StageRow] = []
        self.running: list[int] = []
        self.capacity = 1.0

    def slot(self, demand: float = 0.0, *, rank: int = 11, slack_ns: int = 100, left_ns: int = 10, arrival_ns: int = 0) -> int:
        """Add a request of one segment that waits; `slack_ns` is its due time."""
        self.stages.append(StageRow(segment_ns=left_ns, remaining_ns=left_ns, bytes_per_ns=demand, bytes_left=demand * left_ns))
        times = {"arrival_ns": arrival_ns, "due_ns": slack_ns, "alone_ns": left_ns, "segment_ns": left_ns, "remaining_ns": left_ns}
        traffic = {"bytes_per_ns": demand, "bytes_left": demand * left_ns}
        self.slots.append(SlotRow(position=len(self.stages) - 1, state=READY, rank=rank, **times, **traffic))  # type: ignore[arg-type]
        return len(self.slots) - 1

    def scene(self, now_ns: int) -> Scene:
        memories = [MemoryRow(bytes_per_ns=self.capacity)]
        ready = [i for i, s in enumerate(self.slots) if s.state == READY]
        processors = [ProcessorRow(lanes=8, free=8)]
        return Scene(
            now_ns, self.slots, ready, len(ready), self.running, len(self.running), [], processors, memories, self.stages, [],
            self.params, self.notes,
        )  # fmt: skip

    def start(self, slot: int, now_ns: int) -> float:
        """Decide at an instant at which this one starts its segment, or the next; return its share."""
        self.running = [other for other in self.running if other != slot]
        moca.prepare(self.scene(now_ns))
        self.slots[slot].state = RUNNING
        self.slots[slot].since_ns = now_ns
        self.running.append(slot)
        return moca.share(self.slots[slot], self.scene(now_ns))

    def order(self, slot: int, now_ns: int) -> float:
        return moca.order(self.slots[slot], self.scene(now_ns))


def test_the_highest_of_priority_plus_wait_over_estimate_goes_first() -> None:
    board = Board()
    waited = board.slot(rank=7, arrival_ns=0, left_ns=10)  # 4 + 30/10 = 7
    weighty = board.slot(rank=5, arrival_ns=25, left_ns=10)  # 6 + 5/10 = 6.5
    assert board.order(waited, 30) == -7.0
    assert board.order(weighty, 30) == -6.5


def test_ranks_beyond_the_eleventh_are_of_the_least_priority() -> None:
    board = Board()
    assert board.order(board.slot(rank=500), 0) == board.order(board.slot(rank=11), 0) == 0.0


def test_under_one_and_a_half_times_the_bandwidth_nobody_is_throttled() -> None:
    board = Board(window_ns=0.0)
    assert board.start(board.slot(0.9), 0) == 0.9
    assert board.start(board.slot(0.6), 1) == 0.6


@pytest.mark.parametrize(
    ("rank", "left_ns", "slack_ns", "score"),
    [
        (0, 30, 100, 3 + 3),  # floor(12/4) + round(300/100)
        (4, 26, 100, 2 + 3),  # floor(8/4) + round(2.6)
        (9, 4, 100, 0 + 1),  # floor(3/4) + round(0.4), 1 at least
        (11, 990, 1000, 0 + 10),  # round(9.9)
        (11, 10_000, 100, 0 + 20),  # at most 20
        (4, 30, 0, 2 + 1),  # past its due time
        (4, 30, NEVER_NS, 2 + 1),  # no due time
    ],
)
def test_whoever_starts_gives_up_the_others_part_of_the_excess_by_score_and_demand(
    rank: int, left_ns: int, slack_ns: int, score: int
) -> None:
    board = Board(window_ns=0.0)
    board.start(board.slot(1.0, rank=11, left_ns=10, slack_ns=50), 0)  # score 0 + round(100/50) = 2
    late_ns = slack_ns if slack_ns == NEVER_NS else slack_ns + 1
    starts = board.slot(0.8, rank=rank, left_ns=left_ns, slack_ns=late_ns)
    excess = 1.0 + 0.8 - 1.5
    assert board.start(starts, 1) == pytest.approx(0.8 - excess * (2 * 1.0) / (2 * 1.0 + score * 0.8))


def test_what_was_set_at_the_start_of_a_layer_stays_until_the_next() -> None:
    board = Board(window_ns=0.0)
    first, second = board.slot(1.0), board.slot(0.8)
    board.start(first, 0)
    throttled = board.start(second, 1)
    assert throttled < 0.8
    board.running.remove(first)
    for now_ns in (5, 9):
        moca.prepare(board.scene(now_ns))
        assert moca.share(board.slots[second], board.scene(now_ns)) == throttled
    assert board.start(second, 10) == 0.8


def test_all_cuts_together_take_no_more_than_the_excess() -> None:
    draw = np.random.default_rng(7)
    for _ in range(50):
        board = Board(window_ns=0.0)
        slots = [board.slot(draw.uniform(0.3, 1.0), rank=int(draw.integers(12)), slack_ns=int(draw.integers(500))) for _ in range(6)]
        granted = dict.fromkeys(slots, 0.0)
        for now_ns in range(30):
            one = int(draw.choice(slots))
            granted[one] = board.start(one, now_ns)
            if granted[one] < board.slots[one].bytes_per_ns:
                assert sum(granted[i] for i in board.running) >= 1.5 - 1e-12


def test_as_published_n_equal_requests_are_cut_n_less_one_times_the_excess() -> None:
    board = Board(as_published=1.0, window_ns=0.0)
    slots = [board.slot(0.4) for _ in range(4)]
    for now_ns in range(3):
        board.start(slots[now_ns], now_ns)
    granted = [board.start(slot, 3 + index) for index, slot in enumerate(reversed(slots))]
    excess = 4 * 0.4 - 1.5
    assert sum(0.4 - rate for rate in granted) == pytest.approx((4 - 1) * excess)


def test_as_published_the_score_cancels_itself() -> None:
    shares = []
    for rank, slack_ns in ((0, 20), (11, 1000)):
        board = Board(as_published=1.0, window_ns=0.0)
        board.start(board.slot(1.0), 0)
        shares.append(board.start(board.slot(0.8, rank=rank, slack_ns=slack_ns), 1))
    assert shares[0] == shares[1] == pytest.approx(0.8 - 0.3 * 1.0 / 1.8)


def test_nobody_is_left_less_than_a_quarter_of_the_bandwidth_nor_given_more_than_it_wants() -> None:
    board = Board(window_ns=0.0)
    for now_ns in range(3):
        board.start(board.slot(1.0, rank=0, slack_ns=now_ns + 11), now_ns)
    assert board.start(board.slot(0.6, slack_ns=10_000), 3) == 0.25
    assert board.start(board.slot(0.2, slack_ns=10_000), 4) == 0.2


def test_the_throttle_counts_whole_accesses_in_a_window() -> None:
    board = Board(window_ns=100.0, access_bytes=8.0)
    board.start(board.slot(1.0), 0)
    starts = board.slot(1.0)  # equal scores and demands: half of the excess of 0.5
    assert board.start(starts, 1) == int(0.75 * 100 / 8) * 8 / 100 == 0.72


def test_a_memory_without_a_known_bandwidth_throttles_nobody() -> None:
    board = Board()
    board.capacity = float("inf")
    for now_ns in range(5):
        assert board.start(board.slot(3.0), now_ns) == 3.0


def test_a_heavy_request_waits_for_a_light_partner_of_the_one_that_runs() -> None:
    board = Board()
    heavy, urgent, light = board.slot(0.9), board.slot(0.9, rank=0), board.slot(0.1)
    board.start(heavy, 0)
    moca.prepare(board.scene(1))
    assert board.order(light, 1) < board.order(urgent, 1)
    board.start(light, 1)
    other = board.slot(0.1)
    moca.prepare(board.scene(2))
    assert board.order(urgent, 2) < board.order(other, 2)


def test_whoever_has_begun_keeps_its_lanes_until_it_ends() -> None:
    board = Platform(
        name="one",
        processors=(Processor(name="p", kind="k", lanes=1, memory="m"),),
        memories=(BoardMemory(name="m", capacity_bytes=1, bandwidth_bytes_per_s=1e9),),
    )
    tenants = tuple(
        Tenant(name=n, source=Source(model="zoo:x"), arrival=Poisson(rate_per_s=1), rank=r) for n, r in (("low", 11), ("high", 0))
    )
    shares = []
    for tenant in tenants:
        artifact = Artifact(model=tenant.name, precision=Precision.FP32, engine="fake", memory="m", resident_bytes=1)
        chain = tuple(Step(segment=i, processor="p", width=1, duration_ns=10) for i in range(3))
        shares.append(Share(option=Option(tenant=tenant.name, artifact=artifact, chain=chain, demand=(), latency_ns=30), rate_per_s=1))
    requests = (Request(id=0, tenant="low", arrival_ns=0), Request(id=1, tenant="high", arrival_ns=5))
    case = Case(tenants=tenants, shares=tuple(shares), platform=board, requests=requests, horizon_ns=100)
    assert list(simulate(case, moca, name="moca").endings["finish_ns"]) == [30, 60]
