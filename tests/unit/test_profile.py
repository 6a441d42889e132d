"""Profiling a crew: what is measured, what is remembered, what is left out and why."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from cotenant.backend import Divider, Engine, Session, engines
from cotenant.describe import Array, Closed, Crew, Judged, Memory, Platform, Precision, Processor, Source, Tenant, Workload, cache_folder
from cotenant.errors import BackendError, InputError
from cotenant.graph import zoo
from cotenant.profile import Profile, profile
from cotenant.profile.profile import STORE
from cotenant.profile.timing import Effort
from tests.small_networks import classifier, images, sine

PLATFORM = Platform(
    name="p",
    processors=(Processor(name="cpu", kind="core", lanes=2, memory="dram"),),
    memories=(Memory(name="dram", capacity_bytes=2**30),),
    fingerprint="here",
)
QUICK = Effort(warm_ns=0, runs=3, enough_ns=0, limit_ns=0, tries=1)
Allowed = tuple[Precision, ...] | None
FP32, BF16, INT8 = Precision.FP32, Precision.BF16, Precision.INT8


@dataclass
class Gauge:
    """Count the sessions that are open at once."""

    now: int = 0
    most: int = 0

    def change(self, by: int) -> None:
        self.now += by
        self.most = max(self.most, self.now)


@dataclass
class Counting:
    """Run ONNX Runtime, but count what is loaded, blur precisions by a share of noise, and fail where told."""

    name: str = "onnxruntime"
    version: str = "1"
    shares_sessions: bool = True
    runs_wide: bool = False
    blur: dict[Precision, float] = field(default_factory=dict)
    fails: dict[Precision, str] = field(default_factory=dict)
    stops_after: int = 10**9
    loads: list[Precision] = field(default_factory=list)
    gauge: Gauge = field(default_factory=Gauge)

    divider: Divider | None = None

    def precisions(self) -> tuple[Precision, ...]:
        return (FP32, BF16, INT8)

    def load_chain(self, paths: Sequence[Path], precision: Precision) -> tuple[Session, ...]:
        return tuple(self.load(path, precision) for path in paths)

    def load(self, path: Path, precision: Precision, *, threads: int = 1) -> Session:
        if len(self.loads) == self.stops_after:
            raise KeyboardInterrupt
        self.loads.append(precision)
        if precision in self.fails:
            raise BackendError(self.name, self.fails[precision])
        session = engines.get("onnxruntime").load(path, FP32, threads=1)
        self.gauge.change(1)
        return Blurred(session, self.blur.get(precision, 0.0), self.gauge)


@dataclass
class Blurred:
    """Add noise of a known share to each answer, in turn of one sign and the other."""

    session: Session
    share: float
    gauge: Gauge
    sign: float = 1.0

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        self.sign = -self.sign
        return {name: np.multiply(y, 1 + self.sign * self.share, dtype=np.float32) for name, y in self.session.run(inputs).items()}

    def close(self) -> None:
        self.session.close()
        self.gauge.change(-1)


@dataclass
class Steps:
    """Count what is reported."""

    total: int = 0
    done: list[str] = field(default_factory=list)

    def start(self, total: int) -> None:
        self.total = total

    def advance(self, what: str) -> None:
        self.done.append(what)


def source(folder: Path, count: int | None = 12) -> Source:
    path = folder / "classifier.onnx"
    if not path.exists():
        classifier(path)
    if count is None:
        return Source(model=str(path))
    np.savez(folder / "inputs.npz", x=images(count))
    return Source(model=str(path), samples=str(folder / "inputs.npz"))


def crew(*tenants: Tenant) -> Crew:
    return Crew(workload=Workload(tenants=tenants))


def tenant(folder: Path, name: str = "t", *, count: int | None = 12, floor: float = 0.5, allow: Allowed = None) -> Tenant:
    return Tenant(name=name, source=source(folder, count), arrival=Closed(), fidelity_floor=floor, allow=allow)


def run(folder: Path, crew: Crew, engine: Engine | None = None, precisions: Allowed = None) -> Profile:
    used: Sequence[Engine] = (Counting() if engine is None else engine,)
    return profile(crew, PLATFORM, used, folder / "cache", precisions=precisions, effort=QUICK)


def timed(found: Profile) -> set[Precision]:
    return {timing.precision for timing in found.table.timings}


def test_every_variant_is_judged_and_timed(tmp_path: Path) -> None:
    found = run(tmp_path, crew(tenant(tmp_path)))
    card = found.cards[0]
    assert timed(found) == {FP32, BF16, INT8}
    assert [(v.precision, v.judged) for v in card.variants] == [(FP32, Judged.EXACT), (BF16, Judged.SAMPLES), (INT8, Judged.SAMPLES)]
    assert [v.fidelity for v in card.variants[:2]] == [1.0, 1.0]
    assert card.file(FP32) == card.file(BF16) == str(tmp_path / "classifier.onnx")
    assert Path(card.file(INT8)).is_file()
    assert found.notes == ()


def test_an_engine_that_runs_wide_is_timed_at_every_width(tmp_path: Path) -> None:
    found = run(tmp_path, crew(tenant(tmp_path)), Counting(runs_wide=True), (FP32,))
    assert found.table.widths(model=found.cards[0].model.digest, precision=FP32, engine="onnxruntime", kind="core") == (1, 2)


def test_resident_bytes_hold_at_least_the_weights(tmp_path: Path) -> None:
    found = run(tmp_path, crew(tenant(tmp_path)), precisions=(FP32,))
    assert found.table.timings[0].resident_bytes >= found.cards[0].model.weight_bytes > 0


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    first = run(tmp_path, crew(tenant(tmp_path)))
    again = Counting()
    assert run(tmp_path, crew(tenant(tmp_path)), again) == first
    assert again.loads == []


@pytest.mark.parametrize("changed", ["version", "samples", "model", "machine"])
def test_a_change_of_what_was_measured_measures_again(tmp_path: Path, changed: str) -> None:
    run(tmp_path, crew(tenant(tmp_path)))
    again = Counting(version="2" if changed == "version" else "1")
    if changed == "model":
        classifier(tmp_path / "classifier.onnx", seed=5)
    platform = Platform(name="p", processors=PLATFORM.processors, memories=PLATFORM.memories, fingerprint="there")
    where = platform if changed == "machine" else PLATFORM
    profile(crew(tenant(tmp_path, count=13 if changed == "samples" else 12)), where, (again,), tmp_path / "cache", effort=QUICK)
    assert again.loads


def test_interrupted_it_resumes_where_it_stopped(tmp_path: Path) -> None:
    straight = Counting()
    run(tmp_path / "straight", crew(tenant(tmp_path)), straight)
    for stop in range(1, len(straight.loads)):
        folder = tmp_path / str(stop)
        stopped, resumed = Counting(stops_after=stop), Counting()
        with pytest.raises(KeyboardInterrupt):
            run(folder, crew(tenant(tmp_path)), stopped)
        run(folder, crew(tenant(tmp_path)), resumed)
        # what is asked again is the one under way, and fp32, with which the others are compared
        assert len(resumed.loads) <= len(straight.loads) - stop + 1


def test_two_tenants_of_one_model_are_measured_once(tmp_path: Path) -> None:
    one, two = Counting(), Counting()
    run(tmp_path / "one", crew(tenant(tmp_path)), one)
    found = run(tmp_path / "two", crew(tenant(tmp_path), tenant(tmp_path, "u")), two)
    assert len(two.loads) == len(one.loads)
    assert [card.tenant for card in found.cards] == ["t", "u"]
    assert found.cards[0].variants == found.cards[1].variants


def test_a_variant_below_the_floor_is_judged_but_not_timed_and_the_notes_say_so(tmp_path: Path) -> None:
    found = run(tmp_path, crew(tenant(tmp_path, floor=0.9)), Counting(blur={BF16: 0.5}), (FP32, BF16))
    assert timed(found) == {FP32}
    blurred = found.cards[0].variants[1]
    assert blurred.precision is BF16
    assert blurred.fidelity is not None
    assert blurred.fidelity < 0.9
    assert found.notes == (f"t: onnxruntime bf16 is left out: fidelity {blurred.fidelity:.3f} is below its floor of 0.9",)


def test_what_several_tenants_are_not_offered_is_noted_once(tmp_path: Path) -> None:
    tenants = [tenant(tmp_path, f"t{index}", floor=0.9) for index in range(6)]
    (note,) = run(tmp_path, crew(*tenants), Counting(blur={BF16: 0.5}), (FP32, BF16)).notes
    assert note.startswith("t0, t1, t2, t3 and 2 more: onnxruntime bf16 is left out: ")


def test_a_variant_is_timed_if_any_tenant_may_have_it(tmp_path: Path) -> None:
    strict, lenient = tenant(tmp_path, "strict", floor=0.99), tenant(tmp_path, "lenient", floor=0.0)
    assert BF16 in timed(run(tmp_path, crew(strict, lenient), Counting(blur={BF16: 0.5})))


def test_without_samples_a_model_of_ones_own_is_offered_in_fp32_alone(tmp_path: Path) -> None:
    engine = Counting()
    found = run(tmp_path, crew(tenant(tmp_path, count=None)), engine)
    assert timed(found) == {FP32}
    assert set(engine.loads) == {FP32}
    assert [(v.precision, v.fidelity, v.judged) for v in found.cards[0].variants] == [(FP32, 1.0, Judged.EXACT)]
    assert "give two or more, or allow: [int8]" in found.notes[1]


def test_without_samples_what_is_allowed_is_offered_of_unknown_fidelity(tmp_path: Path) -> None:
    found = run(tmp_path, crew(tenant(tmp_path, count=None, allow=(FP32, INT8))))
    assert timed(found) == {FP32, INT8}
    assert found.cards[0].variants[-1].fidelity is None
    assert found.cards[0].variants[-1].judged is Judged.UNKNOWN


def test_the_fp32_file_is_known_even_where_fp32_is_not_allowed(tmp_path: Path) -> None:
    found = run(tmp_path, crew(tenant(tmp_path, allow=(INT8,))))
    assert timed(found) == {INT8}
    assert found.cards[0].file(FP32) == str(tmp_path / "classifier.onnx")


def test_with_one_sample_fidelity_is_unknown(tmp_path: Path) -> None:
    assert timed(run(tmp_path, crew(tenant(tmp_path, count=1)))) == {FP32}


def test_with_two_samples_none_is_left_to_calibrate(tmp_path: Path) -> None:
    found = run(tmp_path, crew(tenant(tmp_path, count=2)))
    assert timed(found) == {FP32, BF16}
    assert any("no sample is left to calibrate with" in note for note in found.notes)


def test_an_engine_whose_fp32_differs_is_left_out(tmp_path: Path) -> None:
    wrong = Counting(name="wrong", blur={FP32: 0.5})
    found = profile(crew(tenant(tmp_path, count=None, floor=0.9)), PLATFORM, (wrong, Counting()), tmp_path / "cache", effort=QUICK)
    assert {timing.engine for timing in found.table.timings} == {"onnxruntime"}
    assert any(note.startswith("t: wrong fp32 is left out: fidelity 0.000") for note in found.notes)


def test_a_network_of_the_zoo_is_judged_on_generated_inputs_and_says_so(tmp_path: Path) -> None:
    made = zoo.make("squeezenet", cache_folder())
    (tmp_path / "cache" / "zoo").mkdir(parents=True)
    shutil.copy(made, tmp_path / "cache" / "zoo" / made.name)
    own = crew(Tenant(name="t", source=Source(model="zoo:squeezenet"), arrival=Closed(), fidelity_floor=0.5))
    found = run(tmp_path, own, precisions=(FP32, BF16))
    assert [v.judged for v in found.cards[0].variants] == [Judged.EXACT, Judged.GENERATED]
    again = Counting()
    assert run(tmp_path, own, again, (FP32, BF16)) == found
    assert again.loads == []


def test_labels_give_an_accuracy(tmp_path: Path) -> None:
    own = source(tmp_path)
    session = engines.get("onnxruntime").load(Path(own.model), FP32)
    guesses = np.array([int(session.run({"x": x[None]})["y"].argmax()) for x in images(12)])
    np.save(tmp_path / "labels.npy", guesses)
    labelled = Source(model=own.model, samples=own.samples, labels=str(tmp_path / "labels.npy"))
    found = run(tmp_path, crew(Tenant(name="t", source=labelled, arrival=Closed())), precisions=(FP32,))
    assert found.cards[0].variants[0].accuracy == 1.0


def test_a_precision_that_was_not_asked_for_is_neither_judged_nor_timed(tmp_path: Path) -> None:
    engine = Counting()
    assert timed(run(tmp_path, crew(tenant(tmp_path)), engine, (FP32,))) == {FP32}
    assert set(engine.loads) == {FP32}


def test_a_variant_that_an_engine_cannot_load_is_left_out_with_its_story(tmp_path: Path) -> None:
    found = run(tmp_path, crew(tenant(tmp_path)), Counting(fails={BF16: "no such kernel"}))
    assert timed(found) == {FP32, INT8}
    assert found.notes == ("t: onnxruntime bf16 is left out: no such kernel",)


def test_a_model_that_no_engine_runs_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tenants\[0\]\.model: .*classifier\.onnx; a model that an engine here can run; .*no such kernel"):
        run(tmp_path, crew(tenant(tmp_path)), Counting(fails={FP32: "no such kernel"}))


def test_a_model_that_only_another_engine_runs_is_compared_with_that(tmp_path: Path) -> None:
    other = Counting(name="other")
    broken = Counting(fails=dict.fromkeys((FP32, BF16, INT8), "no such kernel"))
    found = profile(crew(tenant(tmp_path)), PLATFORM, (broken, other), tmp_path / "cache", effort=QUICK)
    assert {timing.engine for timing in found.table.timings} == {"other"}


def test_a_model_that_cannot_be_quantised_is_offered_without_int8(tmp_path: Path) -> None:
    path = sine(tmp_path / "sine.onnx")
    np.savez(tmp_path / "x.npz", x=np.linspace(0, 3, 48, dtype=np.float32).reshape(12, 4))
    own = Tenant(name="t", source=Source(model=str(path), samples=str(tmp_path / "x.npz")), arrival=Closed())
    found = run(tmp_path, crew(own))
    assert timed(found) == {FP32, BF16}
    assert found.notes == ("t: onnxruntime int8 is left out: nothing in it that can be quantised",)
    assert run(tmp_path, crew(own)) == found


def test_a_damaged_store_is_measured_again_and_said(tmp_path: Path) -> None:
    run(tmp_path, crew(tenant(tmp_path)))
    (tmp_path / "cache" / STORE).write_bytes(b"garbage" * 100)
    again = Counting()
    found = run(tmp_path, crew(tenant(tmp_path)), again)
    assert again.loads
    assert "damaged" in found.notes[0]
    assert (tmp_path / "cache" / f"{STORE}.damaged-1").exists()


def test_two_that_profile_at_once_measure_one_at_a_time_and_share_what_they_find(tmp_path: Path) -> None:
    alone = Counting()
    run(tmp_path / "alone", crew(tenant(tmp_path)), alone)
    gauge = Gauge()
    both = (Counting(gauge=gauge), Counting(gauge=gauge))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda engine: run(tmp_path / "both", crew(tenant(tmp_path)), engine), both))
    assert gauge.most == 1
    assert found[0] == found[1]
    exact_again = 1  # fp32 is run once more by the one who did not judge it first
    assert sum(len(engine.loads) for engine in both) <= len(alone.loads) + exact_again


def test_every_step_announced_is_reported_measured_or_not(tmp_path: Path) -> None:
    for _ in range(2):
        steps = Steps()
        profile(crew(tenant(tmp_path), tenant(tmp_path, "u", count=None)), PLATFORM, (Counting(),), tmp_path / "cache", steps, effort=QUICK)
        assert len(steps.done) == steps.total > 0
