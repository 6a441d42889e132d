"""A rehearsal corrects costs by what lanes were really held for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from cotenant.cost.opening import alone
from cotenant.describe import Arrival, Closed, Outcome, Periodic, Poisson, Promise
from cotenant.errors import BackendError
from cotenant.study.at_work import slowdowns
from cotenant.study.kept import DAY_S, TRIES, recall
from cotenant.study.prepare import profiled, rehearsed
from cotenant.study.prepared import Prepared, planned
from cotenant.study.rehearsal import as_promised, rehearse
from cotenant.trace import Ending, Span, Trace
from cotenant.units import NS_PER_MS
from tests.unit.test_compare import PLATFORM, prepared

Held = tuple[str, float, float]
"""A tenant, and from when to when (ms) it held the lane."""


@pytest.fixture
def crew(tmp_path: Path) -> Prepared:
    return prepared(tmp_path)


def trace(crew: Prepared, *requests: tuple[Held, ...]) -> Trace:
    """Return what one lane did, request by request, each held in one piece or more."""
    spans = [
        Span(
            request=index, tenant=tenant, segment=0, processor="cpu", lanes=(0,), start_ns=round(start * NS_PER_MS),
            stop_ns=round(stop * NS_PER_MS), cpu_ns=0, outcome=Outcome.DONE,
        )
        for index, pieces in enumerate(requests)
        for tenant, start, stop in pieces
    ]  # fmt: skip
    endings = [
        Ending(
            request=index, tenant=pieces[0][0], arrival_ns=0, due_ns=None, finish_ns=1, outcome=Outcome.DONE,
            option=crew.plan.shares_of(pieces[0][0])[0].option.name,
        )
        for index, pieces in enumerate(requests)
    ]  # fmt: skip
    return Trace(spans=tuple(spans), endings=tuple(endings), stop_ns=10**9, platform="p", policy="")


def slowdown(crew: Prepared, happened: Trace) -> float:
    (factor,) = slowdowns(happened, crew).values()  # both tenants have one model
    return factor


def alone_ms(crew: Prepared) -> float:
    return crew.plan.shares_of("eye")[0].option.latency_ns / NS_PER_MS


def test_what_a_lane_is_held_for_and_the_gap_after_it_count(crew: Prepared) -> None:
    happened = trace(crew, (("eye", 0.0, 3.0),), (("tag", 3.1, 6.1),), (("tag", 6.2, 9.2),))
    assert slowdown(crew, happened) == pytest.approx(3.1 / alone_ms(crew))


def test_idleness_is_not_taken_for_work(crew: Prepared) -> None:
    happened = trace(crew, (("eye", 0.0, 3.0),), (("eye", 50.0, 53.0),), (("eye", 100.0, 103.0),))
    assert slowdown(crew, happened) == pytest.approx(3.0 / alone_ms(crew))


def test_the_time_for_which_a_request_is_suspended_is_not_its_own(crew: Prepared) -> None:
    happened = trace(crew, (("tag", 0.0, 2.0), ("tag", 5.0, 6.0)), (("eye", 2.0, 5.0),))
    assert slowdown(crew, happened) == pytest.approx(3.0 / alone_ms(crew))


def test_what_others_took_of_a_lane_is_not_its_own(crew: Prepared) -> None:
    happened = trace(crew, (("eye", 0.0, 9.0),), (("tag", 20.0, 23.1),), (("tag", 30.0, 33.1),), (("tag", 40.0, 43.1),))
    happened = replace(happened, spans=tuple(replace(span, cpu_ns=3 * NS_PER_MS) for span in happened.spans))
    assert slowdown(crew, happened) == pytest.approx(3.1 / alone_ms(crew))


def test_what_others_took_of_a_lane_is_no_handing_over_either(crew: Prepared) -> None:
    """Of few requests, all disturbed, the CPU time alone counts."""
    happened = trace(crew, (("eye", 0.0, 900.0),), (("tag", 1000.0, 1800.0),))
    happened = replace(happened, spans=tuple(replace(span, cpu_ns=3 * NS_PER_MS) for span in happened.spans))
    assert slowdown(crew, happened) == pytest.approx(3.0 / alone_ms(crew))


def test_who_was_not_served_counts_as_undisturbed_where_nobody_was(crew: Prepared) -> None:
    assert slowdown(crew, trace(crew)) == 1.0


def test_costs_already_corrected_are_not_corrected_twice(crew: Prepared) -> None:
    happened = trace(crew, (("eye", 0.0, 3.0),))
    digest = crew.card("eye").model.digest
    corrected = replace(crew.profile, slowdowns=((digest, 1.5),))
    again = planned(crew.crew, PLATFORM, corrected)
    assert alone_ms(again) == pytest.approx(1.5 * alone_ms(crew))
    assert slowdown(again, happened) == pytest.approx(slowdown(crew, happened))


CREW = "tenants:\n  - {name: digits, model: m.onnx, rank: 0, arrival: flat-out, allow: [fp32]}\n"


def test_a_plan_is_rehearsed_once_and_reckons_with_what_that_found(tmp_path: Path, crew: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COTENANT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("cotenant.study.rehearsal.others_share", lambda *_: 0.0)
    (tmp_path / "crew.yaml").write_text(CREW)
    told: list[str] = []
    found = profiled(tmp_path / "crew.yaml")
    first = rehearsed(found, told=told.append)
    assert told
    kept = recall(tmp_path / "cache", first.plan, first.platform)
    assert kept is not None
    assert dict(first.plan.slowdowns) == kept.slowdowns
    told.clear()
    assert rehearsed(found, told=told.append).plan.shares == first.plan.shares
    assert not told
    alone_ns = {timing.key: timing.wall_ns for timing in first.profile.table.timings}
    for share in first.plan.shares:
        artifact, (step,) = share.option.artifact, share.option.chain
        key = (artifact.model, artifact.precision, artifact.engine, first.platform.processor(step.processor).kind, step.width)
        assert step.duration_ns == pytest.approx(kept.slowdowns[artifact.model] * alone_ns[key], abs=1)


@pytest.fixture
def performed(crew: Prepared, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """List what comes of the next rehearsals, the last first: for how long (ms) a lane is held, and how much others disturb."""
    coming: list[tuple[float, float]] = [(3.0, 0.0)]
    happened = lambda _: trace(crew, (("eye", 0.0, coming[-1][0]),))  # noqa: E731
    monkeypatch.setattr("cotenant.study.rehearsal._performed", happened)
    monkeypatch.setattr("cotenant.study.rehearsal.others_share", lambda *_: coming.pop()[1])
    return coming


def test_a_rehearsal_is_another_on_other_lanes(crew: Prepared, performed: list[tuple[float, float]], tmp_path: Path) -> None:
    found = rehearse(crew, tmp_path)
    assert not performed
    assert rehearse(crew, tmp_path) == found
    (processor,) = PLATFORM.processors
    wider = replace(PLATFORM, processors=(replace(processor, lanes=processor.lanes + 1, cores=()),))
    assert recall(tmp_path, crew.plan, wider) is None
    roomier = replace(PLATFORM, memories=tuple(replace(m, capacity_bytes=m.capacity_bytes + 4096) for m in PLATFORM.memories))
    assert recall(tmp_path, crew.plan, roomier) is not None


@pytest.mark.parametrize("damage", [b"{", b"[]", b"\xff", b'{"slowdowns": {"m": -1.0}, "others": 0.0, "at_s": 0.0}', b'{"slowdowns": {}}'])
def test_a_damaged_rehearsal_is_none(crew: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes) -> None:
    monkeypatch.setattr("cotenant.cost.store.Store.fact", lambda *_: damage)
    assert recall(tmp_path, crew.plan, crew.platform) is None


def test_a_disturbed_rehearsal_is_tried_again_at_later_starts_and_the_calmest_counts(
    crew: Prepared, performed: list[tuple[float, float]], tmp_path: Path
) -> None:
    performed[:] = [(4.0, 0.9), (5.0, 0.4), (6.0, 0.5)]
    assert TRIES == 3
    kept = []
    for _ in range(TRIES + 1):
        rehearse(crew, tmp_path)
        known = recall(tmp_path, crew.plan, crew.platform)
        assert known is not None
        kept.append((known.others, known.tries, known.settled(known.at_s)))
    assert kept == [(0.5, 1, False), (0.4, 2, False), (0.4, 3, True), (0.4, 3, True)]
    settled = recall(tmp_path, crew.plan, crew.platform)
    assert settled is not None
    assert not settled.settled(settled.at_s + DAY_S)


def test_where_all_failed_nothing_is_learned(crew: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = trace(crew, (("eye", 0.0, 3.0),))
    failed = replace(failed, endings=tuple(replace(ending, outcome=Outcome.FAILED) for ending in failed.endings))
    monkeypatch.setattr("cotenant.study.rehearsal._performed", lambda _: failed)
    rehearse(crew, tmp_path)
    assert recall(tmp_path, crew.plan, crew.platform) is None


def test_a_device_that_breaks_ends_the_rehearsal(crew: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cotenant.live.device.LiveDevice.broken", "no order")
    with pytest.raises(BackendError, match="no order"):
        rehearse(crew, tmp_path)
    assert recall(tmp_path, crew.plan, crew.platform) is None


@pytest.mark.parametrize(
    ("arrival", "promised_per_s", "served"),
    [
        (Periodic(every_ns=100 * NS_PER_MS), 10.0, Periodic(every_ns=100 * NS_PER_MS)),
        (Poisson(rate_per_s=1e6), 50.0, Periodic(every_ns=20 * NS_PER_MS)),
        (Periodic(every_ns=1000), 0.0, Closed(outstanding=1)),
        (Closed(), 5.0, Closed()),
    ],
)
def test_what_comes_beyond_the_promises_is_not_rehearsed(crew: Prepared, arrival: Arrival, promised_per_s: float, served: Arrival) -> None:
    workload = replace(crew.crew.workload, tenants=(replace(crew.tenants[0], arrival=arrival),))
    plan = replace(crew.plan, promises=(Promise(tenant="eye", rate_per_s=promised_per_s, solo_rate_per_s=100.0),))
    assert as_promised(workload, plan).tenants[0].arrival == served


def test_whoever_waits_for_a_rehearsal_takes_what_it_found(crew: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    performed: list[Prepared] = []
    both = threading.Barrier(2)

    def asked(path: Path) -> AbstractContextManager[None]:
        both.wait(10)
        return alone(path)

    def perform(prepared: Prepared) -> Trace:
        performed.append(prepared)
        return trace(crew, (("eye", 0.0, 3.0),))

    monkeypatch.setattr("cotenant.study.rehearsal.alone", asked)
    monkeypatch.setattr("cotenant.study.rehearsal._performed", perform)
    monkeypatch.setattr("cotenant.study.rehearsal.others_share", lambda *_: 0.0)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(rehearse, crew, tmp_path), pool.submit(rehearse, crew, tmp_path)
        assert first.result(10) == second.result(10)
    assert len(performed) == 1
