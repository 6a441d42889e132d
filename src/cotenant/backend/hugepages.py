"""Huge pages for what was loaded: fewer address translations to miss."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

HUGE_PAGE_BYTES = 2 << 20

_SMAPS = Path("/proc/self/smaps")
MADV_COLLAPSE = 25  # linux/mman.h, since Linux 6.1
_LEAST_RESIDENT = 0.9  # of a mapping: a huge page makes resident what nobody ever touched
_KIB = 1024


def collapse() -> int:
    """Move this process's large anonymous mappings onto huge pages, in place; return the bytes moved.

    Weights are read from end to end at every inference, and caches that several models share leave the page tables of
    4 KiB pages no room. Without Linux 6.1, or where it is refused, nothing changes and 0 is returned.
    """
    if not sys.platform.startswith("linux"):
        return 0
    try:
        ranges = list(large_mappings(_SMAPS.read_text().splitlines()))
    except OSError:
        return 0
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    pages = [page for start, stop in ranges for page in range(start, stop, HUGE_PAGE_BYTES)]
    return sum(HUGE_PAGE_BYTES for page in pages if madvise(page, HUGE_PAGE_BYTES, MADV_COLLAPSE) == 0)


def large_mappings(smaps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield the huge pages (start, stop) that lie within private, anonymous, writable mappings that are resident (man 5 proc)."""
    start = stop = 0
    for line in smaps:
        words = line.split()
        if "-" in words[0]:
            start, stop = (int(bound, 16) for bound in words[0].split("-")) if _is_anonymous(words) else (0, 0)
        elif words[0] == "Rss:" and int(words[1]) * _KIB >= _LEAST_RESIDENT * (stop - start):
            inner = -(-start // HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES, stop // HUGE_PAGE_BYTES * HUGE_PAGE_BYTES
            if inner[0] < inner[1]:
                yield inner


def _is_anonymous(words: list[str]) -> bool:
    return words[1] == "rw-p" and (len(words) == 5 or words[5] == "[heap]")  # no sixth word: no file
