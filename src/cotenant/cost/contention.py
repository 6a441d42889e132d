"""Shared bandwidth: who gets how much of a memory."""

from __future__ import annotations

import math
from collections.abc import MutableSequence, Sequence

from cotenant.units import NS_PER_S

Floats = MutableSequence[float]


def water_fill(wants: Sequence[float], count: int, capacity: float, grants: Floats) -> float:
    """Share a capacity by max-min: nobody gets more than it wants, and what is left is parted evenly; return what is left over.

    `wants[:count]` and `capacity` in bytes per ns; `grants[:count]` is written. Exact: nobody's grant can grow without
    shrinking that of another who has no more (Bertsekas and Gallager, 1992, section 6.5.2).
    """
    left = capacity
    open_count = count
    for index in range(count):
        grants[index] = -1.0
    settled = True
    while open_count > 0 and settled:
        settled = False
        level = left / open_count
        for index in range(count):
            if grants[index] < 0.0 and wants[index] <= level:
                grants[index] = wants[index]
                left -= wants[index]
                open_count -= 1
                settled = True
    for index in range(count):
        if grants[index] < 0.0:
            grants[index] = left / open_count
    return 0.0 if open_count > 0 else max(0.0, left)


def slowed(granted: float, total_ns: float, compute_ns: float, unhidden: float) -> float:
    """Return the speed, over that alone, of work that is granted a part of the bandwidth that it takes alone.

    The roofline with partial overlap, T = max(C, M / b) + unhidden min(C, M / b): `total_ns` is T at the full bandwidth, `compute_ns` is C,
    and M / b grows as less is granted. Unhidden 0 is the roofline of Williams, Waterman and Patterson (2009), a part of 1 the latency
    estimate of MoCA (Kim et al., HPCA 2023).
    """
    if unhidden == 0.0 or granted <= 0.0:
        return granted
    longer_ns = total_ns - unhidden * compute_ns
    moves_ns = (longer_ns if longer_ns >= compute_ns else (total_ns - compute_ns) / unhidden) / granted
    return total_ns / (max(compute_ns, moves_ns) + unhidden * min(compute_ns, moves_ns))


def roofline(alone_ns: int, moved_bytes: float, bandwidth_per_s: float | None, unhidden: float) -> tuple[float, float, float]:
    """Return the bandwidth at which a step takes its time alone, in bytes per ns, what of that time is computing, and what is not hidden.

    Where all that can be hidden is, the mean over the step will do; else it is all that the memory has, and what it computes is what
    the roofline leaves: T = max(C, M / b) + unhidden min(C, M / b).
    """
    peak = math.inf if bandwidth_per_s is None else bandwidth_per_s / NS_PER_S
    moves_ns = moved_bytes / peak
    if unhidden == 0.0 or moves_ns == 0.0 or moves_ns >= alone_ns:
        return moved_bytes / alone_ns if alone_ns > 0 else 0.0, 0.0, 0.0
    longer_ns = alone_ns - unhidden * moves_ns
    compute_ns = longer_ns if longer_ns >= moves_ns else (alone_ns - moves_ns) / unhidden
    return peak, compute_ns, unhidden


def grant(wants: Sequence[float], first: Sequence[float], count: int, capacity: float, caps: int, grants: Floats, spare: Floats) -> None:
    """Grant what is to come `first`, up to what each wants, then share what is left by max-min unless first grants are `caps`.

    All in bytes per ns, `count` of each; `grants` is written, `spare` is scratch.
    """
    for index in range(count):
        spare[index] = max(0.0, min(wants[index], first[index]))
    left = water_fill(spare, count, capacity, grants)
    if caps == 1 or left <= 0.0:
        return
    for index in range(count):
        spare[index] = wants[index] - grants[index]
    _add(spare, count, left, grants)


def _add(wants: Floats, count: int, capacity: float, grants: Floats) -> None:
    """Add to the grants a max-min share of a capacity."""
    left = capacity
    open_count = count
    settled = True
    while open_count > 0 and settled:
        settled = False
        level = left / open_count
        for index in range(count):
            if 0.0 <= wants[index] <= level:
                grants[index] += wants[index]
                left -= wants[index]
                open_count -= 1
                wants[index] = -1.0
                settled = True
    for index in range(count):
        if wants[index] >= 0.0:
            grants[index] += left / open_count
