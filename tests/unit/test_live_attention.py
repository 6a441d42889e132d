"""Whoever asks on time goes before those who compute, and takes little for it."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cotenant.backend.fake import Fake
from cotenant.backend.scheduling import SchedulingClass, best_effort, held, urgent
from cotenant.describe import Periodic, Workload
from cotenant.live.allowance import Allowance
from cotenant.live.attention import Attention
from cotenant.live.client import Client
from cotenant.live.device import LiveDevice
from tests.live_cases import MS, device_of, tenant
from tests.unit.test_backend_scheduling import in_a_thread

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="classes are asked of Linux")

BEST = in_a_thread(urgent)
"""The class that urgent work gets here: real-time, or normal where that is refused."""


def priority() -> int:
    return os.sched_getparam(0).sched_priority


def test_a_thread_goes_before_urgent_ones_while_it_attends_and_not_after() -> None:
    def classes() -> tuple[SchedulingClass, int, SchedulingClass, int]:
        with Attention():
            inside = held(), priority()
        return *inside, held(), priority()

    above = 2 if BEST is SchedulingClass.REALTIME else 0
    assert in_a_thread(classes) == (BEST, above, SchedulingClass.NORMAL, 0)
    assert in_a_thread(lambda: (urgent(), priority())) == (BEST, above // 2)


def test_it_is_given_back_where_something_fails() -> None:
    def fails() -> SchedulingClass:
        with pytest.raises(ValueError, match="it"), Attention():
            raise ValueError("it")
        return held()

    assert in_a_thread(fails) is SchedulingClass.NORMAL


def test_who_takes_more_than_its_allowance_is_normal_until_it_has_saved_some(monkeypatch: pytest.MonkeyPatch) -> None:
    lasts = iter([True, False, True])
    monkeypatch.setattr(Allowance, "lasts", lambda *_: next(lasts))

    def classes() -> list[SchedulingClass]:
        with Attention() as attention:
            found = [held()]
            for _ in range(2):
                attention.pay()
                found.append(held())
        return found

    assert in_a_thread(classes) == [BEST, SchedulingClass.NORMAL, BEST]


def test_a_thread_that_chose_another_class_keeps_it() -> None:
    def classes() -> tuple[SchedulingClass, SchedulingClass]:
        before = best_effort()
        with Attention():
            return before, held()

    before, inside = in_a_thread(classes)
    assert inside is before


def test_where_it_is_refused_it_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(*_: Any) -> None:
        asked.append(held())
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)

    def attends() -> SchedulingClass:
        with Attention() as attention:
            attention.pay()
            return held()

    assert in_a_thread(attends) is SchedulingClass.NORMAL
    assert len(asked) == 1


def test_a_client_asks_so_and_its_thread_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    x = {"x": np.ones((1, 2), np.float32)}
    asking = Workload(tenants=(replace(tenant("a"), arrival=Periodic(every_ns=100 * MS)),))
    with device_of(Fake(), tenant("a")) as device:
        submit = device.submit

        def noting(_: LiveDevice, *given: Any, **more: Any) -> object:
            found.append(held())
            return submit(*given, **more)

        monkeypatch.setattr(LiveDevice, "submit", noting)
        client = Client(device=device, workload=asking, lanes=1, inputs={"a": [x]}, stop=threading.Event())

        def asks() -> SchedulingClass:
            client.ask(device.start_clock(), 600 * MS)
            return held()

        assert in_a_thread(asks) is SchedulingClass.NORMAL
        assert device.drain(10)
    assert set(found) == {BEST}  # not of all six: what cannot be asked in time is passed over
