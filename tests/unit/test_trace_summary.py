"""What `run` says at the end."""

from __future__ import annotations

import json
from dataclasses import replace

from cotenant.describe import Artifact, Closed, Objective, Option, Outcome, Plan, Precision, Promise, Share, Source, Tenant
from cotenant.trace import Ending, Summary, Trace, as_json, summarise
from cotenant.units import NS_PER_MS, NS_PER_S

TENANT_KEYS = (
    "rank", "asked", "done", "dropped", "failed", "lost", "promised_per_s", "rate_per_s", "p", "p50_ms", "p99_ms", "missed", "fidelity",
    "option", "dropped_for",
)  # fmt: skip


def option(engine: str, fidelity: float | None) -> Option:
    artifact = Artifact(model="m", precision=Precision.INT8, engine=engine, memory="ram", resident_bytes=1)
    return Option(tenant="a", artifact=artifact, chain=(), demand=(), latency_ns=1, fidelity=fidelity)


def summary(*fidelities: float | None) -> Summary:
    options = [option(f"e{i}", fidelity) for i, fidelity in enumerate(fidelities)]
    plan = Plan(
        shares=tuple(Share(option=o, rate_per_s=1.0) for o in options), prices=(), objective=Objective.PROPORTIONAL, value=0.0, bound=0.0,
        promises=(Promise(tenant="a", rate_per_s=2.0, solo_rate_per_s=4.0), Promise(tenant="b", rate_per_s=1.0, solo_rate_per_s=1.0)),
    )  # fmt: skip
    endings = tuple(
        Ending(request=i, tenant="a", arrival_ns=0, due_ns=None, finish_ns=NS_PER_MS, outcome=Outcome.DONE, option=o.name)
        for i, o in enumerate(options)
    )  # fmt: skip
    trace = Trace(spans=(), endings=endings, stop_ns=NS_PER_S, platform="p", policy="rank")
    tenants = [Tenant(name=name, source=Source(model="zoo:x"), arrival=Closed(), rank=rank) for name, rank in (("a", 0), ("b", 1))]
    return summarise(trace, plan, tenants)


def test_the_json_has_the_keys_that_are_promised_in_order() -> None:
    told = as_json(summary(0.99))
    assert tuple(told) == ("platform", "seconds", "stp", "least_p", "tenants")
    assert all(tuple(row) == TENANT_KEYS for row in told["tenants"].values())
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_progress_adds_up_to_stp_and_the_least_is_told() -> None:
    told = as_json(summary(0.99, 0.98))
    # Two done in one second against a solo rate of four; nobody asked the other tenant.
    assert (told["seconds"], told["stp"], told["least_p"]) == (1.0, 0.5, 0.0)
    assert told["tenants"]["a"]["p50_ms"] == 1.0
    assert told["tenants"]["b"]["p99_ms"] is None


def test_what_was_dropped_is_told_by_reason() -> None:
    late = Ending(request=0, tenant="a", arrival_ns=0, due_ns=1, finish_ns=2, outcome=Outcome.DROPPED, reason="too late")
    full = [replace(late, request=number, reason="queue full") for number in (1, 2)]
    plan = Plan(shares=(), prices=(), objective=Objective.PROPORTIONAL, value=0.0, bound=0.0, promises=())
    trace = Trace(spans=(), endings=(late, *full), stop_ns=NS_PER_S, platform="p", policy="rank")
    told = as_json(summarise(trace, plan, [Tenant(name="a", source=Source(model="zoo:x"), arrival=Closed())]))["tenants"]["a"]
    assert (told["dropped"], told["dropped_for"]) == (3, {"queue full": 2, "too late": 1})


def test_the_fidelity_is_the_least_of_the_options_that_answered() -> None:
    rows = dict(summary(0.99, 0.96).tenants)
    assert (rows["a"].fidelity, rows["b"].fidelity) == (0.96, None)


def test_an_unknown_fidelity_is_not_hidden_behind_a_known_one() -> None:
    assert dict(summary(0.99, None).tenants)["a"].fidelity is None
