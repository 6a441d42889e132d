"""The calling thread's class and core."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from enum import Enum

MOST_NICE = 19


class SchedulingClass(str, Enum):
    """Say how the operating system serves a thread against the others."""

    REALTIME = "realtime"
    NORMAL = "normal"
    NICE = "nice"
    IDLE = "idle"


def best_effort() -> SchedulingClass:
    """Let every normal thread preempt the calling one: SCHED_IDLE, else nice 19; return what is held in the end.

    Threads started from here inherit it. Without CAP_SYS_NICE there is no way back.
    """
    if sys.platform == "linux":
        for lower in (_idle, _nice):
            try:
                lower()
            except OSError:
                continue
            break
    return held()


def urgent(ahead: int = 0) -> SchedulingClass:
    """Put the calling thread before every normal one (SCHED_FIFO, `ahead` of the least real-time priority), where that is permitted.

    For work whose demand was planned to leave room alone. A normal thread is not enough: since Linux 6.6 (EEVDF) even a
    thread under SCHED_IDLE is due its share once the other has used up its slice, and then keeps the core for a tick.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(os.sched_get_priority_min(os.SCHED_FIFO) + ahead))
    return held()


def normal() -> SchedulingClass:
    """Give the real-time class back; return what is held in the end."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return held()


def held() -> SchedulingClass:
    """Read the calling thread's class back from the operating system."""
    if sys.platform != "linux":
        return SchedulingClass.NORMAL
    if os.sched_getscheduler(0) == os.SCHED_IDLE:
        return SchedulingClass.IDLE
    if os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR):
        return SchedulingClass.REALTIME
    nice = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    return SchedulingClass.NICE if nice == MOST_NICE else SchedulingClass.NORMAL


def permitted() -> SchedulingClass:
    """Try `best_effort` in a thread made for it; return the class that it got."""
    got = [SchedulingClass.NORMAL]
    thread = threading.Thread(target=lambda: got.append(best_effort()), name="cotenant-class")
    thread.start()
    thread.join()
    return got[-1]


def pin(core: int) -> bool:
    """Keep the calling thread on one core; False where the system does not let it."""
    if sys.platform != "linux":
        return False
    try:
        os.sched_setaffinity(0, {core})
    except (OSError, ValueError, OverflowError):
        return False
    return os.sched_getaffinity(0) == {core}


def _idle() -> None:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _nice() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), MOST_NICE)
