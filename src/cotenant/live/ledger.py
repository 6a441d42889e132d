"""What a device has been asked, and what became of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Any, Final, TypeVar

from cotenant.describe import Count, Outcome
from cotenant.trace import Ending, Span, Trace

Row = TypeVar("Row", bound=tuple[Any, ...])

_FINISHED: Final = 4
_STOPPED: Final = 6
"""Where in what is noted of a request, and of a span, stands when it ended."""


@dataclass(slots=True, kw_only=True)
class _Open:
    request: int
    tenant: str
    arrival_ns: int
    due_ns: int | None
    option: str
    processor: str = ""
    lanes: tuple[int, ...] = ()
    segment: int = 0
    since_ns: int | None = None
    untold: list[int] = field(default_factory=list)
    """Where the spans are noted whose CPU time no lane has told yet."""


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Count every request, and with `keeps` note every span and ending; times are those of the driver's clock.

    Written under the device's lock alone.
    """

    tenants: tuple[str, ...]
    start_ns: int
    keeps: bool = True
    _asked: dict[str, int] = field(init=False)
    _ended: dict[tuple[str, Outcome], int] = field(default_factory=dict)
    _open: dict[int, _Open] = field(default_factory=dict)
    _spans: list[tuple[int, str, int, str, tuple[int, ...], int, int, int, Outcome]] = field(default_factory=list)
    _endings: list[tuple[int, str, int, int | None, int, Outcome, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._asked = dict.fromkeys(self.tenants, 0)

    def admit(self, tenants: Iterable[str]) -> None:
        """Count requests of more tenants; those who were counted before go on where they were."""
        for name in tenants:
            self._asked.setdefault(name, 0)
        self.tenants = tuple(self._asked)

    def arrived(self, request: int, tenant: str, arrival_ns: int, due_ns: int | None, option: str) -> None:
        """Note a request that was accepted."""
        self._asked[tenant] += 1
        self._open[request] = _Open(request=request, tenant=tenant, arrival_ns=arrival_ns, due_ns=due_ns, option=option)

    def started(self, request: int, segment: int, processor: str, lanes: tuple[int, ...], now_ns: int) -> None:
        """Note that a request runs from now on, on these lanes of a processor."""
        found = self._open[request]
        found.segment, found.processor, found.lanes, found.since_ns = segment, processor, lanes, now_ns

    def suspended(self, request: int, now_ns: int) -> None:
        """Note that a request does not run for now; it may have ended a moment ago."""
        if request in self._open:
            self._close(self._open[request], now_ns)

    def resumed(self, request: int, now_ns: int) -> None:
        """Note that a suspended request runs again, where it did."""
        if request in self._open:
            self._open[request].since_ns = now_ns

    def stepped(self, request: int, now_ns: int, cpu_ns: int) -> None:
        """Note that a segment ended, its request not; `cpu_ns` is also of those that were passed before."""
        self._settle(self._open[request], now_ns, cpu_ns, Outcome.DONE)

    def passed(self, request: int, segment: int, now_ns: int) -> None:
        """Note that a segment ended, and this one began on the same lanes."""
        found = self._open[request]
        self._close(found, now_ns)
        found.segment, found.since_ns = segment, now_ns

    def broken_off(self, request: int, now_ns: int, cpu_ns: int) -> None:
        """Note that a segment failed, its request did not end: it is asked again."""
        self._settle(self._open[request], now_ns, cpu_ns, Outcome.FAILED)

    def served_by(self, request: int, option: str) -> None:
        """Note that a request that is asked again got this option."""
        self._open[request].option = option

    def ended(self, request: int, now_ns: int, outcome: Outcome, reason: str = "", cpu_ns: int = 0) -> None:
        """Note how a request ended."""
        found = self._open.pop(request)
        self._settle(found, now_ns, cpu_ns, outcome)
        key = (found.tenant, outcome)
        self._ended[key] = self._ended.get(key, 0) + 1
        if self.keeps:
            self._endings.append((request, found.tenant, found.arrival_ns, found.due_ns, now_ns, outcome, found.option, reason))

    def counts(self) -> dict[str, Count]:
        """Count each tenant's requests so far."""
        outstanding = dict.fromkeys(self.tenants, 0)
        for found in list(self._open.values()):
            outstanding[found.tenant] += 1
        return {name: self._count(name, outstanding[name]) for name in self.tenants}

    def trace(self, stop_ns: int, platform: str, policy: str, seed: int, since_ns: int = 0) -> Trace:
        """Return what was noted, as times since the start, but for what had ended before `since_ns`; what is outstanding has no outcome."""
        since = self.start_ns
        outstanding = tuple(
            Ending(request=o.request, tenant=o.tenant, arrival_ns=o.arrival_ns - since, due_ns=_less(o.due_ns, since), finish_ns=None,
                   outcome=None, option=o.option)
            for o in self._open.values()
        )  # fmt: skip
        ended = tuple(
            Ending(request=r, tenant=t, arrival_ns=a - since, due_ns=_less(d, since), finish_ns=f - since, outcome=o, option=k, reason=why)
            for r, t, a, d, f, o, k, why in _from(self._endings, _FINISHED, since + since_ns)
        )
        spans = tuple(
            Span(request=r, tenant=t, segment=s, processor=p, lanes=lanes, start_ns=a - since, stop_ns=z - since, cpu_ns=c, outcome=o)
            for r, t, s, p, lanes, a, z, c, o in _from(self._spans, _STOPPED, since + since_ns)
        )
        return Trace(
            spans=spans, endings=ended + outstanding, stop_ns=stop_ns, platform=platform, policy=policy, seed=seed,
            asked=tuple(self._asked.items()),
        )  # fmt: skip

    def _count(self, tenant: str, outstanding: int) -> Count:
        done, dropped, failed = (self._ended.get((tenant, o), 0) for o in (Outcome.DONE, Outcome.DROPPED, Outcome.FAILED))
        return Count(asked=self._asked[tenant], done=done, dropped=dropped, failed=failed, outstanding=outstanding)

    def _close(self, found: _Open, now_ns: int, cpu_ns: int = 0, outcome: Outcome = Outcome.DONE) -> None:
        """Note what a request ran until now, if it runs."""
        if found.since_ns is not None and self.keeps:
            place = (found.segment, found.processor, found.lanes, found.since_ns)
            found.untold.append(len(self._spans))
            self._spans.append((found.request, found.tenant, *place, now_ns, cpu_ns, outcome))
        found.since_ns = None

    def _settle(self, found: _Open, now_ns: int, cpu_ns: int, outcome: Outcome) -> None:
        """Note what came of what a request ran, and the CPU time of all that it ran since a lane was told of it."""
        alone = found.since_ns is not None and not found.untold
        self._close(found, now_ns, cpu_ns, outcome)
        if found.untold and cpu_ns > 0 and not alone:
            self._share(found.untold, cpu_ns, outcome)
        found.untold.clear()

    def _share(self, indices: Sequence[int], cpu_ns: int, outcome: Outcome) -> None:
        """Give each of several spans its part of a CPU time, by its length, and the last what came of them."""
        spans = [self._spans[index] for index in indices]
        lengths_ns = [max(0, z - a) for *_, a, z, _, _ in spans]
        parts_ns = split(cpu_ns, lengths_ns)
        for index, (r, t, s, p, lanes, a, z, _, o), part_ns in zip(indices, spans, parts_ns, strict=True):
            self._spans[index] = (r, t, s, p, lanes, a, z, part_ns, outcome if index == indices[-1] else o)


def split(whole: int, by: Sequence[int]) -> list[int]:
    """Part a whole in proportion to `by`, without losing any of it; the last takes all where that is all zero."""
    ends = [0, *(whole * sofar // max(1, sum(by)) for sofar in accumulate(by[:-1])), whole]
    return [end - begin for begin, end in pairwise(ends)]


def _from(rows: list[Row], column: int, instant_ns: int) -> list[Row]:
    """Return the rows, which are in order of a column, from an instant on."""
    return rows[bisect_left(rows, instant_ns, key=itemgetter(column)) :]


def _less(instant_ns: int | None, since_ns: int) -> int | None:
    return None if instant_ns is None else instant_ns - since_ns
