"""Networks in segments on the live device: lanes are left between them, and answers are the same."""

from __future__ import annotations

import math
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cotenant.backend import Engine, engines
from cotenant.backend.fake import Fake, Gate
from cotenant.describe import (
    IN_SEGMENTS,
    Answer,
    Artifact,
    Card,
    Crew,
    External,
    Memory,
    Objective,
    Option,
    Outcome,
    Plan,
    Platform,
    Precision,
    Preemption,
    Processor,
    Segmented,
    Share,
    Source,
    Step,
    Tenant,
    Workload,
)
from cotenant.dispatch import Decision, Dispatcher
from cotenant.graph.read import read_model
from cotenant.graph.split import Whole
from cotenant.live import LiveDevice
from tests.small_networks import classifier, images

FP32 = Precision.FP32


def option(name: str, engine: str, segments: int) -> Option:
    place = IN_SEGMENTS if segments > 1 else ""
    artifact = Artifact(model=name, precision=FP32, engine=engine, memory="dram", resident_bytes=1, place=place)
    chain = tuple(Step(segment=index, processor="cpu", width=1, duration_ns=1_000_000) for index in range(segments))
    return Option(tenant=name, artifact=artifact, chain=chain, demand=(), latency_ns=segments * 1_000_000)


def device_of(engine: Engine, *cards: Card) -> LiveDevice:
    """Serve tenants of rank 0, 1, ... on one lane that is left between segments alone."""
    processor = Processor(name="cpu", kind="k", lanes=1, memory="dram", preemption=Preemption.SEGMENT)
    tenants = tuple(
        Tenant(name=card.tenant, source=Source(model=f"{card.tenant}.onnx"), arrival=External(), rank=rank)
        for rank, card in enumerate(cards)
    )
    counts = [len(card.segments[0].files) if card.segments else 1 for card in cards]
    shares = tuple(
        Share(option=option(card.tenant, engine.name, count), rate_per_s=10.0) for card, count in zip(cards, counts, strict=True)
    )
    return LiveDevice(
        crew=Crew(workload=Workload(tenants=tenants)),
        platform=Platform(name="here", processors=(processor,), memories=(Memory(name="dram", capacity_bytes=1 << 30),)),
        cards=cards,
        plan=Plan(shares=shares, promises=(), prices=(), objective=Objective.PROPORTIONAL, value=0.0, bound=0.0),
        engines=[engine],
        keeps_trace=True,
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return classifier(tmp_path_factory.mktemp("networks") / "net.onnx")


@pytest.fixture(scope="module")
def files(whole: Path) -> tuple[str, ...]:
    """Cut a small network at every legal place."""
    divider = engines.get("onnxruntime").divider
    assert divider is not None
    flat = whole.with_name("flat.onnx")
    divider.flatten(whole, FP32, flat)
    network = Whole.read(flat)
    tensors = divider.tensors(network.open().SerializeToString())
    found = []
    for index, segment in enumerate(network.segments([cut.position for cut in network.cuts(tensors)], tensors)):
        file = whole.with_name(f"{index}.onnx")
        file.write_bytes(segment.SerializeToString())
        found.append(str(file))
    return tuple(found)


def card(name: str, whole: Path, engine: str, files: tuple[str, ...] = ()) -> Card:
    parts = tuple(1 / len(files) for _ in files)
    segments = (Segmented(precision=FP32, engine=engine, files=files, parts=parts),) if files else ()
    return Card(tenant=name, model=read_model(whole, name), files=((FP32, str(whole)),), variants=(), segments=segments)


def test_segments_answer_as_the_whole_does(whole: Path, files: tuple[str, ...]) -> None:
    requests = [{"x": image[None]} for image in images(4)]
    session = engines.get("onnxruntime").load(whole, FP32)
    with device_of(engines.get("onnxruntime"), card("cut", whole, "onnxruntime", files), card("uncut", whole, "onnxruntime")) as device:
        futures = [(device.submit("cut", x), device.submit("uncut", x)) for x in requests]
        for x, (cut, uncut) in zip(requests, futures, strict=True):
            expected = session.run(x)["y"]
            np.testing.assert_array_equal(cut.result(10).outputs["y"], expected)
            np.testing.assert_array_equal(uncut.result(10).outputs["y"], expected)
        device.drain(10)
        spans = device.trace(1).spans
    own = [(span.request, span.segment) for span in spans if span.tenant == "cut"]
    assert len(files) > 1
    assert sorted(own) == [(2 * index, segment) for index in range(len(requests)) for segment in range(len(files))]
    assert {span.segment for span in spans if span.tenant == "uncut"} == {0}


def test_who_goes_first_need_not_wait_for_a_whole_network(whole: Path) -> None:
    gate = Gate()
    fake = Fake(spend=gate.spend)
    gate.release(3)  # one warm-up of the first, two of the second's segments
    with device_of(fake, card("first", whole, "fake"), card("second", whole, "fake", ("second-0.onnx", "second-1.onnx"))) as device:
        warm = len(fake.runs)
        x = {"x": images(1)}
        futures: list[Future[Answer]] = [device.submit("second", x)]
        assert gate.arrived(warm + 1)
        futures.append(device.submit("first", x))
        gate.release(math.inf)
        assert [future.result(10).outcome for future in futures] == [Outcome.DONE, Outcome.DONE]
        assert [run.stem for run in fake.runs[warm:]] == ["second-0", "net", "second-1"]


def test_a_segment_that_fails_ends_its_request_with_the_cause(whole: Path) -> None:
    fake = Fake(fails={"a-1": [1]})
    with device_of(fake, card("a", whole, "fake", ("a-0.onnx", "a-1.onnx", "a-2.onnx"))) as device:
        failed, done = (device.submit("a", {"x": images(1)}).result(10) for _ in range(2))
    assert (failed.outcome, done.outcome) == (Outcome.FAILED, Outcome.DONE)
    assert "run 1 fails as told" in failed.reason


def test_segments_follow_one_another_without_a_decision_while_nobody_else_waits(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans and answers are as if each had been decided."""
    decided: list[int] = []
    decide = Dispatcher.decide

    def counted(dispatcher: Dispatcher, now_ns: int) -> list[Decision]:
        decided.append(now_ns)
        return decide(dispatcher, now_ns)

    monkeypatch.setattr(Dispatcher, "decide", counted)
    names = tuple(f"a-{index}.onnx" for index in range(6))
    with device_of(Fake(), card("a", whole, "fake", names)) as device:
        assert device.submit("a", {"x": images(1)}).result(10).outcome is Outcome.DONE
        device.drain(10)
        trace = device.trace(1)
    assert len(decided) == 2  # at the arrival, and at the end
    assert [span.segment for span in trace.spans] == [*range(6)]
    assert all(one.stop_ns == other.start_ns for one, other in pairwise(trace.spans))
    assert trace.endings[0].finish_ns == trace.spans[-1].stop_ns


def test_who_arrives_while_they_do_is_not_overlooked(whole: Path) -> None:
    """Whatever the segment at hand."""
    names = tuple(f"second-{index}.onnx" for index in range(4))
    for begun in range(1, 4):
        gate = Gate()
        fake = Fake(spend=gate.spend)
        gate.release(5)  # one warm-up of the first, four of the second's segments
        with device_of(fake, card("first", whole, "fake"), card("second", whole, "fake", names)) as device:
            warm = len(fake.runs)
            gate.release(begun - 1)
            futures = [device.submit("second", {"x": images(1)})]
            assert gate.arrived(warm + begun)
            futures.append(device.submit("first", {"x": images(1)}))
            gate.release(math.inf)
            assert [future.result(10).outcome for future in futures] == [Outcome.DONE, Outcome.DONE]
            runs = [run.stem for run in fake.runs[warm:]]
            assert runs.index("net") == begun
            device.drain(10)
            own = [span.segment for span in device.trace(1).spans if span.tenant == "second"]
            assert own == [*range(4)]
