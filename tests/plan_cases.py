"""Small crews for the planner: platforms, tenants and options built by hand, and drawn."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from cotenant.describe import (
    Arrival,
    Artifact,
    Closed,
    Memory,
    Option,
    Platform,
    Poisson,
    Precision,
    Preemption,
    Processor,
    Source,
    Step,
    Tenant,
)

MB = 10**6


def platform(
    *lanes: int, memory_bytes: int = 10**11, bandwidth: float | None = None, preemption: Preemption = Preemption.CLASS,
) -> Platform:  # fmt: skip
    """Return processors `cpu0`, `cpu1`, ... with these lanes and one memory, `dram`."""
    processors = tuple(
        Processor(name=f"cpu{i}", kind=f"kind{i}", lanes=n, memory="dram", preemption=preemption, engines=("engine",))
        for i, n in enumerate(lanes)
    )
    memory = Memory(name="dram", capacity_bytes=memory_bytes, bandwidth_bytes_per_s=bandwidth)
    return Platform(name="board", processors=processors, memories=(memory,))


def closed(name: str, rank: int = 1, *, weight: float = 1.0, floor: float = 0.0, outstanding: int | None = None) -> Tenant:
    return _tenant(name, Closed(outstanding=outstanding), rank, weight, floor)


def opened(name: str, rate_per_s: float, rank: int = 0, *, weight: float = 1.0, floor: float = 0.0) -> Tenant:
    return _tenant(name, Poisson(rate_per_s=rate_per_s), rank, weight, floor)


def _tenant(name: str, arrival: Arrival, rank: int, weight: float, floor: float) -> Tenant:
    return Tenant(name=name, source=Source(model=f"{name}.onnx"), arrival=arrival, rank=rank, weight=weight, floor=floor)


def option(
    tenant: str, duration_ms: float, processor: str = "cpu0", width: int = 1, *,
    precision: Precision = Precision.FP32, resident_bytes: int = MB, moved_bytes: float = 0.0, accuracy: float | None = None,
) -> Option:  # fmt: skip
    """Return a way to serve one inference in one step."""
    demand = ((processor, width * duration_ms / 1e3), *((("dram", moved_bytes),) if moved_bytes else ()))
    step = Step(segment=0, processor=processor, width=width, duration_ns=round(duration_ms * 1e6), memory_bytes=round(moved_bytes))
    artifact = Artifact(model=tenant, precision=precision, engine="engine", memory="dram", resident_bytes=resident_bytes)
    return Option(tenant=tenant, artifact=artifact, chain=(step,), demand=demand, latency_ns=step.duration_ns, accuracy=accuracy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    tenants: tuple[Tenant, ...]
    options: tuple[Option, ...]
    platform: Platform


_PRECISIONS = tuple(Precision)
_WEIGHTS = st.sampled_from((1.0, 0.5, 2.0))
_FLIGHTS = st.sampled_from((None, 1, 3))


@st.composite
def cases(draw: st.DrawFn, *, most_tenants: int = 4, ranks: int = 3, tight: bool = False, level: bool = False) -> Case:
    """Draw a crew of open and closed tenants on one to three processors.

    `tight`: the memory may not hold all. `level`: all are closed, of rank 0 and without floors, so that the objective's level is the
    whole of the order.
    """
    lanes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    bandwidth = draw(st.sampled_from((None, 1e8, 1e9)))
    memory_bytes = draw(st.integers(3, 20)) * MB if tight else 10**11
    names = [f"t{i}" for i in range(draw(st.integers(1, most_tenants)))]
    tenants = tuple(_drawn_closed(draw, n) if level else _drawn_tenant(draw, n, ranks) for n in names)
    options = tuple(_drawn_option(draw, n, lanes, bandwidth) for n in names for _ in range(draw(st.integers(1, 4))))
    return Case(tenants=tenants, options=options, platform=platform(*lanes, memory_bytes=memory_bytes, bandwidth=bandwidth))


def _drawn_closed(draw: st.DrawFn, name: str) -> Tenant:
    return closed(name, 0, weight=draw(_WEIGHTS), outstanding=draw(_FLIGHTS))


def _drawn_tenant(draw: st.DrawFn, name: str, ranks: int) -> Tenant:
    rank, weight, floor = draw(st.integers(0, ranks - 1)), draw(_WEIGHTS), draw(st.sampled_from((0.0, 0.0, 0.05, 0.3)))
    if draw(st.booleans()):
        return closed(name, rank, weight=weight, floor=floor, outstanding=draw(_FLIGHTS))
    return opened(name, draw(st.sampled_from((1.0, 7.0, 30.0, 200.0))), rank, weight=weight, floor=floor)


def _drawn_option(draw: st.DrawFn, tenant: str, lanes: list[int], bandwidth: float | None) -> Option:
    index = draw(st.integers(0, len(lanes) - 1))
    precision = draw(st.sampled_from(_PRECISIONS))
    return option(
        tenant, draw(st.floats(0.5, 80.0)), f"cpu{index}", draw(st.integers(1, lanes[index])),
        precision=precision, resident_bytes=(3 - _PRECISIONS.index(precision)) * MB,
        moved_bytes=draw(st.floats(1e4, 1e7)) if bandwidth else 0.0,
    )  # fmt: skip
