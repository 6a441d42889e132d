"""A comparison: what it measures, and what it makes of that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cotenant.cli.served import show_comparison
from cotenant.cost import Table, Timing
from cotenant.describe import (
    Card,
    Closed,
    Crew,
    External,
    Judged,
    Memory,
    Outcome,
    Periodic,
    Platform,
    Poisson,
    Precision,
    Processor,
    Source,
    Tenant,
    Tensor,
    Variant,
    Workload,
)
from cotenant.errors import BackendError, InputError
from cotenant.graph import read_model
from cotenant.profile import Profile, samples_of
from cotenant.study.children import SilentError
from cotenant.study.compare import FIRST_ALONE, QUICK, Settings, compare, period_of, report_of
from cotenant.study.meter import Reading
from cotenant.study.planned import Errand, first_alone, load
from cotenant.study.prepare import platform_of, profiled
from cotenant.study.prepared import Prepared, planned
from cotenant.study.reference import Names, references_of
from cotenant.study.report import PLANNED, Report, report_json
from cotenant.study.rounds import Measured
from cotenant.study.seat import Manner, Seat
from cotenant.study.serving import read_samples
from cotenant.study.solo import at_solo, key_of
from cotenant.study.way import Period, Serve, Way, of_round
from cotenant.study.ways import SAMPLES, Bench, baselines, merged, write_samples
from cotenant.trace import Ending, Trace, Usage, tallies
from cotenant.units import NS_PER_MS, NS_PER_S
from tests.small_networks import classifier

FP32, BF16 = Precision.FP32, Precision.BF16
PLATFORM = Platform(
    name="p",
    processors=(Processor(name="cpu", kind="core", lanes=2, memory="ram"),),
    memories=(Memory(name="ram", capacity_bytes=2**30),),
)
WAYS = ("naive-threads", "naive-processes", "openvino-default", "tuned", "tuned-os")
ROUNDS = 5
FIDELITY = 0.97


@dataclass(frozen=True)
class Pace:
    """A way that answers `done` requests of each tenant a period, each `latency_ns` after it arrives."""

    done: int
    latency_ns: int


def prepared(folder: Path, precision: Precision = BF16) -> Prepared:
    """Make a crew of a periodic tenant and a flat-out one, served fastest by OpenVINO in this precision."""
    model = read_model(classifier(folder / "m.onnx"), "m")
    source = Source(model=str(folder / "m.onnx"))
    tenants = (
        Tenant(name="eye", source=source, arrival=Periodic(every_ns=50 * NS_PER_MS), rank=0, deadline_ns=50 * NS_PER_MS),
        Tenant(name="tag", source=source, arrival=Closed(), rank=1),
    )
    variants = (
        Variant(model=model.digest, precision=FP32, engine="onnxruntime", fidelity=1.0, judged=Judged.EXACT),
        Variant(model=model.digest, precision=precision, engine="openvino", fidelity=FIDELITY, judged=Judged.SAMPLES),
    )
    files = ((FP32, str(folder / "m.onnx")), (BF16, str(folder / "m.onnx")))
    cards = tuple(Card(tenant=t.name, model=model, files=files, variants=variants) for t in tenants)
    table = Table(timings=(_timing(model.digest, "onnxruntime", FP32, 4), _timing(model.digest, "openvino", precision, 2)))
    return planned(Crew(workload=Workload(tenants=tenants, seed=5)), PLATFORM, Profile(cards=cards, table=table))


def _timing(model: str, engine: str, precision: Precision, wall_ms: int) -> Timing:
    return Timing(
        model=model, precision=precision, engine=engine, engine_version="1", kind="core", width=1, wall_ns=wall_ms * NS_PER_MS,
        cpu_ns=wall_ms * NS_PER_MS, spread=0.0, runs=3, resident_bytes=1000,
    )  # fmt: skip


def trace(crew: Prepared, pace: Pace) -> Trace:
    endings = [
        Ending(
            request=0, tenant=t.name, arrival_ns=i, due_ns=None, finish_ns=i + pace.latency_ns, outcome=Outcome.DONE,
            option=crew.plan.shares_of(t.name)[0].option.name,
        )
        for t in crew.tenants
        for i in range(pace.done)
    ]  # fmt: skip
    return Trace(spans=(), endings=tuple(endings), stop_ns=NS_PER_S, platform="p", policy="")


def report(crew: Prepared, paces: Mapping[str, Pace], alone: int = 10, others: float = 0.0, usage: Usage | None = None) -> Report:
    """Report on ways at their paces, every round alike."""
    ways = [Way(name=name, serve=lambda _: trace(crew, Pace(0, 0)), fidelity=lambda *_: FIDELITY) for name in paces]
    measured = [
        Measured(way=name, round=index, trace=replace(trace(crew, pace), usage=usage), others=others)
        for name, pace in paces.items()
        for index in range(ROUNDS)
    ]
    alone_ways = {t.name: f"alone {t.name}" for t in crew.tenants}
    measured += [
        Measured(way=name, round=index, trace=trace(crew, Pace(alone, 1)), others=0.0)
        for name in alone_ways.values()
        for index in range(ROUNDS)
    ]  # fmt: skip
    return report_of(crew, ways, measured, Names(alone=alone_ways), ROUNDS)


def test_twice_the_rate_at_half_the_latency_is_told_as_such(tmp_path: Path) -> None:
    found = dict(report(prepared(tmp_path), {PLANNED: Pace(20, 500), "tuned": Pace(10, 1000)}).ratios)["tuned"]
    assert (found.stp_ort, found.critical_p99, found.critical) == (2.0, 0.5, "eye")
    # Every round is alike: nothing is uncertain.
    assert (found.stp_ort_ci95, found.critical_p99_ci95) == ((2.0, 2.0), (0.5, 0.5))


def test_a_way_like_the_plan_has_ratios_of_one(tmp_path: Path) -> None:
    found = dict(report(prepared(tmp_path), {PLANNED: Pace(10, 700), "tuned": Pace(10, 700)}).ratios)["tuned"]
    assert (found.stp_ort, found.stp_ort_ci95, found.critical_p99, found.critical_p99_ci95) == (1.0, (1.0, 1.0), 1.0, (1.0, 1.0))


def test_rates_are_set_over_the_rates_alone(tmp_path: Path) -> None:
    found = report(prepared(tmp_path), {PLANNED: Pace(20, 500)}, alone=8)
    # Two tenants, each at 20/s against 8/s alone.
    assert dict(found.ways)[PLANNED].stp_ort == 2 * 20 / 8
    assert found.references.whole.rates == {"eye": 8.0, "tag": 8.0}


def test_the_fair_sum_never_exceeds_the_bound(tmp_path: Path) -> None:
    found = report(prepared(tmp_path), {PLANNED: Pace(20, 500)}).references.whole
    assert 0 < found.fair_stp <= found.bound_stp * (1 + 1e-9)


def test_rounds_kept_although_disturbed_are_marked(tmp_path: Path) -> None:
    found = report(prepared(tmp_path), {PLANNED: Pace(1, 1), "tuned": Pace(1, 1)}, others=0.5)
    assert dict(found.ways)["tuned"].disturbed == (0, 1, 2, 3, 4)


def test_a_way_that_answers_nobody_has_no_ratio_but_does_not_end_the_comparison(tmp_path: Path) -> None:
    found = dict(report(prepared(tmp_path), {PLANNED: Pace(1, 1), "tuned": Pace(0, 1)}).ratios)["tuned"]
    assert (found.stp_ort, found.stp_ort_ci95, found.critical_p99, found.critical_p99_ci95) == (None,) * 4


def test_a_model_that_alone_answers_nothing_ends_the_comparison(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="eye alone answered nothing"):
        report(prepared(tmp_path), {PLANNED: Pace(1, 1)}, alone=0)


def test_the_json_has_the_keys_that_are_promised(tmp_path: Path) -> None:
    told = report_json(report(prepared(tmp_path), {PLANNED: Pace(1, 1), "tuned": Pace(1, 1)}))
    assert {"rounds", "bound_stp", "fair_stp", "ways", "ratios"} <= told.keys()
    assert {"platform", "seconds", "stp", "least_p", "tenants", "stp_ort"} <= told["ways"]["tuned"].keys()
    assert {"stp_ort", "stp_ort_ci95", "critical_p99", "critical_p99_ci95"} <= told["ratios"]["tuned"].keys()
    assert told["ways"]["tuned"]["seconds"] == ROUNDS
    assert set(told["ratios"]) == {"tuned"}
    json.dumps(told, allow_nan=False)


def test_the_best_rank_alone_is_a_way_that_the_plan_is_set_over(tmp_path: Path) -> None:
    found = dict(report(prepared(tmp_path), {PLANNED: Pace(20, 500), FIRST_ALONE: Pace(20, 400)}).ratios)[FIRST_ALONE]
    assert (found.critical_p99, found.critical) == (500 / 400, "eye")


@pytest.mark.parametrize("first", [0, 1])
def test_the_best_rank_alone_is_asked_as_it_is_beside_the_others(first: int) -> None:
    tenants = [
        Tenant(name=name, source=Source(model="zoo:x"), arrival=Poisson(rate_per_s=50.0), rank=0 if index == first else 3)
        for index, name in enumerate("ab")
    ]
    workload, best = Workload(tenants=tuple(tenants), seed=7), tenants[first].name
    beside = [r.arrival_ns for r in workload.requests(NS_PER_S) if r.tenant == best]
    alone = first_alone(workload).requests(NS_PER_S)
    assert ([r.arrival_ns for r in alone], {r.tenant for r in alone}) == (beside, {best})
    assert len(beside) > 1


def test_all_of_the_best_rank_are_asked_when_it_is_alone() -> None:
    tenants = [Tenant(name=str(rank), source=Source(model="zoo:x"), arrival=Closed(), rank=rank) for rank in (2, 1)]
    more = Tenant(name="more", source=Source(model="zoo:x"), arrival=Closed(), rank=1)
    asked = first_alone(Workload(tenants=(*tenants, more))).tenants
    assert [tenant.arrival for tenant in asked] == [External(), Closed(), Closed()]


def test_options_take_alone_what_was_measured_and_what_is_not_known_stays(tmp_path: Path) -> None:
    crew = prepared(tmp_path)
    (model, engine, precision) = key = key_of(crew.options[0])
    scaled = at_solo(crew.options, crew.profile.table, crew.platform, {key: 7 * NS_PER_MS})
    for before, after in zip(crew.options, scaled, strict=True):
        if key_of(before) == (model, engine, precision):
            assert after.latency_ns == 7 * NS_PER_MS
            assert after.demand_of("cpu") == pytest.approx(0.007)
            assert sum(step.duration_ns for step in after.chain) == after.latency_ns
        else:
            assert after == before
    assert {key_of(o) for o in scaled} == {key_of(o) for o in crew.options}


def test_a_wide_option_takes_as_much_less_than_a_narrow_one_as_it_was_timed_to(tmp_path: Path) -> None:
    crew = prepared(tmp_path)
    narrow = crew.options[0]
    wide = replace(
        narrow, chain=(replace(narrow.chain[0], width=2),), demand=(("cpu", 2 * narrow.latency_ns / NS_PER_S),)
    )  # fmt: skip
    timed = next(t for t in crew.profile.table.timings if (t.model, t.engine) == key_of(narrow)[:2])
    table = Table(timings=(*crew.profile.table.timings, replace(timed, width=2, wall_ns=timed.wall_ns * 3 // 4)))
    (found,) = at_solo((wide,), table, crew.platform, {key_of(wide): 8 * NS_PER_MS})
    assert found.latency_ns == pytest.approx(6 * NS_PER_MS)


def test_bounds_follow_what_models_take_alone_in_the_same_run(tmp_path: Path) -> None:
    crew = prepared(tmp_path)
    names = Names(alone={t.name: f"alone {t.name}" for t in crew.tenants}, solo={key_of(o): str(key_of(o)) for o in crew.options})
    slow, fast = (references_of(crew, alone_at(crew, names, solo_ns), names, 1).whole for solo_ns in (8 * NS_PER_MS, 4 * NS_PER_MS))
    assert dict(dict(slow.solo_ns)["tag"]) == {"openvino bf16": 8 * NS_PER_MS}
    # A periodic tenant asks for the same; the closed one gets what is left.
    eye = 20 / slow.rates["eye"]
    assert slow.fair_stp - eye == pytest.approx((2 - 20 * 0.008) / 0.008 / slow.rates["tag"])
    assert fast.fair_stp - eye == pytest.approx((2 - 20 * 0.004) / 0.004 / fast.rates["tag"])


def test_a_round_in_which_somebody_answered_nothing_alone_is_judged_by_the_medians(tmp_path: Path) -> None:
    crew = prepared(tmp_path)
    names = Names(alone={t.name: f"alone {t.name}" for t in crew.tenants})
    measured = [
        Measured(way=way, round=index, trace=trace(crew, Pace(0 if index == 1 else 10, 1)), others=0.0)
        for way in names.alone.values() for index in range(3)
    ]  # fmt: skip
    found = references_of(crew, measured, names, 3)
    assert [one.rates for one in found.rounds] == [found.whole.rates] * 3


def alone_at(crew: Prepared, names: Names, solo_ns: int) -> list[Measured]:
    """Measure one round: ten answers of each tenant alone, and of each variant on one core, in so long."""
    ways = [*((way, 1) for way in names.alone.values()), *((way, solo_ns) for way in names.solo.values())]
    return [Measured(way=way, round=0, trace=trace(crew, Pace(10, latency_ns)), others=0.0) for way, latency_ns in ways]


def test_the_json_has_every_round_of_every_way_beside_its_references(tmp_path: Path) -> None:
    told = report_json(report(prepared(tmp_path), {PLANNED: Pace(20, 500), "tuned": Pace(1, 1)}, alone=8, others=0.25))
    assert (told["lanes"], len(told["references"])) == (2, ROUNDS)
    for way in told["ways"].values():
        assert [one["round"] for one in way["rounds"]] == list(range(ROUNDS))
        assert {one["others"] for one in way["rounds"]} == {0.25}
    assert [one["stp_ort"] for one in told["ways"][PLANNED]["rounds"]] == [2 * 20 / 8] * ROUNDS
    assert told["ways"][PLANNED]["rounds"][0]["tenants"]["eye"]["asked"] == 20


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (None, "dispatching: not measured"),
        (Usage(cpu_ns=NS_PER_S, segments=4, dispatch_ns=NS_PER_S // 50, dispatch_mean_ns=14_000.0, dispatch_median_ns=12_000),
         "dispatching: 12 us of CPU per segment beside the engine, 1.00% of the cores"),
    ],
)  # fmt: skip
def test_the_tables_tell_what_was_used_and_what_dispatching_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], usage: Usage | None, told: str
) -> None:
    crew = prepared(tmp_path)
    show_comparison(report(crew, {PLANNED: Pace(20, 500), "tuned": Pace(1, 1)}, usage=usage), crew.tenants)
    lines = capsys.readouterr().out.splitlines()
    assert told in lines
    # One of two cores, all the time.
    assert usage is None or " 50% " in next(line for line in lines if PLANNED in line)


def test_every_way_is_asked_the_same_in_a_round(tmp_path: Path) -> None:
    crew = prepared(tmp_path)
    ways = [Way(name=name, serve=lambda _: trace(crew, Pace(0, 0)), fidelity=lambda *_: None) for name in ("one", "other")]
    first, second = (period_of(crew.crew.workload, way, 2, QUICK) for way in ways)
    assert first == second
    assert first.workload == of_round(crew.crew.workload, 2)


def test_ways_seat_tenants_as_their_names_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = prepared(tmp_path)
    seated: list[list[tuple[tuple[Seat, ...], bool]]] = []

    def note(groups: list[tuple[tuple[Seat, ...], bool]], period: Period) -> Trace:
        seated.append(list(groups))
        return trace(crew, Pace(0, 0))

    monkeypatch.setattr("cotenant.study.ways.serve_groups", note)
    bench = Bench(prepared=crew, samples=write_samples(crew, tmp_path))
    period = Period(workload=crew.crew.workload, stop_ns=NS_PER_S, grace_ns=0)
    assert tuple(way.name for way in baselines(bench)) == WAYS
    for way in baselines(bench):
        way.serve(period)
    threads, processes, _, tuned, tuned_os = seated
    assert [len(seats) for seats, _ in threads] == [2]
    assert [len(seats) for seats, _ in processes] == [1, 1]
    assert [(s.engine, s.precision, s.manner) for seats, _ in tuned for s in seats] == [("openvino", BF16, Manner.ONE_THREAD)] * 2
    assert [idle for _, idle in tuned] == [False, False]
    assert [idle for _, idle in tuned_os] == [False, True]
    assert {s.precision for group in (threads, processes) for seats, _ in group for s in seats} == {FP32}


def test_children_are_labelled_with_the_tenants_that_they_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crew, told = prepared(tmp_path), list[Sequence[str]]()

    def note(module: str, orders: Sequence[bytes], limit_s: float, labels: Sequence[str]) -> tuple[Trace, ...]:
        told.append(labels)
        return (trace(crew, Pace(0, 0)),)

    monkeypatch.setattr("cotenant.study.children.serve", note)
    threads, processes, *_ = baselines(Bench(prepared=crew, samples=write_samples(crew, tmp_path)))
    for way in (threads, processes):
        way.serve(Period(workload=crew.crew.workload, stop_ns=NS_PER_S, grace_ns=0))
    assert told == [["eye, tag"], ["eye", "tag"]]


def test_open_tenants_get_their_arrivals_and_closed_ones_their_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = prepared(tmp_path)
    seats: dict[str, Seat] = {}

    def note(groups: list[tuple[tuple[Seat, ...], bool]], period: Period) -> Trace:
        seats.update({seat.tenant: seat for group, _ in groups for seat in group})
        return trace(crew, Pace(0, 0))

    monkeypatch.setattr("cotenant.study.ways.serve_groups", note)
    period = Period(workload=crew.crew.workload, stop_ns=NS_PER_S, grace_ns=0)
    baselines(Bench(prepared=crew, samples=write_samples(crew, tmp_path)))[0].serve(period)
    assert seats["eye"].arrivals_ns == tuple(r.arrival_ns for r in crew.crew.workload.requests(NS_PER_S))
    assert (seats["eye"].clients, seats["tag"].clients, seats["tag"].arrivals_ns) == (1, PLATFORM.lanes, None)


@pytest.mark.parametrize("shape", [(1, 3), (1,)])
@pytest.mark.parametrize("given", [True, False])
def test_strings_survive_the_file_of_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], given: bool) -> None:
    crew = prepared(tmp_path)
    words = np.array(["a", "été", "", "a longer one", "b", "c"]).reshape(-1, *shape[1:])
    np.savez(tmp_path / "words.npz", x=words)
    model = replace(crew.card("eye").model, inputs=(Tensor(name="x", dtype="object", shape=shape),))
    monkeypatch.setattr(Prepared, "card", lambda *_: replace(crew.profile.cards[0], model=model))
    source = replace(crew.tenants[0].source, samples=str(tmp_path / "words.npz") if given else None)
    eye = replace(crew.tenants[0], source=source)
    crew = replace(crew, crew=replace(crew.crew, workload=replace(crew.crew.workload, tenants=(eye,))))
    expected = samples_of(eye, model, SAMPLES).inputs["x"].astype(str)
    seat = Seat(
        tenant="eye", manner=Manner.ONE_THREAD, engine="fake", precision=FP32, file="m.onnx", samples=write_samples(crew, tmp_path)["eye"],
        shapes=(("x", shape),), clients=1,
    )  # fmt: skip
    found = [inputs["x"] for inputs in read_samples(seat)]
    assert {(array.dtype, array.shape) for array in found} == {(np.dtype(object), shape)}
    assert [array.ravel().tolist() for array in found] == expected.reshape(len(expected), -1).tolist()


def test_only_this_machine_can_be_compared_on(tmp_path: Path) -> None:
    crew = prepared(tmp_path).crew
    with pytest.raises(InputError, match="platform: elsewhere"):
        platform_of(replace(crew, platform="elsewhere"))


def test_a_plan_tells_what_it_was_made_for(tmp_path: Path) -> None:
    crew = prepared(tmp_path)
    assert len(crew.plan.crew) == len(crew.plan.platform) == 64
    assert crew.plan.crew != crew.plan.platform
    assert crew.plan.policy == crew.crew.policy


def test_traces_are_merged_in_order_of_arrival_and_none_cannot_be() -> None:
    late, soon = (
        Trace(
            spans=(), endings=(Ending(request=0, tenant=name, arrival_ns=at_ns, due_ns=None, finish_ns=None, outcome=None),), stop_ns=9,
            platform="", policy="", asked=((name, 1),),
        )
        for name, at_ns in (("late", 5), ("soon", 1))
    )  # fmt: skip
    both = merged([late, soon])
    assert [(e.request, e.tenant) for e in both.endings] == [(0, "soon"), (1, "late")]
    assert both.asked == (("late", 1), ("soon", 1))
    with pytest.raises(ValueError, match="no trace"):
        merged([])


def test_what_children_used_adds_up_and_is_unknown_if_one_does_not_say() -> None:
    silent = Trace(spans=(), endings=(), stop_ns=9, platform="", policy="")
    some = [replace(silent, usage=Usage(cpu_ns=cpu_ns)) for cpu_ns in (3, 4)]
    assert merged(some).usage == Usage(cpu_ns=7)
    assert merged([*some, silent]).usage is None


def test_every_way_serves_a_real_model_and_loses_nothing(tmp_path: Path) -> None:
    crew = prepared(tmp_path, FP32)  # which every machine computes
    told: list[Measured] = []
    brief = Settings(rounds=1, period_s=0.2, alone_s=0.1)
    idle = Reading(at_s=0.0, busy_s=0.0, own_s=0.0, cores=2)
    found = compare(crew, _planned(crew), brief, told.append, lambda: idle, first=_planned(crew))
    # Both tenants have one model: each of its variants is served on one core once.
    solos = {"one core eye onnxruntime fp32", "one core eye openvino fp32"} & {m.way for m in told}
    assert {m.way for m in told} == {*WAYS, FIRST_ALONE, PLANNED, "alone eye", "alone tag", *solos}
    assert len(solos) == len({solo for _, own in found.references.whole.solo_ns for solo, _ in own}) > 0
    for name, way in found.ways:
        rows = dict(way.summary.tenants)
        assert all(row.lost == row.failed == 0 and row.done > 0 for row in rows.values()), name
    tuned = dict(dict(found.ways)["tuned"].summary.tenants)["tag"]
    assert (tuned.option, tuned.fidelity) == ("openvino fp32 one-thread", FIDELITY)
    naive = dict(dict(found.ways)["naive-threads"].summary.tenants)["eye"]
    # 0.2 s of one request every 50 ms.
    assert (naive.option, naive.fidelity, naive.asked) == ("onnxruntime fp32 as it comes", 1.0, 4)


@pytest.mark.parametrize("first", [False, True])
def test_the_planned_way_says_what_it_used_and_what_dispatching_took(tmp_path: Path, first: bool) -> None:
    classifier(tmp_path / "m.onnx")
    crew = tmp_path / "crew.yaml"
    crew.write_text(
        "tenants:\n"
        "  - {name: tag, model: m.onnx, arrival: flat-out, rank: 1, allow: [fp32]}\n"
        "  - {name: eye, model: m.onnx, arrival: {every: 10ms}, deadline: 1s, allow: [fp32]}\n"
    )
    plan = profiled(crew).planned().plan
    errand = Errand(
        crew=str(crew), digest=plan.crew, precisions=None, allow_overload=False, slowdowns=(), seed=0, stop_ns=100 * NS_PER_MS,
        grace_ns=10 * NS_PER_S, first=first,
    )  # fmt: skip
    with ThreadPoolExecutor(max_workers=1) as pool:
        served = pool.submit(lambda: load(msgspec.json.encode(errand))(0)).result()
    tag, eye = tallies(served, ("tag", "eye"))
    assert (tag.asked > 0, eye.asked, tag.lost + eye.lost) == (not first, 10, 0)
    assert served.usage is not None
    assert served.usage.dispatch_median_ns is not None
    # Networks so small are whole: a segment for each request. What ends after the window is not reckoned with.
    assert 0 < served.usage.segments <= tag.done + eye.done
    assert 0 < served.usage.dispatch_ns <= served.usage.cpu_ns


def test_a_comparison_notes_what_fell_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crew, notes, silences = prepared(tmp_path), list[str](), [SilentError("child", "silent")]

    def serve(_: Period) -> Trace:
        if silences:
            raise silences.pop()
        return trace(crew, Pace(1, 1))

    steady = Way(name="steady", serve=_planned(crew), fidelity=lambda *_: None)
    monkeypatch.setattr("cotenant.study.compare.baselines", lambda _: ())
    monkeypatch.setattr("cotenant.study.compare.alone", lambda *_: steady)
    monkeypatch.setattr("cotenant.study.compare.solo_ways", lambda *_: {})
    seconds = iter(range(100))
    meter = lambda: Reading(at_s=float(next(seconds)), busy_s=0.0, own_s=0.0, cores=2)  # noqa: E731
    compare(crew, serve, Settings(rounds=1), meter=meter, noted=notes.append)
    assert notes == [f"round 1, {PLANNED}: silent; measured again"]


def _planned(crew: Prepared) -> Serve:
    return lambda _: trace(crew, Pace(1, 1))
