"""A network of many segments as one of fewer."""

from __future__ import annotations

from dataclasses import replace

from cotenant.describe import Cost, Counts, Network, Segment

MOST_UNITS = 24
"""Into how many units a network is cut at most before its chains are listed: their number grows with the square of it, and beyond this
a plan gains less than its certificate's per cent."""


def coarse(network: Network, most: int = MOST_UNITS) -> tuple[Network, tuple[int, ...]]:
    """Join neighbours, the pair that takes the least first, until there are at most so many; return also how many each one joins.

    Segments that do not run at the same places stay apart, so there may be more.
    """
    units, sizes = list(network.segments), [1] * len(network.segments)
    while len(units) > most:
        pairs = [at for at in range(len(units) - 1) if _alike(units[at], units[at + 1])]
        if not pairs:
            break
        at = min(pairs, key=lambda at: _work_ns(units[at]) + _work_ns(units[at + 1]))
        units[at : at + 2] = [_joined(units[at], units[at + 1])]
        sizes[at : at + 2] = [sizes[at] + sizes[at + 1]]
    return replace(network, segments=tuple(units)), tuple(sizes)


def _alike(one: Segment, other: Segment) -> bool:
    return {cost.place for cost in one.costs} == {cost.place for cost in other.costs}


def _work_ns(segment: Segment) -> int:
    return min(cost.duration_ns for cost in segment.costs)


def _joined(one: Segment, other: Segment) -> Segment:
    """Join two segments; what is handed over is the second's output."""
    costs = tuple(_sum(cost, other.cost_at(cost.place)) for cost in one.costs)
    counts = one.counts and other.counts and _counted(one.counts, other.counts)
    return Segment(name=f"{one.name}..{other.name.rpartition('..')[2]}", costs=costs, counts=counts, handovers=other.handovers)


def _sum(one: Cost, other: Cost) -> Cost:
    duration_ns = one.duration_ns + other.duration_ns
    power_w = None
    if one.power_w is not None and other.power_w is not None:
        power_w = (one.power_w * one.duration_ns + other.power_w * other.duration_ns) / duration_ns
    return replace(one, duration_ns=duration_ns, memory_bytes=one.memory_bytes + other.memory_bytes, power_w=power_w)


def _counted(one: Counts, other: Counts) -> Counts:
    return Counts(
        flop=one.flop + other.flop,
        weight_bytes=one.weight_bytes + other.weight_bytes,
        input_bytes=one.input_bytes,
        output_bytes=other.output_bytes,
    )
