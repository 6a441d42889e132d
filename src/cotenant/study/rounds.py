"""Rounds in which all ways take turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cotenant.study.children import SilentError
from cotenant.study.meter import Reading, others_share
from cotenant.study.way import Period, Way
from cotenant.trace import Trace

OTHERS_MAX = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Hold one way's period of one round; `others` is the share of the CPU that others took, `tries` how often it was measured."""

    way: str
    round: int
    trace: Trace
    others: float
    tries: int = 1

    @property
    def disturbed(self) -> bool:
        return self.others > OTHERS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Measure every way once a round, each round beginning with another way.

    A period in which others took over OTHERS_MAX of the CPU, or a child fell silent, is measured again at once, the quietest is
    kept, and each way is given at most `rounds` such repeats in all. `told` hears of every period, `noted`, in one line, of those
    that fell silent.
    """

    ways: tuple[Way, ...]
    rounds: int
    period: Callable[[Way, int], Period]
    meter: Callable[[], Reading]
    told: Callable[[Measured], None] = field(default=lambda _: None)
    noted: Callable[[str], None] = field(default=lambda _: None)

    def measure(self) -> tuple[Measured, ...]:
        """Measure all rounds; BackendError, as the way raises it, ends them."""
        spare = Counter({way.name: self.rounds for way in self.ways})
        return tuple(self._kept(way, index, spare) for index in range(self.rounds) for way in rotated(self.ways, index))

    def _kept(self, way: Way, index: int, spare: Counter[str]) -> Measured:
        before = spare[way.name]
        tries = [self._heard(way, index, spare)]
        while tries[-1].disturbed and spare[way.name] > 0:
            spare[way.name] -= 1
            tries.append(self._heard(way, index, spare))
        best = min(tries, key=lambda measured: measured.others)
        return Measured(way=way.name, round=index, trace=best.trace, others=best.others, tries=1 + before - spare[way.name])

    def _heard(self, way: Way, index: int, spare: Counter[str]) -> Measured:
        try:
            return self._once(way, index)
        except SilentError as error:
            if spare[way.name] <= 0:
                raise
            self.noted(f"round {index + 1}, {way.name}: {error.story}; measured again")
        spare[way.name] -= 1
        return self._heard(way, index, spare)

    def _once(self, way: Way, index: int) -> Measured:
        period = self.period(way, index)
        before = self.meter()
        trace = way.serve(period)
        measured = Measured(way=way.name, round=index, trace=trace, others=others_share(before, self.meter()))
        self.told(measured)
        return measured


def rotated(ways: Sequence[Way], round: int) -> tuple[Way, ...]:
    """Begin with the way whose turn it is to be first."""
    first = round % len(ways) if ways else 0
    return (*ways[first:], *ways[:first])
