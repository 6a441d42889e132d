"""A crew file that changes while it is served."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cotenant.describe import Outcome
from cotenant.study.drift import FEWEST
from cotenant.study.prepare import Profiled, profiled, rehearsed
from cotenant.study.watched import Happened, watch_crew

LINE = "  - {{name: {name}, model: {model}.onnx, rank: {rank}, arrival: {arrival}, allow: [fp32]}}\n"


def tenant(name: str, rank: int = 1, model: str = "one", arrival: str = "{every: 5ms}") -> str:
    return LINE.format(name=name, rank=rank, model=model, arrival=arrival)


def crew(*tenants: str) -> str:
    return "tenants:\n" + "".join(tenants)


def write_model(path: Path, seed: int, width: int = 16, rows: int = 1) -> None:
    """Write a network of one product, of weights of its own."""
    weights = np.random.default_rng(seed).standard_normal((width, width)).astype(np.float32)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [rows, width]) for name in "xy")
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "g", [x], [y], [numpy_helper.from_array(weights, "w")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    path.write_bytes(made.SerializeToString())
    onnx.checker.check_model(str(path))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COTENANT_CACHE", str(tmp_path / "cache"))
    write_model(tmp_path / "one.onnx", 1)
    write_model(tmp_path / "two.onnx", 2)
    (tmp_path / "crew.yaml").write_text(crew(tenant("first", 0), tenant("loop", 3, "two", "{closed: 2}")), encoding="utf-8")
    return tmp_path


def watched(folder: Path, steps: Sequence[tuple[str, Callable[[], object]]]) -> tuple[Happened, list[str]]:
    """Serve the crew in a folder; do a step, wait until a line is said that has its words, and go on to the next."""
    prepared, stop, said = rehearsed(profiled(folder / "crew.yaml")), threading.Event(), list[str]()
    left = list(steps)

    def say(line: str) -> None:
        said.append(line)
        if left and left[0][0] in line:
            left.pop(0)
            left[0][1]() if left else stop.set()

    left[0][1]()
    return watch_crew(prepared, folder / "crew.yaml", stop, say, seconds=40), said


def test_tenants_come_and_go_and_change_and_a_crew_that_cannot_be_used_changes_nothing(folder: Path) -> None:
    file = folder / "crew.yaml"
    first, loop = tenant("first", 0), tenant("loop", 3, "two", "{closed: 2}")
    steps = [
        ("late comes at rank 2", lambda: file.write_text(crew(first, loop, tenant("late", 2)), encoding="utf-8")),
        ("not taken, the crew goes on as it was", lambda: file.write_text("tenants: [", encoding="utf-8")),
        ("not taken, the crew goes on as it was", lambda: file.write_text(crew(first, tenant("none", 1, "none")), encoding="utf-8")),
        ("late changes from rank 2 to rank 1", lambda: file.write_text(crew(first, loop, tenant("late", 1)), encoding="utf-8")),
        ("loop goes", lambda: file.write_text(crew(first, tenant("late", 1)), encoding="utf-8")),
        ("first is ", lambda: write_model(folder / "one.onnx", 3)),
    ]
    happened, said = watched(folder, steps)
    assert [t.name for t in happened.last.tenants] == ["first", "late"]
    assert [t.name for t in happened.tenants] == ["first", "late", "loop"]
    assert sum("not taken" in line for line in said) == 2
    assert all("\n" not in line for line in said)
    asked = dict(happened.trace.asked)
    for name in ("first", "loop", "late"):
        own = [ending for ending in happened.trace.endings if ending.tenant == name]
        assert asked[name] == len(own) > 10
        assert all(ending.outcome is not None for ending in own), "nothing is lost"
    assert not [e for e in happened.trace.endings if e.outcome is not None and e.outcome.value == "failed"]


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_a_model_that_takes_another_time_than_was_reckoned_is_planned_by_what_it_takes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    """The plan is made by a fourth, or four times, of what the second model takes at work, as a machine that grows hot would have it.

    Its inference takes milliseconds: handing over is no part of it that a busy machine could make four times as long.
    """
    monkeypatch.setattr("cotenant.study.watched.DRIFT_S", 0.3)
    write_model(folder / "two.onnx", 2, width=512, rows=256)
    (folder / "crew.yaml").write_text(
        crew(tenant("first", 0, arrival="{every: 50ms}"), tenant("loop", 3, "two", "{closed: 2}")), encoding="utf-8"
    )
    found = rehearsed(profiled(folder / "crew.yaml"))
    digest = found.card("loop").model.digest
    known = Profiled(crew=found.crew, platform=found.platform, profile=found.profile)
    prepared = known.reckoning({**dict(found.plan.slowdowns), digest: factor * dict(found.plan.slowdowns)[digest]}).planned()
    stop, said = threading.Event(), list[str]()

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("loop: an inference takes "):
            stop.set()

    happened = watch_crew(prepared, folder / "crew.yaml", stop, say, seconds=120)
    assert stop.is_set(), said
    taken = dict(happened.last.plan.slowdowns)[digest]
    reckoned = dict(prepared.plan.slowdowns)[digest]
    assert taken < 0.8 * reckoned if factor > 1 else taken > 1.2 * reckoned
    assert happened.last.plan.promise("loop").rate_per_s != pytest.approx(prepared.plan.promise("loop").rate_per_s, rel=0.1)
    assert {ending.reason for ending in happened.trace.endings if ending.outcome is Outcome.FAILED} <= {"stopped while it ran"}
    assert sum(asked for _, asked in happened.trace.asked) == len(happened.trace.endings), "nothing is lost"


def test_what_does_not_fit_as_it_has_drifted_leaves_the_plan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open tenant is promised half of what was measured; planned again as if a thousand times slower, it does not fit."""
    monkeypatch.setattr("cotenant.study.watched.DRIFT_S", 0.3)
    (folder / "crew.yaml").write_text(crew(tenant("first", 0, "one", "{every: 2ms}")), encoding="utf-8")
    prepared = rehearsed(profiled(folder / "crew.yaml"))
    digest, stop, said = prepared.card("first").model.digest, threading.Event(), list[str]()
    monkeypatch.setattr("cotenant.study.watched.taken", lambda trace, last: {digest: [(1000.0, 1.0)] * FEWEST})

    def say(line: str) -> None:
        said.append(line)
        if "stays" in line:
            stop.set()

    happened = watch_crew(prepared, folder / "crew.yaml", stop, say, seconds=40)
    assert said[0].startswith("first: an inference takes ")
    assert said[1].startswith("the plan stays as it was: cpu: ")
    assert happened.last is prepared
