"""What happened, and every figure that follows from it."""

from cotenant.trace.export import export
from cotenant.trace.metrics import antt, critical, fairness, least_p, miss_ratio, progress, quantile_ns, sla, stp
from cotenant.trace.spans import Climate, Ending, Span, Trace, Usage
from cotenant.trace.summary import Row, Summary, as_json, rows, summarise
from cotenant.trace.tally import Tally, pooled, tallies, tally

__all__ = [
    "Climate", "Ending", "Row", "Span", "Summary", "Tally", "Trace", "Usage", "antt", "as_json", "critical", "export", "fairness",
    "least_p", "miss_ratio", "pooled", "progress", "quantile_ns", "rows", "sla", "stp", "summarise", "tallies", "tally",
]  # fmt: skip
