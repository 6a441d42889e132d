"""The simulator against what can be known without it: queueing theory, scheduling theory, and charts drawn by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cotenant.describe import Preemption, Request
from cotenant.policy import Policy
from cotenant.sim import Case, Loop, is_there, simulate
from cotenant.sim.state import DONE
from cotenant.trace.columns import Columns
from tests.sim_cases import board, case, compiler, every_policy, memory, processor, request, share, tenant

needs_numba = pytest.mark.skipif(not is_there(), reason="numba is not installed: pip install cotenant[sim]")

FIFO, EDF, RANK, RANK_EDF = (every_policy()[name] for name in ("fifo", "edf", "rank", "rank_edf"))

MS = 1_000_000
BATCHES = 30
TOLERANCE = 0.02


# Queues. Requests of 1 ms in the mean come at random to lanes that are alike; how long they wait is known.


def queue(rho: float, lanes: int, count: int, *, exponential: bool, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    at_ns = np.cumsum(rng.exponential(MS / (rho * lanes), count)).astype(np.int64).tolist()
    scales = rng.exponential(1.0, count).tolist() if exponential else [1.0] * count
    requests = tuple(
        Request(id=i, tenant="a", arrival_ns=a, work_scale=scale) for i, (a, scale) in enumerate(zip(at_ns, scales, strict=True))
    )
    return Case(
        tenants=(tenant("a"),),
        shares=(share("a", ("p0", 1, MS)),),
        platform=board(processor("p0", lanes)),
        requests=requests,
        horizon_ns=at_ns[-1] + 1,
    )


def waits_ms(columns: Columns, lanes: int) -> NDArray[np.float64]:
    """Return how long each waited: from its arrival to the start of its only span."""
    starts = np.empty(len(columns.endings))
    starts[columns.spans["request"]] = columns.spans["start_ns"]
    assert len(columns.spans) == len(columns.endings)
    assert set(columns.spans["lane"].tolist()) == set(range(lanes))
    return np.asarray((starts - columns.endings["arrival_ns"]) / MS, dtype=np.float64)


def standard_error(values: NDArray[np.float64]) -> float:
    """Return that of the mean, from the means of batches that are long enough to be independent."""
    means = values[: len(values) // BATCHES * BATCHES].reshape(BATCHES, -1).mean(axis=1)
    return float(means.std(ddof=1) / math.sqrt(BATCHES))


def erlang_c(rho: float, lanes: int) -> float:
    """Return how many of those who come must wait (Erlang, 1917)."""
    offered = rho * lanes
    waiting = offered**lanes / math.factorial(lanes) / (1 - rho)
    return waiting / (sum(offered**k / math.factorial(k) for k in range(lanes)) + waiting)


@needs_numba
@pytest.mark.parametrize(
    ("rho", "lanes", "exponential", "expected_ms", "count"),
    [
        pytest.param(0.5, 1, True, 0.5 / (1 - 0.5), 1_300_000, id="M/M/1"),
        pytest.param(0.5, 1, False, 0.5 / (2 * (1 - 0.5)), 600_000, id="M/D/1"),
        pytest.param(0.6, 2, True, erlang_c(0.6, 2) / (2 * (1 - 0.6)), 4_000_000, id="M/M/2", marks=pytest.mark.slow),
    ],
)
def test_the_mean_wait_is_that_of_queueing_theory(rho: float, lanes: int, exponential: bool, expected_ms: float, count: int) -> None:
    """Pollaczek and Khinchine's rho (1 + cv^2) / (2 mu (1 - rho)) for one lane, Erlang's C / (c mu (1 - rho)) for c."""
    columns = simulate(queue(rho, lanes, count, exponential=exponential, seed=7), FIFO, name="fifo", loop=compiler().loop(FIFO))
    found_ms = waits_ms(columns, lanes)
    assert 4 * standard_error(found_ms) <= TOLERANCE * expected_ms, "the run is long enough to tell"
    assert found_ms.mean() == pytest.approx(expected_ms, rel=TOLERANCE)


@pytest.mark.parametrize("policy", [FIFO, EDF], ids=["fifo", "edf"])
def test_every_wait_follows_from_the_one_before(policy: Policy) -> None:
    """Lindley (1952): who comes T after another waits max(0, its wait + its work - T). To the nanosecond, work being rounded up."""
    drawn = queue(0.9, 1, 3000, exponential=True, seed=3)
    found = waits_ms(simulate(drawn, policy, name="one", loop=None), 1)
    wait_ns = 0
    for before, after, seen_ms in zip(drawn.requests[:-1], drawn.requests[1:], found[1:], strict=True):
        work_ns = math.ceil(before.work_scale * MS - 1e-6)
        wait_ns = max(0, wait_ns + work_ns - (after.arrival_ns - before.arrival_ns))
        assert seen_ms * MS == pytest.approx(wait_ns, abs=0.01)


# Periodic tasks. Each asks every period for its cost, due when it asks again.

UNIT = 1000
Tasks = list[tuple[int, int]]
"""Period and cost of each."""


def periodic(tasks: Tasks, until: int, *, by_rate: bool = False) -> Case:
    """Return what the tasks ask for in that many units, on one processor that preempts at once; `by_rate` ranks by the shorter period."""
    ranks = {period: rank for rank, period in enumerate(sorted({period for period, _ in tasks}))}
    tenants = [tenant(f"t{i}", ranks[period] if by_rate else 0) for i, (period, _) in enumerate(tasks)]
    shares = [share(f"t{i}", ("p0", 1, cost * UNIT)) for i, (_, cost) in enumerate(tasks)]
    requests = [request(f"t{i}", at * UNIT, (at + period) * UNIT) for i, (period, _) in enumerate(tasks) for at in range(0, until, period)]
    return case(board(processor("p0", 1, Preemption.INSTANT)), tenants, shares, requests, until * UNIT)


def misses(drawn: Case, policy: Policy) -> int:
    endings = simulate(drawn, policy, name="one").endings
    assert set(endings["outcome"].tolist()) == {DONE}
    return int((endings["finish_ns"] > endings["due_ns"]).sum())


def hyperperiod(tasks: Tasks) -> int:
    return math.lcm(*(period for period, _ in tasks))


def work(tasks: Tasks) -> int:
    """Return what the tasks ask for in a hyperperiod: as much as it has units, if they fill the processor."""
    return sum(cost * hyperperiod(tasks) // period for period, cost in tasks)


@st.composite
def full(draw: st.DrawFn) -> Tasks:
    """Draw tasks that fill the processor exactly: the last one takes what the others leave of the hyperperiod."""
    periods = draw(st.lists(st.sampled_from([2, 3, 4, 5, 6, 8, 10, 12]), min_size=1, max_size=4))
    whole = math.lcm(*periods)
    tasks: Tasks = []
    for period in periods:
        left = whole - sum(cost * whole // p for p, cost in tasks)
        most = min(period, (left - 1) * period // whole)
        if most >= 1:
            tasks.append((period, draw(st.integers(1, most))))
    return [*tasks, (whole, whole - sum(cost * whole // period for period, cost in tasks))]


def met_by_hand(tasks: Tasks) -> bool:
    """Serve unit by unit, always what is due first; say whether nothing is late in a hyperperiod."""
    left: list[list[int]] = []
    for now in range(hyperperiod(tasks)):
        left += [[now + period, cost] for period, cost in tasks if now % period == 0]
        if any(due <= now for due, _ in left):
            return False
        if left:
            first = min(left)
            first[1] -= 1
            left = [job for job in left if job[1] > 0]
    return all(due > hyperperiod(tasks) for due, _ in left)


@given(tasks=full())
def test_earliest_deadline_first_meets_every_deadline_of_a_full_processor(tasks: Tasks) -> None:
    """Liu and Layland (1973), theorem 7; and so says serving it unit by unit."""
    assert work(tasks) == hyperperiod(tasks)
    assert met_by_hand(tasks)
    assert misses(periodic(tasks, hyperperiod(tasks)), EDF) == 0


@given(tasks=full(), which=st.integers(0, 4))
def test_one_unit_more_than_a_full_processor_and_some_deadline_is_missed(tasks: Tasks, which: int) -> None:
    """All that is asked for in a hyperperiod is due at its end, and does not fit."""
    period, cost = tasks[which % len(tasks)]
    tasks[which % len(tasks)] = (period, cost + 1)
    assert not met_by_hand(tasks)
    assert misses(periodic(tasks, hyperperiod(tasks)), EDF) > 0


@given(tasks=full())
def test_ranks_by_rate_miss_nothing_where_periods_divide_one_another(tasks: Tasks) -> None:
    """Harmonic periods may fill the processor by fixed priorities, too (Kuo and Mok, 1991)."""
    chain = sorted({period for period, _ in tasks})
    assume(not any(long % short for short, long in pairwise(chain)))
    assert misses(periodic(tasks, hyperperiod(tasks), by_rate=True), RANK) == 0


def test_ranks_by_rate_miss_what_deadlines_do_not() -> None:
    """2 of 5 and 4 of 7 ask for 34/35: by rate the second has run 3 when the first asks again at 5, and is due at 7 with 1 to do."""
    tasks = [(5, 2), (7, 4)]
    assert misses(periodic(tasks, 35), EDF) == 0
    assert misses(periodic(tasks, 35, by_rate=True), RANK) > 0
    assert misses(periodic(tasks, 7, by_rate=True), RANK) == 1


# Charts. A row for each lane, a character for each unit: the request's letter, in capitals at odd segments; a dot where nothing runs.
# Requests are lettered in the order of their arrival, those of closed loops first.


@dataclass(frozen=True)
class Chart:
    """What was asked, and what was drawn."""

    case: Case
    policy: Policy
    rows: str
    speed: tuple[tuple[str, float], ...] = ()
    dropped: str = ""


Bar = tuple[str, int, int, int]
"""Who, on which lane, from when, until when."""


def drawn_bars(rows: str) -> list[Bar]:
    bars: list[Bar] = []
    for lane, row in enumerate(rows.split()):
        at = 0
        for letter, stretch in groupby(row.split(":")[1]):
            length = len(list(stretch))
            if letter != ".":
                bars.append((letter, lane, at, at + length))
            at += length
    return sorted(bars)


def served_bars(columns: Columns) -> list[Bar]:
    first = {position: stop.segment for position, stop in enumerate(columns.stops)}
    bars = []
    for who, position, lane, start_ns, stop_ns, _ in columns.spans.tolist():
        assert start_ns % UNIT == stop_ns % UNIT == 0
        letter = chr(ord("a") + who)
        bars.append((letter.upper() if first[position] % 2 else letter, lane, start_ns // UNIT, stop_ns // UNIT))
    return sorted(bars)


def us(*steps: tuple[str, int, int] | tuple[str, int, int, int]) -> tuple[tuple[str, int, int, int], ...]:
    """Return steps with their time in units, and what they move at so many bytes per ns."""
    return tuple((s[0], s[1], s[2] * UNIT, s[3] * s[2] * UNIT if len(s) > 3 else 0) for s in steps)


def ask(of: str, at: int, due: int | None = None, *, scale: float = 1.0, exit_stage: int | None = None) -> Request:
    return request(of, at * UNIT, None if due is None else due * UNIT, scale=scale, exit_stage=exit_stage)


X, Y, Z = tenant("x", 0), tenant("y", 1), tenant("z", 2)
INSTANT, CLASS, SEGMENT = Preemption.INSTANT, Preemption.CLASS, Preemption.SEGMENT

CHARTS = {
    "first come, first served": Chart(
        case(board(processor("p0")), [X, Y], [share("x", *us(("p0", 1, 3))), share("y", *us(("p0", 1, 2)))],
             [ask("y", 0), ask("x", 1), ask("y", 1), ask("x", 9)]),
        FIFO,
        "p0:aabbbcc..ddd",
    ),
    "by deadline, one preempted by another that is preempted itself": Chart(
        case(board(processor("p0", 1, INSTANT)), [X, Y, Z], [share(name, *us(("p0", 1, 3))) for name in "xyz"],
             [ask("x", 0, 30), ask("y", 1, 20), ask("z", 2, 10)]),
        EDF,
        "p0:abcccbbaa",
    ),
    "by deadline, between segments only": Chart(
        case(board(processor("p0", 1, SEGMENT)), [X, Y, Z], [share(name, *us(("p0", 1, 3), ("p0", 1, 1))) for name in "xyz"],
             [ask("x", 0, 30), ask("y", 1, 20), ask("z", 2, 10)]),
        EDF,
        "p0:aaacccCbbbBA",
    ),
    "rank 0 interrupts by class, on the lane where the rest goes on": Chart(
        case(board(processor("p0", 2, CLASS)), [X, Y], [share("x", *us(("p0", 1, 2))), share("y", *us(("p0", 1, 5)))],
             [ask("y", 0), ask("y", 1), ask("x", 2), ask("y", 3)]),
        RANK,
        "p0:aaccaaa p0:.bbbbbddddd",
    ),
    "two lanes": Chart(
        case(board(processor("p0", 2)), [X, Y], [share("x", *us(("p0", 1, 4))), share("y", *us(("p0", 1, 1)))],
             [ask("x", 0), ask("y", 0), ask("y", 0), ask("x", 1), ask("y", 3)]),
        FIFO,
        "p0:aaaae p0:bcdddd",
    ),
    "who needs two lanes keeps the free one from those behind": Chart(
        case(board(processor("p0", 2)), [X, Y], [share("x", *us(("p0", 2, 2))), share("y", *us(("p0", 1, 3)))],
             [ask("y", 0), ask("x", 1), ask("y", 2)]),
        FIFO,
        "p0:aaabbccc p0:...bb",
    ),
    "not while somebody runs who was there before it and has more to do there": Chart(
        case(board(processor("p0", 2)), [X, Y, Z],
             [share("x", *us(("p0", 1, 3), ("p0", 1, 3))), share("y", *us(("p0", 2, 2))), share("z", *us(("p0", 1, 2)))],
             [ask("x", 0), ask("y", 1), ask("z", 2), ask("z", 3)]),
        FIFO,
        "p0:aaaAAAbbdd p0:..cc..bb",
    ),
    "a chain over two processors": Chart(
        case(board(processor("p0"), processor("p1")), [X, Y],
             [share("x", *us(("p0", 1, 2), ("p1", 1, 3), ("p0", 1, 1))), share("y", *us(("p1", 1, 2), ("p0", 1, 2)))],
             [ask("x", 0), ask("y", 0), ask("x", 1)]),
        FIFO,
        "p0:aaBBcca..c p1:bbAAA.CCC",
    ),
    "two that each want all of the bandwidth": Chart(
        case(board(processor("p0", 2), memories=[memory("m0", 4.0)]), [X], [share("x", *us(("p0", 1, 4, 4)))],
             [ask("x", 0), ask("x", 0)]),
        FIFO,
        "p0:aaaaaaaa p0:bbbbbbbb",
        speed=(("a", 0.5), ("b", 0.5)),
    ),
    "one that wants all, and for a while another that wants half": Chart(
        # From 2 to 6 both have 2 of 4 bytes per ns: the first goes at 1/2, the second, who asks for no more, at full speed.
        case(board(processor("p0", 2), memories=[memory("m0", 4.0)]), [X, Y],
             [share("x", *us(("p0", 1, 6, 4))), share("y", *us(("p0", 1, 4, 2)))], [ask("x", 0), ask("y", 2)]),
        FIFO,
        "p0:aaaaaaaa p0:..bbbb",
        speed=(("a", 6 / 8), ("b", 1.0)),
    ),
    "two memories, each with one that wants all of it": Chart(
        case(board(processor("p0"), processor("p1", 1, SEGMENT, "m1"), memories=[memory("m0", 4.0, 0.5), memory("m1", 4.0, 0.5)]), [X, Y],
             [share("x", *us(("p0", 1, 4, 4))), share("y", *us(("p1", 1, 3, 4)))], [ask("x", 0), ask("y", 0)]),
        FIFO,
        "p0:aaaa p1:bbb",
        speed=(("a", 1.0), ("b", 1.0)),
    ),
    "neighbours in the caches": Chart(
        # Half as fast again each with one beside it: 1 / 1.5 of the speed; 2 units take 3.
        case(board(processor("p0", 2), memories=[memory("m0", None, 0.5)]), [X], [share("x", *us(("p0", 1, 2)))],
             [ask("x", 0), ask("x", 0), ask("x", 5)]),
        FIFO,
        "p0:aaa..cc p0:bbb",
        speed=(("a", 2 / 3), ("b", 2 / 3), ("c", 1.0)),
    ),
    "what a preemption, a change and a decision cost": Chart(
        # Each start costs 1 unit; going on costs 3; a lane that served another tenant 2. x: 1 + 2 + 4 = 7, of which 2 are done at 2.
        # y: 1 + 2 + 1 = 4, until 6. x goes on: 5 left + 1 + 3 + 2 = 11, until 17.
        case(board(processor("p0", 1, INSTANT, costs=(2 * UNIT, 3 * UNIT, UNIT))), [X, Y],
             [share("x", *us(("p0", 1, 4))), share("y", *us(("p0", 1, 1)))], [ask("x", 0, 90), ask("y", 2, 10)]),
        EDF,
        "p0:aabbbbaaaaaaaaaaa",
    ),
    "one leaves after its second segment, one has twice the work": Chart(
        case(board(processor("p0")), [X], [share("x", *us(("p0", 1, 1), ("p0", 1, 2), ("p0", 1, 3)))],
             [ask("x", 0, exit_stage=1), ask("x", 1, scale=2.0)]),
        FIFO,
        "p0:aAAbbBBBBbbbbbb",
    ),
    "two of a closed loop, beside an open tenant": Chart(
        # Until the horizon, at 5: who ended at 2 and 4 asks again, as c, after the other, and as e; d is x's, who came at 3.
        case(board(processor("p0")), [X, tenant("y", 1, closed=2)], [share("x", *us(("p0", 1, 1))), share("y", *us(("p0", 1, 2)))],
             [ask("x", 3)], 5 * UNIT),
        RANK,
        "p0:aabbdccee",
    ),
    "who would be late is dropped": Chart(
        # The second can wait until 1, for it takes 3 and is due at 4; the third until 7.
        case(board(processor("p0")), [tenant("x", 0, drops=True)], [share("x", *us(("p0", 1, 3)))],
             [ask("x", 0, 9), ask("x", 0, 4), ask("x", 0, 10)]),
        FIFO,
        "p0:aaaccc",
        dropped="b",
    ),
    "rank first, then deadline; what is late goes behind within its rank": Chart(
        # At 4 b could not be in time any more (due at 5, takes 2), so d goes first; c is of a lower rank.
        case(board(processor("p0")), [X, Y], [share("x", *us(("p0", 1, 2))), share("y", *us(("p0", 1, 4)))],
             [ask("y", 0, 40), ask("x", 1, 5), ask("y", 2, 20), ask("x", 3, 30)]),
        RANK_EDF,
        "p0:aaaaddbbcccc",
    ),
}  # fmt: skip

MODES = ["plain", pytest.param("compiled", marks=needs_numba)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CHARTS)
def test_what_is_served_is_what_was_drawn(name: str, mode: str) -> None:
    chart = CHARTS[name]
    loop: Loop | None = compiler().loop(chart.policy) if mode == "compiled" else None
    columns = simulate(chart.case, chart.policy, name="chart", loop=loop)
    assert served_bars(columns) == drawn_bars(chart.rows)
    speeds = {chr(ord("a") + row["request"]): float(row["share"]) for row in columns.spans}
    for who, speed in chart.speed:
        assert speeds[who] == pytest.approx(speed)
    dropped = [chr(ord("a") + who) for who, row in enumerate(columns.endings) if row["outcome"] != DONE]
    assert "".join(dropped) == chart.dropped
