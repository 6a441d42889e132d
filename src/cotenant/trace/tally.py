"""What became of one tenant's requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cotenant.describe import Outcome
from cotenant.trace.spans import Ending, Trace
from cotenant.units import NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Count how requests ended: asked = done + dropped + failed + lost.

    `latencies_ns` are those of the done, in ascending order; `in_window` counts the done that finished within the window;
    `with_due` and `missed` count requests with a deadline and those of them not done by it; `options` counts the done of each,
    `dropped_for` the dropped by reason.
    """

    tenant: str
    window_ns: int
    asked: int
    done: int
    dropped: int
    failed: int
    in_window: int
    with_due: int
    missed: int
    latencies_ns: tuple[int, ...]
    options: tuple[tuple[str, int], ...] = ()
    dropped_for: tuple[tuple[str, int], ...] = ()

    @property
    def lost(self) -> int:
        return self.asked - self.done - self.dropped - self.failed

    @property
    def rate_per_s(self) -> float:
        return self.in_window * NS_PER_S / self.window_ns if self.window_ns > 0 else 0.0

    @property
    def option(self) -> str:
        """Name the option that answered most requests, the first by name among equals; empty if none was answered."""
        return min(self.options, key=lambda named: (-named[1], named[0]))[0] if self.options else ""


def tally(trace: Trace, tenant: str) -> Tally:
    """Count one tenant's requests of a finished run; whatever has no outcome is lost."""
    return _tally(trace, tenant, [e for e in trace.endings if e.tenant == tenant])


def tallies(trace: Trace, tenants: Iterable[str]) -> tuple[Tally, ...]:
    """Count every named tenant's requests in one pass, in the order of the names."""
    own: dict[str, list[Ending]] = {name: [] for name in tenants}
    for ending in trace.endings:
        if ending.tenant in own:
            own[ending.tenant].append(ending)
    return tuple(_tally(trace, name, endings) for name, endings in own.items())


def pooled(parts: Sequence[Tally]) -> Tally:
    """Add up one tenant's tallies of several windows; ValueError for none, or for several tenants."""
    if len({part.tenant for part in parts}) != 1:
        raise ValueError("pooling needs tallies of exactly one tenant")
    options: Counter[str] = Counter()
    dropped_for: Counter[str] = Counter()
    for part in parts:
        options.update(dict(part.options))
        dropped_for.update(dict(part.dropped_for))
    return Tally(
        tenant=parts[0].tenant,
        window_ns=sum(part.window_ns for part in parts),
        asked=sum(part.asked for part in parts),
        done=sum(part.done for part in parts),
        dropped=sum(part.dropped for part in parts),
        failed=sum(part.failed for part in parts),
        in_window=sum(part.in_window for part in parts),
        with_due=sum(part.with_due for part in parts),
        missed=sum(part.missed for part in parts),
        latencies_ns=tuple(sorted(latency for part in parts for latency in part.latencies_ns)),
        options=tuple(sorted(options.items())),
        dropped_for=tuple(sorted(dropped_for.items())),
    )


def _tally(trace: Trace, tenant: str, endings: list[Ending]) -> Tally:
    outcomes = Counter(e.outcome for e in endings)
    finished = [(e.finish_ns, e) for e in endings if e.outcome is Outcome.DONE and e.finish_ns is not None]
    # The driver's own count of arrivals, where it kept one, shows a request that left no ending at all.
    asked = max(dict(trace.asked).get(tenant, 0), len(endings))
    return Tally(
        tenant=tenant,
        window_ns=trace.stop_ns,
        asked=asked,
        done=len(finished),
        dropped=outcomes[Outcome.DROPPED],
        failed=outcomes[Outcome.FAILED],
        in_window=sum(0 <= finish_ns < trace.stop_ns for finish_ns, _ in finished),
        with_due=sum(e.due_ns is not None for e in endings),
        missed=sum(_is_missed(e) for e in endings),
        latencies_ns=tuple(sorted(finish_ns - e.arrival_ns for finish_ns, e in finished)),
        options=tuple(sorted(Counter(e.option for _, e in finished).items())),
        dropped_for=tuple(sorted(Counter(e.reason for e in endings if e.outcome is Outcome.DROPPED).items())),
    )


def _is_missed(ending: Ending) -> bool:
    if ending.due_ns is None:
        return False
    in_time = ending.finish_ns is not None and ending.finish_ns <= ending.due_ns
    return not (ending.outcome is Outcome.DONE and in_time)
