"""A chain as the board runs it: segment by segment, not each stretch in one piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cotenant.describe import Network, Option, Step
from cotenant.units import NS_PER_MS

LEAST_NS: Final = 4 * NS_PER_MS
"""Segments that follow one another at one place run together until they take so long: what cotenant cuts models into where it runs them."""


def in_segments(option: Option, network: Network, least_ns: int = LEAST_NS) -> Option:
    """Return an option whose lanes may be left between its segments; it takes in all what it took.

    A step's bytes are spread over its time.
    """
    return replace(option, chain=tuple(piece for step, times in timed(option, network) for piece in _pieces(step, times, least_ns)))


def timed(option: Option, network: Network) -> Iterator[tuple[Step, list[int]]]:
    """Yield each step with the ns that its segments take by the network's table, a handover being part of the first."""
    before = None
    for step in option.chain:
        handed_ns = 0 if before is None else network.segments[step.segment - 1].handover_ns(before, step.processor) or 0
        segments = network.segments[step.segment : step.segment + step.segments]
        times = [segment.cost_at((step.processor, step.width)).duration_ns for segment in segments]
        yield step, [times[0] + handed_ns, *times[1:]]
        before = step.processor


def _pieces(step: Step, times: list[int], least_ns: int) -> Iterator[Step]:
    begun, took_ns = 0, 0
    for at, time_ns in enumerate(times):
        took_ns += time_ns
        if took_ns >= least_ns or at == len(times) - 1:
            moved = step.memory_bytes * took_ns // sum(times)
            yield replace(
                step, segment=step.segment + begun, segments=at + 1 - begun, duration_ns=took_ns, memory_bytes=moved,
                longest_ns=max(times[begun : at + 1]),
            )  # fmt: skip
            begun, took_ns = at + 1, 0
