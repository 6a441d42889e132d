"""How the figures of an option on a board are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cotenant.describe import Network, Option, Place, Provenance
from cotenant.study.estimated import Estimates

LITTLE: Final = 0.01
"""Of an option's time: what is not worth telling of how it is known."""
ESTIMATED: Final = "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Say how most of an option's time is known, the most first; `off` is by how much sums of estimated networks are off.

    That is the median, in [0, 1], over the board's own networks, each left out of the fit, at the place of the option where it is worst.
    """

    known: tuple[str, ...]
    off: float | None = None

    def __str__(self) -> str:
        return ", ".join(self.known) + ("" if self.off is None else f", {self.off:.0%} off")


def figures_of(option: Option, found: Estimates) -> Figures:
    """Return how an option's time is known: by the board's own figures, or estimated from the network's counts."""
    if option.tenant in found.estimated:
        off = dict(found.off)
        return Figures(known=(ESTIMATED,), off=max(off[step.processor, step.width] for step in option.chain))
    times: Counter[str] = Counter()
    for provenance, duration_ns in _times(option, found.network(option.tenant)):
        times[provenance.value] += duration_ns
    return Figures(known=tuple(how for how, duration_ns in times.most_common() if duration_ns >= LITTLE * times.total()))


def _times(option: Option, network: Network) -> Iterator[tuple[Provenance, int]]:
    """Yield what each segment of a chain takes, and each handover."""
    before: Place | None = None
    for step in option.chain:
        place = step.processor, step.width
        if before is not None:
            passed = network.segments[step.segment - 1].handovers
            yield from ((one.provenance, one.duration_ns) for one in passed if (one.source, one.target) == (before[0], place[0]))
        for segment in network.segments[step.segment : step.segment + step.segments]:
            cost = segment.cost_at(place)
            yield cost.provenance, cost.duration_ns
        before = place
