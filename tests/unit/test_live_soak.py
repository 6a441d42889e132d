"""An hour of everything in turn: nothing is lost, and nothing grows.

It lasts COTENANT_SOAK_S seconds, 3600 by default.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from cotenant.backend import engines
from cotenant.backend.fake import Fake
from cotenant.describe import (
    Answer,
    Array,
    Card,
    Crew,
    Memory,
    Outcome,
    Plan,
    Platform,
    Precision,
    Preemption,
    Processor,
    Workload,
)
from cotenant.errors import BackendError
from cotenant.graph.read import read_model
from cotenant.live import LiveDevice
from tests.live_cases import option, plan, tenant
from tests.small_networks import classifier, images

SECONDS = float(os.environ.get("COTENANT_SOAK_S", "3600"))
ROUND = 20
"""Requests of each tenant in a calm round."""

TENANTS = (tenant("first", 0), tenant("rest", 1, isolated=True, standby=True, queue=64))
WARM_CYCLES = 3
"""So often everything has happened before what is held is measured."""

MORE_KB = 24_000
"""What may be resident beyond that at the end: the allocator's arenas fill at their own time."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux")]


@dataclass(frozen=True)
class Held:
    """Hold what this process has: resident kB, threads, open files, children."""

    resident_kb: int
    threads: int
    files: int
    children: int

    @classmethod
    def now(cls) -> Held:
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        children = [pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]
        return cls(
            resident_kb=int(status["VmRSS"].split()[0]),
            threads=int(status["Threads"]),
            files=len(list(Path("/proc/self/fd").iterdir())),
            children=len(children),
        )


@dataclass
class Soak:
    """Ask a device in rounds, and count how each request ends."""

    device: LiveDevice
    plans: Iterator[Plan]
    inputs: Mapping[str, Array]
    expected: Array
    asked: Counter[str] = field(default_factory=Counter)
    endings: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    changes: int = 0

    def acts(self) -> list[Callable[[], None]]:
        """List what befalls the device, in turn; each while requests are outstanding."""
        return [self._calm, self._kill, self._overload, self._change, self._pace, self._release]

    def round(self, act: Callable[[], None]) -> None:
        futures = [(name, self._ask(name)) for _ in range(ROUND) for name in ("first", "rest")]
        act()
        futures += [(name, self._ask(name)) for _ in range(ROUND) for name in ("first", "rest")]
        for name, future in futures:
            self._check(name, future.result(60))
        assert self.device.drain(60)

    def _ask(self, name: str) -> Future[Answer]:
        future = self.device.submit(name, self.inputs)
        self.asked[name] += 1
        future.add_done_callback(lambda done: self.endings.update([(name, done.result().outcome)]))
        return future

    def _check(self, name: str, answer: Answer) -> None:
        if answer.outcome is Outcome.DONE:
            right = answer.outputs["y"] if answer.option.startswith("onnxruntime") else answer.outputs["x"]
            np.testing.assert_array_equal(right, self.expected if answer.option.startswith("onnxruntime") else self.inputs["x"])
        elif answer.outcome is Outcome.FAILED:
            assert (name, answer.reason.endswith("SIGKILL")) == ("rest", True), answer.reason
        else:
            assert name == "rest", "only who is asked too much is dropped"

    def _calm(self) -> None:
        """Let nothing happen."""

    def _kill(self) -> None:
        if pid := self.device.health()["rest"].pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _overload(self) -> None:
        for _ in range(10 * ROUND):
            self._ask("rest")

    def _change(self) -> None:
        """Go over to the next plan; where a process that was killed dies while it is loaded, the old one goes on."""
        wanted, refused = next(self.plans), ""
        try:
            self.device.apply(wanted)
        except BackendError as error:
            refused = error.story
        assert not refused or refused.endswith("SIGKILL")
        assert (self.device.plan is wanted) == (not refused)
        self.changes += not refused

    def _pace(self) -> None:
        self.device.pace("rest", 400.0 * 1e6)

    def _release(self) -> None:
        self.device.pace("rest", None)


def device_of(file: Path, plans: list[Plan]) -> LiveDevice:
    processor = Processor(name="cpu", kind="k", lanes=2, memory="dram", preemption=Preemption.CLASS)
    return LiveDevice(
        crew=Crew(workload=Workload(tenants=TENANTS)),
        platform=Platform(name="here", processors=(processor,), memories=(Memory(name="dram", capacity_bytes=1 << 30),)),
        cards=[Card(tenant=t.name, model=read_model(file, t.name), files=((Precision.FP32, str(file)),), variants=()) for t in TENANTS],
        plan=plans[0],
        engines=[Fake(), engines.get("onnxruntime")],
        paces=True,
    )


def plans_of() -> list[Plan]:
    """Serve both by ONNX Runtime, one by the fake, both by the fake; each segment moves a megabyte."""
    pairs = (("onnxruntime", "onnxruntime"), ("onnxruntime", "fake"), ("fake", "onnxruntime"), ("fake", "fake"))
    options = [[option(t.name, engine) for t, engine in zip(TENANTS, pair, strict=True)] for pair in pairs]
    moving = [[replace(o, chain=tuple(replace(s, memory_bytes=10**6) for s in o.chain)) for o in own] for own in options]
    return [plan(*own) for own in moving]


def test_through_kills_overload_changes_and_paces_nothing_is_lost_and_nothing_grows(tmp_path: Path) -> None:
    file = classifier(tmp_path / "net.onnx")
    inputs = {"x": images(1)[0][None]}
    expected = engines.get("onnxruntime").load(file, Precision.FP32).run(inputs)["y"]
    stop = threading.Event()
    bell = threading.Timer(SECONDS, stop.set)
    bell.daemon = True
    bell.start()
    plans = plans_of()
    with device_of(file, plans) as device:
        soak = Soak(device, cycle(plans), inputs, expected)
        held: list[Held] = []
        while not stop.is_set() or len(held) < WARM_CYCLES + 2:
            for act in soak.acts():
                soak.round(act)
            held.append(Held.now())
        counts, health = device.stats(), device.health()["rest"]
    for name, count in counts.items():
        assert count.lost == count.outstanding == 0
        assert count.asked == soak.asked[name] == count.done + count.dropped + count.failed
        assert count.asked == sum(ended for (who, _), ended in soak.endings.items() if who == name)
    assert counts["first"].done == counts["first"].asked, "whoever is not isolated and not asked too much notices nothing"
    assert soak.changes > 0
    assert counts["rest"].done > 0
    assert counts["rest"].dropped > 0
    assert not device.broken
    assert not health.given_up
    _assert_flat(held[WARM_CYCLES:])


def _assert_flat(held: list[Held]) -> None:
    """Compare the later half with the earlier one: a process may just be on its way when it is counted."""
    early, late = held[: len(held) // 2 or 1], held[len(held) // 2 :]
    for what, more in (("threads", 0), ("files", 4), ("children", 0), ("resident_kb", MORE_KB)):
        before, after = (sorted(getattr(one, what) for one in half)[len(half) // 2] for half in (early, late))
        assert after <= before + more, f"{what}: {before}, then {after}"
