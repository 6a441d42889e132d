"""Paced tenants on a live device."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cotenant.backend.fake import Fake
from cotenant.describe import Crew, Layer, Memory, Outcome, Platform, Preemption, Processor, Workload
from cotenant.errors import InputError
from cotenant.live import LiveDevice
from tests.live_cases import MS, card, device_of, option, plan, tenant

X = {"x": np.ones((1, 2), np.float32)}


def moving(name: str, size: int) -> LiveDevice:
    """Return a device of a rank 0 and of a tenant whose network moves so many bytes."""
    layer = Layer(name="l", op="Add", flop=1, weight_bytes=size, input_bytes=0, output_bytes=0)
    crew = (tenant("first", 0), tenant(name, 1))
    processor = Processor(name="cpu", kind="k", lanes=1, memory="dram", preemption=Preemption.CLASS)
    cards = [card("first"), replace(card(name), model=replace(card(name).model, layers=(layer,)))]
    return LiveDevice(
        crew=Crew(workload=Workload(tenants=crew)),
        platform=Platform(name="here", processors=(processor,), memories=(Memory(name="dram", capacity_bytes=1 << 30),)),
        cards=cards,
        plan=plan(*(option(t.name) for t in crew)),
        engines=[Fake()],
        keeps_trace=True,
        paces=True,
    )


def test_a_paced_tenant_starts_no_sooner_than_its_rate_permits_and_is_served_whole() -> None:
    """At 100 segments per s, of 12 at least 9 intervals of 10 ms: a burst is two segments, and what 20 ms bring."""
    with moving("rest", 1000) as device:
        device.pace("rest", 100_000.0)
        futures = [device.submit("rest", X) for _ in range(12)]
        assert {future.result(10).outcome for future in futures} == {Outcome.DONE}
        told = device.pacing()["rest"]
        assert (told.bytes_per_s, told.wanted) == (100_000.0, True)
        starts_ns = sorted(span.start_ns for span in device.trace(1).spans)
    assert starts_ns[-1] - starts_ns[0] >= (12 - 1 - 4) * 10 * MS
    for early, late in zip(starts_ns, starts_ns[6:], strict=False):
        assert late - early >= (6 - 4) * 10 * MS


def test_who_is_released_starts_at_once() -> None:
    with moving("rest", 1000) as device:
        device.pace("rest", 1.0)
        future = device.submit("rest", X)
        device.submit("first", X).result(10)
        assert not future.done(), "a segment of 1000 bytes, at a byte per s"
        device.pace("rest", None)
        assert future.result(10).outcome is Outcome.DONE
        assert device.pacing()["rest"].bytes_per_s is None


def test_another_plan_keeps_the_pace() -> None:
    with moving("rest", 1000) as device:
        device.pace("rest", 1.0)
        device.apply(device.plan)
        future = device.submit("rest", X)
        device.submit("first", X).result(10)
        assert not future.done()
        assert device.pacing()["rest"].wanted


def test_a_device_closes_while_somebody_rests() -> None:
    with moving("rest", 1000) as device:
        device.pace("rest", 1.0)
        future = device.submit("rest", X)
    assert future.result(10).outcome is Outcome.DROPPED
    assert all(count.lost == 0 and count.outstanding == 0 for count in device.stats().values())


def test_what_moves_nothing_that_is_known_is_not_paced() -> None:
    with device_of(Fake(), tenant("first", 0), tenant("rest", 1)) as device, pytest.raises(InputError, match="no bytes are counted"):
        device.pace("rest", 1.0)


def test_a_failed_run_is_no_sign_of_a_slowdown() -> None:
    with device_of(Fake(fails={"rest": range(1, 60)}), tenant("first", 0), tenant("rest", 1)) as device:
        device._ongoing.pacing = device._pacing
        device._pacing.governs = True
        device._pacing.follow(device.plan, 1)
        for _ in range(40):
            assert device.submit("rest", X).result(10).outcome is Outcome.FAILED
        assert device.pacing()["rest"].slowdown is None
        for _ in range(40):
            device.submit("first", X).result(10)
        assert device.pacing()["first"].slowdown is not None


def test_a_device_that_nobody_asks_to_pace_watches_nobody() -> None:
    with device_of(Fake(), tenant("first", 0)) as device:
        device.submit("first", X).result(10)
        assert device._ongoing.pacing is None
        assert device.pacing()["first"].slowdown is None
