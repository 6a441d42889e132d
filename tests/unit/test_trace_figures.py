from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

from cotenant.describe import Outcome
from cotenant.policy import policies
from cotenant.sim import Case, simulate
from cotenant.study.cells import mean_interval
from cotenant.trace import antt, fairness, sla, stp, tallies
from cotenant.trace.bandwidth import bandwidth
from cotenant.trace.figures import Alone, figures
from tests.sim_cases import cases


@given(cases())
def test_figures_are_those_of_the_trace_of_objects(case: Case) -> None:
    columns = simulate(case, policies.get("fifo"), name="fifo")
    alone = {t.name: Alone(latency_ns=1000.0 * (1 + i)) for i, t in enumerate(case.tenants)}
    found = figures(columns, alone, [t.rank for t in case.tenants])
    counted = [t for t in tallies(columns.trace(), columns.tenants) if t.asked]
    assert found.sla == pytest.approx(sla(counted))
    p = {t.tenant: alone[t.tenant].latency_ns / float(np.mean(t.latencies_ns)) if t.done else 0.0 for t in counted}
    assert dict(found.p) == pytest.approx(p)
    assert found.stp == pytest.approx(stp(p))
    assert found.antt == pytest.approx(antt(p))
    assert found.fairness == pytest.approx(fairness(p))


@given(cases())
def test_a_trace_of_objects_holds_every_request_and_every_lane(case: Case) -> None:
    columns = simulate(case, policies.get("edf"), name="edf")
    trace = columns.trace()
    assert sum(len(span.lanes) for span in trace.spans) == len(columns.spans)
    assert sorted(e.request for e in trace.endings) == list(range(len(columns.endings)))
    assert all(e.outcome in {Outcome.DONE, Outcome.DROPPED} for e in trace.endings)


@given(cases())
def test_what_tenants_draw_of_a_memory_adds_up_to_what_its_spans_moved(case: Case) -> None:
    columns = simulate(case, policies.get("fifo"), name="fifo")
    memory_of = {p.name: p.memory for p in case.platform.processors}
    for found in bandwidth(columns, case.platform):
        moved = 0.0
        for draw in found.draws:
            moved += sum(level * (after - at) for (at, level), (after, _) in zip(draw.points, draw.points[1:], strict=False)) / 1e9
        spans = [row for row in columns.spans if memory_of[columns.stops[row["position"]].processor] == found.memory]
        stops = [columns.stops[row["position"]] for row in spans]
        due = [s.bytes_per_ns / s.width * row["share"] * (row["stop_ns"] - row["start_ns"]) for s, row in zip(stops, spans, strict=True)]
        assert moved == pytest.approx(math.fsum(due), rel=1e-6, abs=1e-3)


def test_an_interval_of_a_mean_is_that_of_student() -> None:
    """Of 1, 2, 3: the mean is 2, its standard error 1/sqrt(3), and t(0.975, 2) is 4.303."""
    low, high = mean_interval([1.0, 2.0, 3.0]) or (0.0, 0.0)
    assert (low, high) == pytest.approx((2 - 4.303 / math.sqrt(3), 2 + 4.303 / math.sqrt(3)), abs=6e-4)
    assert mean_interval([1.0]) is None
    assert mean_interval([1.0, math.inf]) is None
