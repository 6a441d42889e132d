"""A model that ends its engine's process at every run, beside one that does not."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np

from cotenant.backend.fake import Fake
from cotenant.describe import (
    Artifact,
    Card,
    Crew,
    External,
    Memory,
    Model,
    Objective,
    Option,
    Outcome,
    Plan,
    Platform,
    Precision,
    Preemption,
    Processor,
    Share,
    Source,
    Step,
    Tenant,
    Tensor,
    Workload,
)
from cotenant.live import LiveDevice

REQUESTS = 50
MS = 10**6


def crashing_model() -> dict[str, Any]:
    """Ask both so many times; the first run of a process is to warm the model, the second ends it."""
    tenants = (_tenant("sick", isolated=True), _tenant("well", isolated=False))
    x = {"x": np.ones((1, 2), np.float32)}
    with _device(tenants) as device:
        answers = {name: [device.submit(name, x) for _ in range(REQUESTS)] for name in ("sick", "well")}
        outcomes = {name: [future.result(120).outcome for future in futures] for name, futures in answers.items()}
        counts, health = device.stats(), device.health()["sick"]
    return {
        "asked": 2 * REQUESTS,
        "failed": outcomes["sick"].count(Outcome.FAILED),
        "others_failed": REQUESTS - outcomes["well"].count(Outcome.DONE),
        "lost": sum(count.lost + count.outstanding for count in counts.values()),
        "deaths": health.deaths,
        "given_up": health.given_up,
    }


def _tenant(name: str, *, isolated: bool) -> Tenant:
    return Tenant(name=name, source=Source(model=f"{name}.onnx"), arrival=External(), rank=1, isolated=isolated)


def _device(tenants: tuple[Tenant, ...]) -> LiveDevice:
    processor = Processor(name="cpu", kind="any", lanes=2, memory="dram", preemption=Preemption.CLASS)
    return LiveDevice(
        crew=Crew(workload=Workload(tenants=tenants)),
        platform=Platform(name="here", processors=(processor,), memories=(Memory(name="dram", capacity_bytes=1 << 30),)),
        cards=[_card(tenant.name) for tenant in tenants],
        plan=Plan(
            shares=tuple(Share(option=_option(tenant.name), rate_per_s=10.0) for tenant in tenants),
            promises=(), prices=(), objective=Objective.PROPORTIONAL, value=0.0, bound=0.0,
        ),
        engines=[Fake(dies={"sick": {1: signal.SIGSEGV}})],
    )  # fmt: skip


def _card(name: str) -> Card:
    x = Tensor(name="x", dtype="float32", shape=(1, 2))
    model = Model(name=name, digest=name, layers=(), edges=(), cuts=(), inputs=(x,), outputs=(x,), parameters=0)
    return Card(tenant=name, model=model, files=((Precision.FP32, f"{name}.onnx"),), variants=())


def _option(name: str) -> Option:
    artifact = Artifact(model=name, precision=Precision.FP32, engine="fake", memory="dram", resident_bytes=1)
    step = Step(segment=0, processor="cpu", width=1, duration_ns=MS)
    return Option(tenant=name, artifact=artifact, chain=(step,), demand=(), latency_ns=MS)
