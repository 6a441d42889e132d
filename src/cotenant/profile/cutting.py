"""Where to cut: segments of about one length, with little to hand over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

HANDING_NS_PER_BYTE = 0.1
"""What a byte costs that one segment writes for another to read, when caches hold it no more: about 10 GB/s."""

LONGEST = 3.0
"""Of the length: no segment of several nodes is longer, where there are cuts."""


def positions(times_ns: Sequence[float], cuts: Mapping[int, int], length_ns: float) -> tuple[int, ...]:
    """Choose cuts, each before a node, such that segments come near a length and little is handed over.

    `times_ns` is by node; `cuts` has the legal positions with the bytes live there. A segment is off by the square of what it differs
    from the length, in lengths; where a node alone is longer, so is its segment. Shortest path over the cuts.
    """
    at_ns = (0.0, *accumulate(times_ns))
    count = max(1, round(at_ns[-1] / length_ns))
    wanted_ns = at_ns[-1] / count
    ends = (0, *sorted(cuts), len(times_ns))
    best: dict[int, tuple[float, int]] = {0: (0.0, 0)}
    for at, end in enumerate(ends[1:], start=1):
        handed = cuts.get(end, 0) * HANDING_NS_PER_BYTE / wanted_ns
        near = [start for start in ends[:at] if at_ns[end] - at_ns[start] <= LONGEST * wanted_ns] or [ends[at - 1]]
        best[end] = min((best[start][0] + ((at_ns[end] - at_ns[start]) / wanted_ns - 1) ** 2 + handed, start) for start in near)
    found = [len(times_ns)]
    while found[-1]:
        found.append(best[found[-1]][1])
    return tuple(sorted(found))[1:-1]
