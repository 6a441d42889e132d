"""Turns of the ways, and what becomes of a disturbed period."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Closed, External, Periodic, Source, Tenant, Workload
from cotenant.study.children import SilentError
from cotenant.study.meter import Reading, busy_ticks, others_share
from cotenant.study.rounds import OTHERS_MAX, Measured, Turns, rotated
from cotenant.study.way import Period, Way, driven, of_round
from cotenant.trace import Trace
from cotenant.units import NS_PER_S

QUIET, NOISY, NOISIER = 0.01, 0.2, 0.5
CORES = 2
WORKLOAD = Workload(tenants=(Tenant(name="a", source=Source(model="zoo:x"), arrival=Closed()),))


class Machine:
    """A machine on which serving a period takes a second, of which others take what the script says."""

    def __init__(self, others: Sequence[float], silences: int = 0) -> None:
        self.script = list(others)
        self.silences = silences
        self.served: list[str] = []
        self.notes: list[str] = []
        self.at_s = self.busy_s = self.own_s = 0.0

    def read(self) -> Reading:
        return Reading(at_s=self.at_s, busy_s=self.busy_s, own_s=self.own_s, cores=CORES)

    def way(self, name: str) -> Way:
        def serve(period: Period) -> Trace:
            self.served.append(name)
            if self.silences:
                self.silences -= 1
                raise SilentError("child", "silent")
            others = self.script.pop(0) if self.script else QUIET
            self.at_s += 1.0
            self.own_s += 0.5
            self.busy_s += 0.5 + others * CORES
            return Trace(spans=(), endings=(), stop_ns=period.stop_ns, platform=str(len(self.served)), policy="")

        return Way(name=name, serve=serve, fidelity=lambda *_: None)


def measured(names: str, rounds: int, others: Sequence[float] = (), silences: int = 0) -> tuple[Machine, tuple[Measured, ...]]:
    machine = Machine(others, silences)
    period = Period(workload=WORKLOAD, stop_ns=NS_PER_S, grace_ns=0)
    ways = tuple(machine.way(name) for name in names)
    turns = Turns(ways=ways, rounds=rounds, period=lambda *_: period, meter=machine.read, noted=machine.notes.append)
    return machine, turns.measure()


def test_every_way_takes_every_place_once_in_as_many_rounds_as_ways() -> None:
    ways = [Machine(()).way(name) for name in "abcd"]
    orders = [[way.name for way in rotated(ways, index)] for index in range(4)]
    assert all(sorted(place) == list("abcd") for place in zip(*orders, strict=True))
    assert all(sorted(order) == list("abcd") for order in orders)


def test_ways_take_turns_within_each_round() -> None:
    machine, _ = measured("abc", 3)
    assert "".join(machine.served) == "abcbcacab"


def test_a_disturbed_period_is_measured_again_at_once() -> None:
    machine, found = measured("ab", 2, [NOISY])
    assert "".join(machine.served) == "aabba"
    assert [(m.way, m.round, m.tries) for m in found] == [("a", 0, 2), ("b", 0, 1), ("b", 1, 1), ("a", 1, 1)]
    assert not any(m.disturbed for m in found)


def test_repeats_end_with_as_many_as_rounds_were_asked_for_and_the_rest_is_marked() -> None:
    machine, found = measured("a", 3, [NOISY] * 100)
    assert len(machine.served) == 3 + 3
    assert [m.disturbed for m in found] == [True] * 3


def test_of_disturbed_tries_the_quietest_is_kept() -> None:
    _, (found,) = measured("a", 1, [NOISY, NOISIER])
    assert (found.tries, found.trace.platform, round(found.others, 6)) == (2, "1", NOISY)


def test_a_share_of_exactly_the_limit_is_no_disturbance() -> None:
    trace = Trace(spans=(), endings=(), stop_ns=1, platform="", policy="")
    assert not Measured(way="a", round=0, trace=trace, others=OTHERS_MAX).disturbed


@given(
    others=st.lists(st.sampled_from([QUIET, NOISY, NOISIER]), max_size=30), rounds=st.integers(1, 4), ways=st.integers(1, 3)
)  # fmt: skip
def test_every_way_has_every_round_once_whatever_others_do(others: list[float], rounds: int, ways: int) -> None:
    machine, found = measured("abc"[:ways], rounds, others)
    assert sorted((m.way, m.round) for m in found) == [(way, index) for way in "abc"[:ways] for index in range(rounds)]
    assert all(machine.served.count(way) <= 2 * rounds for way in "abc"[:ways])
    assert sum(m.tries for m in found) == len(machine.served)


def test_others_are_what_was_busy_less_our_own() -> None:
    before = Reading(at_s=10.0, busy_s=100.0, own_s=7.0, cores=4)
    after = Reading(at_s=20.0, busy_s=130.0, own_s=27.0, cores=4)
    assert others_share(before, after) == (30.0 - 20.0) / (10.0 * 4)


def test_ticks_count_steal_but_neither_idle_nor_guest_nor_other_cores() -> None:
    #            user nice system idle iowait irq softirq steal guest guest_nice
    stat = "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 1 2 4 800 900 8 16 32 6400 1000\ncpu1 1 1 1 1 1 1 1 1 1 1\nintr 5\n"
    assert busy_ticks(stat, frozenset({0})) == 1 + 2 + 4 + 8 + 16 + 32
    assert busy_ticks(stat, frozenset({0, 1})) == 63 + 6


def test_an_external_tenant_is_asked_as_it_was_planned_for() -> None:
    def asked(rate_per_s: float | None) -> object:
        tenant = Tenant(name="a", source=Source(model="zoo:x"), arrival=External(rate_per_s=rate_per_s))
        return driven(Workload(tenants=(tenant,))).tenants[0].arrival

    assert asked(None) == Closed()
    assert asked(20.0) == Periodic(every_ns=50_000_000)


def test_a_rounds_arrivals_are_its_own_and_the_same_for_all() -> None:
    assert of_round(WORKLOAD, 0) == WORKLOAD
    assert of_round(WORKLOAD, 3).seed == WORKLOAD.seed + 3


def test_a_silent_period_is_measured_again_and_counted() -> None:
    machine, found = measured("ab", 2, silences=2)
    assert machine.served == ["a", "a", "a", "b", "b", "a"]
    assert [(m.way, m.tries) for m in found] == [("a", 3), ("b", 1), ("b", 1), ("a", 1)]


def test_of_every_silence_there_is_a_note_and_of_none_else() -> None:
    machine, _ = measured("ab", 2, [NOISY], silences=1)
    assert machine.served == ["a", "a", "a", "b", "b", "a"]
    assert machine.notes == ["round 1, a: silent; measured again"]


def test_a_way_that_stays_silent_ends_the_comparison() -> None:
    with pytest.raises(SilentError):
        measured("ab", 2, silences=3)
