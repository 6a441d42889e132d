"""Networks cut into segments: once, only where it pays, and with the same answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cotenant.backend import engines
from cotenant.backend.fake import Fake
from cotenant.cost.opening import open_store
from cotenant.describe import Array, Closed, Memory, Platform, Precision, Preemption, Processor, Segmented, Source, Tenant
from cotenant.graph.read import read_model
from cotenant.profile import segments
from cotenant.profile.bench import Bench
from cotenant.profile.profile import STORE
from cotenant.profile.segments import FILE, competes, in_segments
from tests.small_networks import save

ORT = engines.get("onnxruntime")
FP32 = Precision.FP32
LONG_NS = 10**9


def board(preemption: Preemption = Preemption.CLASS) -> Platform:
    processor = Processor(name="cpu", kind="k", lanes=1, memory="dram", preemption=preemption)
    return Platform(name="here", processors=(processor,), memories=(Memory(name="dram", capacity_bytes=1 << 30),), fingerprint="f")


def tenant(name: str = "a", deadline_ns: int | None = None) -> Tenant:
    return Tenant(name=name, source=Source(model=f"{name}.onnx"), arrival=Closed(), deadline_ns=deadline_ns)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Offer twelve convolutions, one reading the one before, and segments of less than a millisecond."""
    monkeypatch.setattr(segments, "LENGTHS_NS", (300_000.0, 600_000.0))
    monkeypatch.setattr(segments, "CHEAP", 100.0)
    monkeypatch.setattr(segments, "DEAR", 100.0)
    weights = [
        numpy_helper.from_array(0.1 * np.random.default_rng(at).standard_normal((16, 16, 3, 3), dtype=np.float32), f"w{at}")
        for at in range(12)
    ]
    names = ["x", *(f"t{at}" for at in range(11)), "y"]
    nodes = [helper.make_node("Conv", [names[at], f"w{at}"], [names[at + 1]], kernel_shape=[3, 3], pads=[1, 1, 1, 1]) for at in range(12)]
    file = save(tmp_path / "a.onnx", nodes, weights, (1, 16, 32, 32), (1, 16, 32, 32))
    with open_store(tmp_path / STORE, lambda _: None) as store:
        yield Bench(
            tenant=tenant(), where="tenants[0].model", model=read_model(file, "a"), file=file, store=store, platform=board(),
            folder=tmp_path,
        )  # fmt: skip


def cut(bench: Bench, wall_ns: int = LONG_NS) -> Segmented | None:
    return in_segments(bench, FP32, ORT, wall_ns)


def test_segments_are_made_once_and_answer_as_the_whole_does(bench: Bench) -> None:
    found = cut(bench)
    assert found is not None
    assert len(found.files) == len(found.parts) > 1
    assert all(part > 0 for part in found.parts)
    request = bench.samples.request(0)
    values: Mapping[str, Array] = request
    for segment in ORT.load_chain([Path(file) for file in found.files], FP32):
        values = segment.run(values)
    np.testing.assert_array_equal(values["y"], ORT.load(bench.file, FP32).run(request)["y"])
    changed = [path.stat().st_mtime_ns for path in sorted((bench.folder / "segments").rglob("*"))]
    assert cut(bench) == found
    assert [path.stat().st_mtime_ns for path in sorted((bench.folder / "segments").rglob("*"))] == changed


def test_a_file_that_is_gone_is_made_again(bench: Bench) -> None:
    found = cut(bench)
    assert found is not None
    Path(found.files[1]).unlink()
    again = cut(bench)
    assert again is not None
    assert Path(again.files[1]).is_file()


@pytest.mark.parametrize("content", ["", "{", "[1, null]", "7"])
def test_a_damaged_note_is_written_again(bench: Bench, content: str) -> None:
    assert cut(bench) is not None
    (note,) = (bench.folder / "segments").rglob(FILE)
    note.write_text(content)
    assert cut(bench) is not None
    assert isinstance(json.loads(note.read_text()), list)


def test_what_costs_too_much_stays_whole_and_is_not_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "CHEAP", 0.0)
    monkeypatch.setattr(segments, "DEAR", 0.0)
    assert cut(bench) is None
    (note,) = (bench.folder / "segments").rglob(FILE)
    assert json.loads(note.read_text()) == []
    before = note.stat().st_mtime_ns
    assert cut(bench) is None
    assert note.stat().st_mtime_ns == before


def test_short_networks_and_engines_that_run_them_whole_are_left_alone(bench: Bench) -> None:
    assert cut(bench, wall_ns=1000) is None
    assert in_segments(bench, FP32, Fake(), LONG_NS) is None
    assert not (bench.folder / "segments").exists()


def test_a_network_that_cannot_be_cut_stays_whole(bench: Bench) -> None:
    """A sequence is no tensor that could be handed over, and it is there from the first operator to the last."""
    nodes = [
        helper.make_node("SequenceConstruct", ["x", "x"], ["s"]),
        helper.make_node("SequenceLength", ["s"], ["n"]),
        helper.make_node("ConcatFromSequence", ["s"], ["y"], axis=0),
    ]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", (1, 4)), ("y", (2, 4))))
    file = bench.folder / "s.onnx"
    onnx.save_model(helper.make_model(helper.make_graph(nodes, "s", [x], [y]), opset_imports=[helper.make_opsetid("", 17)]), str(file))
    assert cut(replace(bench, file=file, model=read_model(file, "s"))) is None


def test_networks_are_cut_where_deadlines_compete_or_nothing_else_preempts() -> None:
    due = [tenant("a", 10**8), tenant("b", 10**8)]
    assert competes(due, board())
    assert not competes(due[:1], board())
    assert not competes([tenant("a"), tenant("b")], board())
    assert competes([tenant("a")], board(Preemption.SEGMENT))
