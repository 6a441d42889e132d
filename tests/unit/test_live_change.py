"""Tenants come, go and change while others are served; nothing is lost, and nothing stays behind."""

from __future__ import annotations

import math
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper

from cotenant.backend.engine import Session
from cotenant.backend.fake import Fake, Gate
from cotenant.backend.onnxruntime import Onnxruntime
from cotenant.describe import Answer, Card, Crew, Option, Outcome, Precision, Tenant, Tensor, Workload
from cotenant.errors import BackendError, InfeasibleError, InputError
from cotenant.live import LiveDevice
from tests.live_cases import card, device_of, option, plan, tenant
from tests.small_networks import save

X = {"x": np.ones((1, 2), np.float32)}
WAIT_S = 20.0


class Counting(Fake):
    """Count the sessions that are open."""

    def __init__(self, **given: object) -> None:
        super().__init__(**given)  # type: ignore[arg-type]
        self.open: list[str] = []

    def load(self, path: Path, precision: Precision, *, threads: int = 1) -> Session:  # type: ignore[override]
        session = super().load(path, precision, threads=threads)
        self.open.append(path.stem)
        close = session.close

        def closed() -> None:
            self.open.remove(path.stem)
            close()

        session.close = closed  # type: ignore[method-assign]
        return session


def change(device: LiveDevice, *tenants: Tenant, cards: Sequence[Card] = (), options: Sequence[Option] = ()) -> None:
    """Serve these from now on; each by its own option and card, unless others are given."""
    named = {c.tenant: c for c in cards}
    own = {o.tenant: o for o in options}
    crew = Crew(workload=Workload(tenants=tenants))
    device.change(crew, [named.get(t.name, card(t.name)) for t in tenants], plan(*(own.get(t.name, option(t.name)) for t in tenants)))


def version(name: str, number: int, shape: tuple[int, ...] = (1, 2)) -> tuple[Card, Option]:
    """Return another model of a tenant, in a file of its own."""
    made = card(name, f"{name}-{number}.onnx")
    x = Tensor(name="x", dtype="float32", shape=shape)
    model = replace(made.model, digest=f"{name}-{number}", inputs=(x,), outputs=(x,))
    own = option(name)
    return replace(made, model=model), replace(own, artifact=replace(own.artifact, model=f"{name}-{number}"))


@contextmanager
def gated(*tenants: Tenant, lanes: int = 1) -> Iterator[tuple[LiveDevice, Gate, Counting]]:
    """Serve tenants by an engine that waits for passes, once everything is loaded; whatever waits is let through in the end."""
    gate = Gate()
    spends: list[Callable[[int], None]] = [lambda _: None]
    lanes_of = ("cotenant-rest", "cotenant-critical")
    engine = Counting(spend=lambda ns: spends[0](ns) if threading.current_thread().name.startswith(lanes_of) else None)
    with device_of(engine, *tenants, lanes=lanes) as device:
        spends[0] = gate.spend
        try:
            yield device, gate, engine
        finally:
            gate.release(math.inf)


def outcomes(futures: Sequence[Future[Answer]]) -> list[tuple[str, str]]:
    answers = [future.result(WAIT_S) for future in futures]
    return [(answer.outcome.value, answer.reason) for answer in answers]


def test_a_tenant_that_comes_is_served_and_the_others_go_on() -> None:
    with gated(tenant("a")) as (device, gate, engine):
        first = [device.submit("a", X) for _ in range(2)]
        assert gate.arrived(1)
        change(device, tenant("a"), tenant("b"))
        assert engine.open == ["a", "b"]
        first.append(device.submit("b", X))
        gate.release(math.inf)
        assert outcomes(first) == [("done", "")] * 3
        assert engine.loads["a", Precision.FP32] == 1, "what is served already is not loaded again"


def test_of_a_tenant_that_goes_what_runs_is_answered_what_waits_is_dropped_and_then_its_model_is_unloaded() -> None:
    with gated(tenant("a"), tenant("b")) as (device, gate, engine):
        futures = [device.submit("a", X) for _ in range(3)]
        assert gate.arrived(1)
        change(device, tenant("b"))
        assert engine.open == ["a", "b"]
        with pytest.raises(InputError, match=r"did you mean b|known: b"):
            device.submit("a", X)
        gate.release(math.inf)
        assert outcomes(futures) == [("done", "")] + [("dropped", "tenant removed")] * 2
        assert device.settle(WAIT_S)
        assert engine.open == ["b"]
        counts = device.stats()["a"]
        assert (counts.asked, counts.done, counts.dropped, counts.lost, counts.outstanding) == (3, 1, 2, 0, 0)
        assert outcomes([device.submit("b", X)]) == [("done", "")]


def test_a_rank_changes_while_requests_wait_and_run() -> None:
    with gated(tenant("a"), tenant("b")) as (device, gate, _):
        futures = [device.submit("a", X), device.submit("b", X)]
        assert gate.arrived(1)
        change(device, tenant("a"), tenant("b", 0))
        assert gate.arrived(2), "what waits is of rank 0 now, and interrupts the other"
        change(device, tenant("a", 0), tenant("b", 2))
        futures.append(device.submit("b", X))
        gate.release(math.inf)
        assert outcomes(futures) == [("done", "")] * 3
        assert device.settle(WAIT_S)


def test_what_runs_ends_on_the_old_model_and_what_waits_is_served_by_the_new_one() -> None:
    new, served = version("a", 2)
    with gated(tenant("a")) as (device, gate, engine):
        futures = [device.submit("a", X) for _ in range(3)]
        assert gate.arrived(1)
        change(device, tenant("a"), cards=[new], options=[served])
        futures.append(device.submit("a", X))
        gate.release(math.inf)
        assert outcomes(futures) == [("done", "")] * 4
        assert Counter(run.stem for run in engine.runs) == {"a": 1 + 1, "a-2": 1 + 3}, "each is warmed once"
        assert device.settle(WAIT_S)
        assert engine.open == ["a-2"]


def test_what_waits_ends_on_the_old_model_where_the_new_one_takes_other_inputs() -> None:
    new, served = version("a", 2, shape=(1, 3))
    with gated(tenant("a")) as (device, gate, engine):
        futures = [device.submit("a", X) for _ in range(3)]
        assert gate.arrived(1)
        change(device, tenant("a"), cards=[new], options=[served])
        with pytest.raises(InputError, match=r"a\.x"):
            device.submit("a", X)
        futures.append(device.submit("a", {"x": np.ones((1, 3), np.float32)}))
        gate.release(math.inf)
        assert outcomes(futures) == [("done", "")] * 4
        assert Counter(run.stem for run in engine.runs) == {"a": 1 + 3, "a-2": 1 + 1}, "each is warmed once"
        assert device.settle(WAIT_S)
        assert engine.open == ["a-2"]


def test_a_change_that_does_not_load_is_refused_and_the_old_crew_goes_on() -> None:
    engine = Counting(precisions=(Precision.FP32,))
    with device_of(engine, tenant("a")) as device:
        fails = replace(option("b"), artifact=replace(option("b").artifact, precision=Precision.INT8))
        cards = [replace(card("b"), files=((Precision.INT8, "b.onnx"),))]
        with pytest.raises(BackendError, match="int8 is not offered"):
            change(device, tenant("a"), tenant("b"), tenant("c"), cards=cards, options=[fails])
        assert device.settle(WAIT_S)
        assert engine.open == ["a"]
        assert outcomes([device.submit("a", X)]) == [("done", "")]
        assert set(device.stats()) == {"a"}


@pytest.mark.parametrize(
    ("taken_bytes", "allowed", "said"),
    [
        (1 << 29, None, "dram: the models that are served and the new ones take 1342"),
        (9_000_000, 5_000_000, "memory of b: its models take 9.0 MB"),
    ],
)
def test_models_that_do_not_fit_are_refused_before_they_are_loaded(taken_bytes: int, allowed: int | None, said: str) -> None:
    engine = Counting()
    large = option("a", resident_bytes=(1 << 29) + (1 << 28))
    with device_of(engine, tenant("a"), options=(large,)) as device:
        b = tenant("b", isolated=allowed is not None, memory_bytes=allowed)
        with pytest.raises(InfeasibleError, match=said):
            change(device, b, options=[option("b", resident_bytes=taken_bytes)])
        assert engine.open == ["a"]
        assert outcomes([device.submit("a", X)]) == [("done", "")]


def test_another_policy_needs_a_new_start() -> None:
    with device_of(Fake(), tenant("a")) as device, pytest.raises(InputError, match="policy: edf; rank_edf as before"):
        device.change(Crew(workload=Workload(tenants=(tenant("a"),)), policy="edf"), [card("a")], plan(option("a")))


def test_a_device_may_be_closed_while_something_is_left_of_an_earlier_crew() -> None:
    with gated(tenant("a"), tenant("b")) as (device, gate, engine):
        running = device.submit("a", X)
        assert gate.arrived(1)
        change(device, tenant("b"))
        gate.release(math.inf)
        device.close()
        assert running.result(WAIT_S).outcome in {Outcome.DONE, Outcome.FAILED}
    assert engine.open == []


def test_an_isolated_tenant_comes_and_goes_with_its_process() -> None:
    with device_of(Fake(), tenant("a")) as device:
        change(device, tenant("a"), tenant("b", isolated=True))
        pid = device.health()["b"].pid
        assert outcomes([device.submit("b", X)]) == [("done", "")]
        change(device, tenant("a"), tenant("b"))
        assert outcomes([device.submit("b", X)]) == [("done", "")]
        assert device.settle(WAIT_S)
        assert device.health() == {}
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_model_of_an_isolated_tenant_is_replaced_with_its_process() -> None:
    new, served = version("b", 2)
    with device_of(Fake(), tenant("b", isolated=True)) as device:
        before = device.health()["b"].pid
        futures = [device.submit("b", X) for _ in range(20)]
        change(device, tenant("b", isolated=True), cards=[new], options=[served])
        futures += [device.submit("b", X) for _ in range(20)]
        assert outcomes(futures) == [("done", "")] * 40
        assert device.settle(WAIT_S)
        assert device.health()["b"].pid not in {0, before}


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # counted, not looked at


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts what Linux tells of a process")
def test_a_hundred_tenants_that_come_and_go_leave_nothing_behind() -> None:
    """Threads and descriptors are as many as before, and memory within 5 %; ten come first, for what is made once."""
    engine = Counting()
    with device_of(engine, tenant("a"), lanes=2) as device:
        for number in range(110):
            if number == 10:
                before = threading.active_count(), descriptors(), resident_bytes()
            change(device, tenant("a"), tenant(f"t{number}", number % 3))
            futures = [device.submit(name, X) for name in ("a", f"t{number}")]
            assert outcomes(futures) == [("done", "")] * 2
            change(device, tenant("a"))
            assert device.settle(WAIT_S)
        after = threading.active_count(), descriptors(), resident_bytes()
        assert engine.open == ["a"]
        assert all(count.lost == 0 for count in device.stats().values())
    assert after[:2] == before[:2]
    assert after[2] <= 1.05 * before[2]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts what Linux tells of a process")
def test_a_hundred_models_of_onnx_runtime_that_come_and_go_leave_nothing_behind(tmp_path: Path) -> None:
    """Beside one in a process of its own, which stays; a hundred come first, for the allocator's and the engine's own sake."""
    weights = numpy_helper.from_array(np.ones((2, 250_000), np.float32), "w")
    model = save(tmp_path / "m.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], [weights], (1, 2), (1, 250_000))

    kept = tenant("kept", isolated=True)

    def become(device: LiveDevice, *tenants: Tenant) -> None:
        names = [t.name for t in tenants]
        change(device, *tenants, cards=[card(name, str(model)) for name in names], options=[option(name, "onnxruntime") for name in names])

    with device_of(Onnxruntime(), tenant("first"), lanes=2, file=str(model)) as device:
        for number in range(200):
            if number == 100:
                before = threading.active_count(), descriptors(), resident_bytes()
            become(device, tenant("first"), kept, tenant(f"t{number}"))
            futures = [device.submit(f"t{number}", X) for _ in range(4)]
            assert outcomes(futures) == [("done", "")] * 4
            become(device, tenant("first"), kept)
            assert device.settle(WAIT_S)
        after = threading.active_count(), descriptors(), resident_bytes()
    assert after[:2] == before[:2]
    assert after[2] <= 1.05 * before[2]
