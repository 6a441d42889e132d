"""What the kernel lets threads do, tried out."""

from __future__ import annotations

import mmap
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from cotenant.backend.hugepages import HUGE_PAGE_BYTES, MADV_COLLAPSE
from cotenant.backend.scheduling import MOST_NICE, SchedulingClass, best_effort, held, normal, urgent

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permits:
    """Hold what was tried: the own class and niceness as they are, the class that best effort gets, and what was permitted.

    `back`: from best effort to a normal thread again; `urgent`: the real-time class; `huge_pages`: to move memory onto them.
    """

    own: SchedulingClass
    niceness: int
    behind: SchedulingClass
    nice: bool
    back: bool
    urgent: bool
    huge_pages: bool


def tried() -> Permits:
    """Try every class in a thread made for it, and huge pages on memory made for it; nothing is left changed."""
    behind, back = _in_a_thread(_there_and_back)
    return Permits(
        own=held(),
        niceness=_niceness(),
        behind=behind,
        nice=_in_a_thread(_goes_behind),
        back=back,
        urgent=_in_a_thread(urgent) is SchedulingClass.REALTIME,
        huge_pages=_collapses(),
    )


def _in_a_thread(work: Callable[[], T]) -> T:
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="cotenant-permits") as pool:
        return pool.submit(work).result()


def _there_and_back() -> tuple[SchedulingClass, bool]:
    before = _niceness()
    behind = best_effort()
    normal()
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), before)
    return behind, behind is not SchedulingClass.NORMAL and held() is SchedulingClass.NORMAL


def _goes_behind() -> bool:
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), MOST_NICE)
    return _niceness() == MOST_NICE


def _niceness() -> int:
    """Return the calling thread's niceness, 0 where the system knows none."""
    with suppress(OSError, AttributeError):
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    return 0


def _collapses() -> bool:
    """Try to move two huge pages' worth of memory of one's own: one of them lies within, wherever it starts."""
    if not sys.platform.startswith("linux"):
        return False
    size_bytes = 2 * HUGE_PAGE_BYTES
    with suppress(OSError), mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as scratch:
        scratch.write(bytes(size_bytes))  # only what is resident can be moved
        scratch.madvise(MADV_COLLAPSE)
        return True
    return False
