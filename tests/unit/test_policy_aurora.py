"""AuRORA: how many lanes, whose turn, how much bandwidth."""

from __future__ import annotations

import pytest

from cotenant.describe import Artifact, Memory, Option, Platform, Poisson, Precision, Processor, Request, Share, Source, Step, Tenant
from cotenant.dispatch.state import READY, RUNNING, MemoryRow, ProcessorRow, SlotRow, StageRow
from cotenant.policy import NEVER_NS, Scene
from cotenant.policy.aurora import aurora
from cotenant.sim import Case, simulate

WORK_NS = 40
"""On one lane; two and four lanes are two and four times as fast."""


class Board:
    """Tiles and a memory of 1 byte per ns, by hand."""

    def __init__(self, free: int = 8, **params: float) -> None:
        self.params = [{**dict(aurora.params), **params}[name] for name, _ in aurora.params]
        self.notes = [0.0] * aurora.notes
        self.slots: list[SlotRow] = []
        self.stages: list[StageRow] = []
        self.others: list[int] = []
        self.running: list[int] = []
        self.processor = ProcessorRow(lanes=8, free=free)

    def slot(
        self, due_ns: int, *, arrival_ns: int = 0, rank: int = 11, widths: tuple[int, ...] = (1, 2, 4, 8), at: int = 2, demand: float = 0.0
    ) -> int:
        """Add a request of one segment, planned on `at` lanes, that waits."""
        first = len(self.stages)
        for lanes in widths:
            work = {"segment_ns": WORK_NS // lanes, "remaining_ns": WORK_NS // lanes}
            self.stages.append(StageRow(width=lanes, bytes_per_ns=demand, others=len(self.others), other_count=len(widths), **work))
        self.others += range(first, first + len(widths))
        when = {"arrival_ns": arrival_ns, "due_ns": due_ns, "remaining_ns": WORK_NS // at}
        position = first + widths.index(at)
        self.slots.append(SlotRow(position=position, width=at, state=READY, rank=rank, bytes_per_ns=demand, **when))
        return len(self.slots) - 1

    def scene(self, now_ns: int) -> Scene:
        return Scene(
            now_ns, self.slots, [], 0, self.running, len(self.running), [], [self.processor], [MemoryRow(bytes_per_ns=1.0)], self.stages,
            self.others, self.params, self.notes,
        )  # fmt: skip

    def start(self, slot: int, now_ns: int = 0) -> float:
        """Decide at an instant at which this one starts on the lanes it is planned on; return its share."""
        aurora.prepare(self.scene(now_ns))
        self.slots[slot].state = RUNNING
        self.slots[slot].since_ns = now_ns
        self.running.append(slot)
        return aurora.share(self.slots[slot], self.scene(now_ns))

    def lanes(self, slot: int, now_ns: int = 0) -> int:
        return aurora.width(self.slots[slot], self.scene(now_ns))

    def order(self, slot: int, now_ns: int = 0) -> float:
        return aurora.order(self.slots[slot], self.scene(now_ns))


@pytest.mark.parametrize(
    ("slack_ns", "lanes"),
    [
        (9, 1),  # hopeless: four lanes take 10
        (10, 4),
        (14, 4),  # less than 1.5 x 10
        (15, 2),
        (29, 2),  # less than 1.5 x 20
        (30, 1),
        (79, 1),  # 3.95 times the 20 that it takes on the base
    ],
)
def test_the_widest_that_is_tight_is_taken(slack_ns: int, lanes: int) -> None:
    board = Board(base=1.0) if slack_ns >= 10 else Board(free=5)
    assert board.lanes(board.slot(slack_ns)) == lanes


def test_nobody_in_time_asks_for_less_than_the_base() -> None:
    board = Board()
    assert board.lanes(board.slot(40)) == 2
    assert board.lanes(board.slot(NEVER_NS)) == 2


def test_a_hopeless_request_gets_the_base_only_where_more_than_three_lanes_stay_free() -> None:
    for free, lanes in ((6, 2), (5, 1)):
        board = Board(free=free)
        assert board.lanes(board.slot(5)) == lanes


def test_what_is_free_is_taken_when_less_is_free_than_wanted() -> None:
    board = Board(free=3)
    assert board.lanes(board.slot(12)) == 2


def test_where_the_width_is_missing_the_nearest_below_is_taken_else_the_narrowest() -> None:
    board = Board()
    assert board.lanes(board.slot(25, widths=(1, 2), at=2)) == 2
    assert board.lanes(board.slot(45, widths=(1,), at=1)) == 1
    assert board.lanes(board.slot(45, widths=(8,), at=8)) == 8


def test_nobody_grows_past_the_base_while_a_tighter_one_has_less_than_the_most() -> None:
    board = Board()
    tighter = board.slot(11)
    board.start(tighter)
    assert board.lanes(board.slot(13)) == 2
    board.slots[tighter].width = 4
    assert board.lanes(board.slot(13)) == 4


def test_whoever_has_begun_takes_the_most_lanes_unless_a_tighter_one_runs_on_less() -> None:
    board = Board()
    begun = board.slot(60)
    board.slots[begun].begun = 1
    assert board.lanes(begun) == 4
    board.start(board.slot(35))
    assert board.lanes(begun) == 2


def test_whoever_has_much_slack_leaves_the_last_lanes_to_others() -> None:
    board = Board(free=3)
    assert board.lanes(board.slot(80)) == 2  # 4 times the 20 that it takes on the base
    assert board.lanes(board.slot(81)) == 1


def test_whoever_has_twice_the_slack_of_a_tighter_one_gives_half_of_its_lanes_up() -> None:
    board = Board()
    board.start(board.slot(11))
    assert board.lanes(board.slot(22)) == 2
    assert board.lanes(board.slot(23)) == 1


def test_whoever_waited_longest_for_its_best_time_goes_first_and_the_hopeless_last() -> None:
    board = Board()
    old, new, hopeless = board.slot(1000, arrival_ns=0), board.slot(1000, arrival_ns=90), board.slot(105, arrival_ns=0)
    assert board.order(old, 100) == -10.0  # 100 / 10
    assert board.order(new, 100) == -1.0
    assert board.order(hopeless, 100) == 0.0


def test_priority_weighs_at_most_double() -> None:
    for weight, value in ((1.0, -20.0), (0.0, -10.0)):
        board = Board(priority=weight)
        assert board.order(board.slot(1000, rank=0), 100) == value


def test_bandwidth_above_the_limit_is_cut_by_remaining_over_slack() -> None:
    board = Board()
    board.start(board.slot(40, demand=1.0), 0)  # 20 / 40
    starts = board.slot(101, demand=0.8)  # 20 / 100 from 1 on
    excess = 1.0 + 0.8 - 1.2
    assert board.start(starts, 1) == pytest.approx(0.8 - excess * (0.5 * 1.0) / (0.5 * 1.0 + 0.2 * 0.8))


def test_nobody_is_left_less_than_a_twentieth_nor_given_more_than_it_wants() -> None:
    board = Board()
    for now_ns in range(3):
        board.start(board.slot(30, demand=1.0), now_ns)
    assert board.start(board.slot(100_000, demand=0.5), 3) == 0.05
    assert board.start(board.slot(100_000, demand=0.01), 4) == 0.01


def test_a_request_that_would_be_late_as_planned_is_in_time_on_more_lanes() -> None:
    platform = Platform(
        name="tiles",
        processors=(Processor(name="p", kind="k", lanes=8, memory="m"),),
        memories=(Memory(name="m", capacity_bytes=1, bandwidth_bytes_per_s=None),),
    )
    tenant = Tenant(name="t", source=Source(model="zoo:x"), arrival=Poisson(rate_per_s=1))
    artifact = Artifact(model="t", precision=Precision.FP32, engine="fake", memory="m", resident_bytes=1)
    shares = []
    for lanes in (1, 2, 4, 8):
        chain = tuple(Step(segment=i, processor="p", width=lanes, duration_ns=80 // lanes) for i in range(2))
        option = Option(tenant="t", artifact=artifact, chain=chain, demand=(), latency_ns=160 // lanes)
        shares.append(Share(option=option, rate_per_s=1.0 if lanes == 2 else 0.0))
    request = Request(id=0, tenant="t", arrival_ns=0, due_ns=50)
    case = Case(tenants=(tenant,), shares=tuple(shares), platform=platform, requests=(request,), horizon_ns=100)
    columns = simulate(case, aurora, name="aurora")
    assert columns.endings["finish_ns"][0] == 2 * 80 // 4
