"""Whenever engine processes are killed, every request ends once."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from contextlib import suppress
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cotenant.backend.fake import Fake
from cotenant.describe import (
    Artifact,
    Card,
    Crew,
    External,
    Memory,
    Model,
    Objective,
    Option,
    Outcome,
    Plan,
    Platform,
    Precision,
    Preemption,
    Processor,
    Share,
    Source,
    Step,
    Tenant,
    Tensor,
    Workload,
)
from cotenant.live import LiveDevice

REQUESTS = 30


def tenant(name: str, rank: int, **more: Any) -> Tenant:
    return Tenant(name=name, source=Source(model=f"{name}.onnx"), arrival=External(), rank=rank, **more)


def device_of(fake: Fake, tenants: tuple[Tenant, ...]) -> LiveDevice:
    x = Tensor(name="x", dtype="float32", shape=(1, 2))
    processor = Processor(name="cpu", kind="k", lanes=2, memory="dram", preemption=Preemption.CLASS)
    shares = [
        Share(
            option=Option(
                tenant=t.name,
                artifact=Artifact(model=t.name, precision=Precision.FP32, engine="fake", memory="dram", resident_bytes=1),
                chain=(Step(segment=0, processor="cpu", width=1, duration_ns=1_000_000),),
                demand=(),
                latency_ns=1_000_000,
            ),
            rate_per_s=10.0,
        )
        for t in tenants
    ]
    cards = [
        Card(
            tenant=t.name,
            model=Model(name=t.name, digest=t.name, layers=(), edges=(), cuts=(), inputs=(x,), outputs=(x,), parameters=0),
            files=((Precision.FP32, f"{t.name}.onnx"),),
            variants=(),
        )
        for t in tenants
    ]
    return LiveDevice(
        crew=Crew(workload=Workload(tenants=tenants)),
        platform=Platform(name="here", processors=(processor,), memories=(Memory(name="dram", capacity_bytes=1 << 30),)),
        cards=cards,
        plan=Plan(shares=tuple(shares), promises=(), prices=(), objective=Objective.PROPORTIONAL, value=0.0, bound=0.0),
        engines=[fake],
        keeps_trace=True,
    )


@settings(max_examples=4)
@given(
    kills=st.lists(st.tuples(st.integers(0, REQUESTS - 1), st.sampled_from(("first", "rest"))), max_size=4),
    deadly=st.dictionaries(st.integers(2, REQUESTS), st.sampled_from((signal.SIGSEGV, signal.SIGKILL)), max_size=2),
    standby=st.booleans(),
)
def test_every_request_ends_once_and_is_answered_right_or_fails_with_the_cause(
    kills: list[tuple[int, str]], deadly: dict[int, int], standby: bool
) -> None:
    """Killed from outside between any two requests, and by the runs themselves; whoever is not isolated never notices."""
    tenants = (tenant("first", 0, isolated=True), tenant("rest", 1, isolated=True, standby=standby), tenant("calm", 1))
    endings: Counter[tuple[str, int]] = Counter()
    with device_of(Fake(dies={"rest": deadly}), tenants) as device:
        futures = []
        for index in range(REQUESTS):
            for _, name in [kill for kill in kills if kill[0] == index]:
                if pid := device.health()[name].pid:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            for name in ("first", "rest", "calm"):
                x = {"x": np.full((1, 2), index, np.float32)}
                future = device.submit(name, x)
                future.add_done_callback(lambda _, key=(name, index): endings.update([key]))  # type: ignore[misc]
                futures.append((name, index, future))
            threading.Event().wait(0.001)
        answers = [(name, index, future.result(60)) for name, index, future in futures]
        counts = device.stats()
        trace = device.trace(1)
    assert len(endings) == 3 * REQUESTS
    assert set(endings.values()) == {1}
    assert all(count.lost == 0 and count.outstanding == 0 and count.asked == REQUESTS for count in counts.values())
    assert len({ending.request for ending in trace.endings}) == len(trace.endings) == 3 * REQUESTS
    for name, index, answer in answers:
        if answer.outcome is Outcome.DONE:
            np.testing.assert_array_equal(answer.outputs["x"], np.full((1, 2), index, np.float32))
        else:
            assert answer.outcome is Outcome.FAILED
            assert name != "calm"
            assert "its process died: SIG" in answer.reason
