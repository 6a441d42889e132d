from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from cotenant.backend.scheduling import SchedulingClass, best_effort, held, permitted, pin, urgent

T = TypeVar("T")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="classes of threads are Linux's")


def in_a_thread(work: Callable[[], T]) -> T:
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(work).result()


def nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def refuse(*_: object) -> None:
    raise PermissionError


def test_best_effort_puts_the_calling_thread_and_no_other_under_sched_idle() -> None:
    before = os.sched_getscheduler(0)
    assert in_a_thread(lambda: (best_effort(), os.sched_getscheduler(0))) == (SchedulingClass.IDLE, os.SCHED_IDLE)
    assert os.sched_getscheduler(0) == before


def test_where_sched_idle_is_refused_best_effort_is_nice_19(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    before = nice()
    assert in_a_thread(lambda: (best_effort(), nice())) == (SchedulingClass.NICE, 19)
    assert nice() == before


def test_where_both_are_refused_best_effort_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "setpriority", refuse)
    assert in_a_thread(best_effort) is SchedulingClass.NORMAL
    assert permitted() is SchedulingClass.NORMAL


def test_elsewhere_than_on_linux_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    for name in ("sched_setscheduler", "setpriority", "sched_setaffinity"):
        monkeypatch.setattr(os, name, refuse)
    assert (best_effort(), held(), pin(0)) == (*[SchedulingClass.NORMAL] * 2, False)


def test_asking_what_is_permitted_leaves_the_asker_as_it_was() -> None:
    before = held()
    assert permitted() is SchedulingClass.IDLE
    assert held() is before


def test_a_pinned_thread_may_use_its_core_alone() -> None:
    before = os.sched_getaffinity(0)
    core = max(before)
    assert in_a_thread(lambda: (pin(core), os.sched_getaffinity(0))) == (True, {core})
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("core", [-1, 1023, 10**12])
def test_a_core_that_is_not_there_is_refused(core: int) -> None:
    assert not in_a_thread(lambda: pin(core))


def test_urgent_work_goes_before_normal_threads_where_that_is_permitted() -> None:
    got, policy = in_a_thread(lambda: (urgent(), os.sched_getscheduler(0)))
    assert (got is SchedulingClass.REALTIME) == (policy == os.SCHED_FIFO)


def test_where_the_real_time_class_is_refused_urgent_work_stays_normal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert in_a_thread(urgent) is SchedulingClass.NORMAL
