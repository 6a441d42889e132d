"""A trace in columns: the same spans and endings, a number each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import QUEUE_FULL, TOO_LATE, Outcome
from cotenant.trace.spans import Ending, Span, Trace

Rows = NDArray[np.void]

NEVER_NS = 1 << 62
OUTCOMES = (None, Outcome.DONE, Outcome.DROPPED, Outcome.FAILED, Outcome.DROPPED)
REASONS = ("", "", TOO_LATE, "", QUEUE_FULL)
"""How a request ended and why it was dropped, by the number in the column `outcome`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Name one stage: which segment of an option's chain, on how many lanes of which processor, at what bandwidth alone."""

    segment: int
    processor: str
    width: int = 1
    bytes_per_ns: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Hold a run as structured arrays.

    `spans` has request, position (an index into `stops`), lane (an index into `lanes`), start_ns, stop_ns and share, a row for each lane.
    `endings` has tenant, arrival_ns, due_ns (NEVER_NS without), finish_ns, outcome and option (indices); its row is the request's number.
    """

    spans: Rows
    endings: Rows
    tenants: tuple[str, ...]
    options: tuple[str, ...]
    stops: tuple[Stop, ...]
    lanes: tuple[tuple[str, int], ...]
    stop_ns: int
    platform: str
    policy: str
    seed: int = 0
    segments: int = 0

    @property
    def bytes_per_span(self) -> float:
        """Return how much memory a span takes, its share of the endings included."""
        return (self.spans.nbytes + self.endings.nbytes) / max(len(self.spans), 1)

    def trace(self) -> Trace:
        """Return the same as a trace of objects: for export, for the report, and for every metric of a live run."""
        asked = np.bincount(self.endings["tenant"], minlength=len(self.tenants))
        return Trace(
            spans=tuple(_spans(self)),
            endings=tuple(_ending(self, request, row) for request, row in enumerate(self.endings.tolist())),
            stop_ns=self.stop_ns,
            platform=self.platform,
            policy=self.policy,
            seed=self.seed,
            asked=tuple((name, int(count)) for name, count in zip(self.tenants, asked, strict=True)),
        )


def _spans(columns: Columns) -> list[Span]:
    """Join the lanes of one run of a segment."""
    joined: dict[tuple[int, int, int, int, float], list[int]] = {}
    for request, position, lane, start_ns, stop_ns, share in columns.spans.tolist():
        joined.setdefault((request, position, start_ns, stop_ns, share), []).append(lane)
    owners = columns.endings["tenant"]
    return [
        Span(
            request=request,
            tenant=columns.tenants[owners[request]],
            segment=columns.stops[position].segment,
            processor=columns.stops[position].processor,
            lanes=tuple(columns.lanes[lane][1] for lane in lanes),
            start_ns=start_ns,
            stop_ns=stop_ns,
            share=share,
        )
        for (request, position, start_ns, stop_ns, share), lanes in joined.items()
    ]


def _ending(columns: Columns, request: int, row: tuple[Any, ...]) -> Ending:
    tenant, arrival_ns, due_ns, finish_ns, outcome, option = row
    ended = OUTCOMES[outcome]
    return Ending(
        request=request,
        tenant=columns.tenants[tenant],
        arrival_ns=arrival_ns,
        due_ns=None if due_ns >= NEVER_NS else due_ns,
        finish_ns=None if ended is None else finish_ns,
        outcome=ended,
        option=columns.options[option],
        reason=REASONS[outcome],
    )
