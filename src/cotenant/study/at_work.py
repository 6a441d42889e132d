"""What inferences take at work, over what they take alone: read from a trace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean, median

from cotenant.describe import Option, Outcome
from cotenant.study.kept import Slowdowns
from cotenant.study.prepared import Prepared
from cotenant.trace import Span, Trace

_BRIEF_NS = 1_000_000  # a longer gap on a lane is idleness, and a longer handing over somebody else's doing


Taken = tuple[float, float]
"""What one inference took of its lanes, and takes alone, in ns."""


def slowdowns(trace: Trace, prepared: Prepared) -> Slowdowns:
    """Divide what inferences took by what they take alone; a model that was not served is as slow as the rest."""
    seen = taken(trace, prepared)
    everywhere = slowdown([one for some in seen.values() for one in some])
    models = {prepared.card(tenant.name).model.digest for tenant in prepared.tenants}
    return {model: slowdown(seen[model]) if model in seen else everywhere for model in sorted(models)}


def slowdown(seen: Sequence[Taken]) -> float:
    """Divide what inferences took by what they take alone; 1 of none."""
    return fmean(taken_ns for taken_ns, _ in seen) / fmean(alone_ns for _, alone_ns in seen) if seen else 1.0


def taken(trace: Trace, prepared: Prepared) -> Mapping[str, Sequence[Taken]]:
    """List, by model, what its requests took that were served from their first segment on, of a trace or the end of one."""
    overhead_ns = _gap_ns(trace.spans) + _handing_over_ns(trace.spans)
    reckoned = {(share.option.tenant, share.option.name): share.option for share in prepared.plan.shares}
    used_ns, first = _used_ns(trace.spans), _first_segments(trace.spans)
    found: dict[str, list[Taken]] = defaultdict(list)
    for ending in trace.endings:
        option = reckoned.get((ending.tenant, ending.option))
        if option is not None and ending.outcome is Outcome.DONE and first.get(ending.request) == option.chain[0].segment:
            taken_ns = used_ns[ending.request] + overhead_ns * len(option.chain)
            found[option.artifact.model].append((taken_ns, _alone_ns(option, prepared)))
    return found


def _first_segments(spans: Iterable[Span]) -> dict[int, int]:
    """Return the first segment of each request among these."""
    first: dict[int, int] = {}
    for span in spans:
        first[span.request] = min(span.segment, first.get(span.request, span.segment))
    return first


def _used_ns(spans: Iterable[Span]) -> dict[int, float]:
    """Add up what each request used its lanes for: CPU time, from which others take nothing; of several threads, the time held."""
    held: dict[int, float] = defaultdict(float)
    cpu: dict[int, float] = defaultdict(float)
    for span in spans:
        held[span.request] += span.stop_ns - span.start_ns
        cpu[span.request] += span.cpu_ns if len(span.lanes) == 1 else span.stop_ns - span.start_ns
    return {request: cpu[request] or held[request] for request in held}


def _handing_over_ns(spans: Iterable[Span]) -> float:
    """Return what a segment holds its lane beyond its CPU time when nobody disturbs it: from being decided to being reported."""
    beyond = sorted(span.stop_ns - span.start_ns - span.cpu_ns for span in spans if span.cpu_ns > 0 and len(span.lanes) == 1)
    brief = [one for one in beyond if 0 <= one < _BRIEF_NS]
    return brief[len(brief) // 4] if brief else 0.0


def _gap_ns(spans: Iterable[Span]) -> float:
    """Return the usual gap between two segments that a lane runs back to back."""
    by_lane: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for span in spans:
        for lane in span.lanes:
            by_lane[span.processor, lane].append((span.start_ns, span.stop_ns))
    gaps = [later[0] - earlier[1] for times in by_lane.values() for earlier, later in pairwise(sorted(times))]
    return median([gap for gap in gaps if 0 <= gap < _BRIEF_NS] or [0])


def _alone_ns(option: Option, prepared: Prepared) -> float:
    """Return what an option was measured to take alone: the plan may reckon with what it takes at work."""
    factor = dict(prepared.plan.slowdowns).get(option.artifact.model, 1.0)
    return sum(step.duration_ns for step in option.chain) / factor
