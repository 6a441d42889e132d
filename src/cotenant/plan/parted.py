"""A memory parted in many cases at once: as `cost.contention` has it one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def granted_shares(wants: Array, capacity: float) -> Array:
    """Part a capacity by max-min in each column; return what of its want each gets, 1 for no want. Shapes (wanting, cases)."""
    rising = np.sort(wants, axis=0)
    before = np.cumsum(rising, axis=0) - rising
    left = np.arange(len(wants), 0, -1)[:, None]
    fair = (capacity - before) / left
    short = rising > fair
    level = np.where(short.any(axis=0), np.take_along_axis(fair, short.argmax(axis=0)[None], axis=0)[0], np.inf)
    return np.divide(np.minimum(wants, level), wants, out=np.ones_like(wants), where=wants > 0.0)


def speeds(granted: Array, alone_ns: Array, compute_ns: Array, unhidden: Array) -> Array:
    """Return the speeds over those alone, as `cost.contention.slowed` has them one by one."""
    longer_ns = alone_ns - unhidden * compute_ns
    shorter_ns = np.divide(alone_ns - compute_ns, unhidden, out=np.zeros_like(alone_ns), where=unhidden > 0.0)
    moves_ns = np.where(longer_ns >= compute_ns, longer_ns, shorter_ns) / granted
    taken_ns = np.maximum(compute_ns, moves_ns) + unhidden * np.minimum(compute_ns, moves_ns)
    return np.divide(alone_ns, taken_ns, out=np.ones_like(alone_ns), where=(taken_ns > 0.0) & (unhidden > 0.0)) * np.where(
        unhidden > 0.0, 1.0, granted
    )
