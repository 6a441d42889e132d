"""Live devices on the fake engine, small enough to be made within a test."""

from __future__ import annotations

from typing import Any

from cotenant.backend import Engine
from cotenant.describe import (
    Artifact,
    Card,
    Crew,
    External,
    Memory,
    Model,
    Objective,
    Option,
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

MS = 1_000_000


def tenant(name: str, rank: int = 1, **more: Any) -> Tenant:
    return Tenant(name=name, source=Source(model=f"{name}.onnx"), arrival=External(), rank=rank, **more)


def option(name: str, engine: str = "fake", resident_bytes: int = 1, duration_ns: int = MS) -> Option:
    artifact = Artifact(model=name, precision=Precision.FP32, engine=engine, memory="dram", resident_bytes=resident_bytes)
    step = Step(segment=0, processor="cpu", width=1, duration_ns=duration_ns)
    return Option(tenant=name, artifact=artifact, chain=(step,), demand=(), latency_ns=duration_ns)


def plan(*options: Option) -> Plan:
    shares = tuple(Share(option=o, rate_per_s=10.0) for o in options)
    return Plan(shares=shares, promises=(), prices=(), objective=Objective.PROPORTIONAL, value=0.0, bound=0.0)


def card(name: str, file: str = "") -> Card:
    x = Tensor(name="x", dtype="float32", shape=(1, 2))
    model = Model(name=name, digest=name, layers=(), edges=(), cuts=(), inputs=(x,), outputs=(x,), parameters=0)
    return Card(tenant=name, model=model, files=((Precision.FP32, file or f"{name}.onnx"),), variants=())


def device_of(engine: Engine, *tenants: Tenant, lanes: int = 1, file: str = "", options: tuple[Option, ...] = ()) -> LiveDevice:
    processor = Processor(name="cpu", kind="k", lanes=lanes, memory="dram", preemption=Preemption.CLASS)
    return LiveDevice(
        crew=Crew(workload=Workload(tenants=tenants)),
        platform=Platform(name="here", processors=(processor,), memories=(Memory(name="dram", capacity_bytes=1 << 30),)),
        cards=[card(t.name, file) for t in tenants],
        plan=plan(*(options or (option(t.name, engine.name) for t in tenants))),
        engines=[engine],
        keeps_trace=True,
    )
