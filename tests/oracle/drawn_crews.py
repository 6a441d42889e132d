"""Crews for the oracles: every row that a plan knows, drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cotenant.describe import (
    Artifact,
    Closed,
    Memory,
    Option,
    Periodic,
    Platform,
    Poisson,
    Precision,
    Preemption,
    Processor,
    Source,
    Tenant,
)
from tests.plan_cases import MB, Case, option

LANES = (2, 4, 1)
_BYTES = {Precision.FP32: 4, Precision.BF16: 2, Precision.INT8: 1}
_WEIGHTS = (0.5, 1.0, 1.0, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Say what crews are drawn: how many tenants, of how many ranks, how likely open, with a floor, and with memories that are short."""

    tenants: int = 3
    ranks: int = 1
    opened: float = 0.0
    floored: float = 0.0
    floors: tuple[float, float] = (0.05, 0.3)
    rates_per_s: tuple[float, float] = (1.0, 25.0)
    tight: bool = False
    options: int = 4


def drawn(kind: Kind, seed: int) -> Case:
    """Draw a crew on three processors and two memories; the same for the same kind and seed."""
    rng = np.random.default_rng((kind.tenants, kind.ranks, round(100 * kind.opened), round(100 * kind.floored), kind.tight, seed))
    names = [f"t{at}" for at in range(kind.tenants)]
    board = _board(rng, kind.tight)
    tenants = tuple(_tenant(rng, kind, name) for name in names)
    shared = rng.random() < 0.25
    options = tuple(_option(rng, name, "both" if shared else name) for name in names for _ in range(rng.integers(2, kind.options + 1)))
    return Case(tenants=tenants, options=options, platform=board)


def _board(rng: np.random.Generator, tight: bool) -> Platform:
    room = [int(rng.integers(3, 14)) * MB if tight else 10**11 for _ in range(2)]
    bandwidth = float(rng.uniform(2e8, 2e9)) if rng.random() < 0.5 else None
    processors = tuple(
        Processor(name=f"cpu{at}", kind=f"kind{at}", lanes=lanes, memory=("dram", "dram", "vram")[at], preemption=Preemption.CLASS)
        for at, lanes in enumerate(LANES)
    )
    memories = (
        Memory(name="dram", capacity_bytes=room[0], bandwidth_bytes_per_s=bandwidth),
        Memory(name="vram", capacity_bytes=room[1]),
    )
    power_w = float(rng.uniform(4, 20)) if rng.random() < 0.3 else None
    return Platform(name="board", processors=processors, memories=memories, power_w=power_w)


def _tenant(rng: np.random.Generator, kind: Kind, name: str) -> Tenant:
    rate_per_s = float(rng.uniform(*kind.rates_per_s))
    flights = Closed(), Closed(outstanding=1), Closed(outstanding=2), Closed(outstanding=8)
    opens = Poisson(rate_per_s=rate_per_s), Periodic(every_ns=round(1e9 / rate_per_s))
    ways = opens if rng.random() < kind.opened else flights
    return Tenant(
        name=name,
        source=Source(model=f"{name}.onnx", labels="labels.npy"),
        arrival=ways[rng.integers(len(ways))],
        rank=int(rng.integers(kind.ranks)),
        weight=float(rng.choice(_WEIGHTS)),
        floor=float(rng.uniform(*kind.floors)) if rng.random() < kind.floored else 0.0,
        accuracy_floor=0.7 if rng.random() < 0.2 else None,
    )


def _option(rng: np.random.Generator, tenant: str, model: str) -> Option:
    """Draw a way over one processor or two; who shares a model shares its copies."""
    at = int(rng.integers(len(LANES)))
    one = option(tenant, float(rng.uniform(5, 80)), f"cpu{at}", int(rng.integers(1, LANES[at] + 1)))
    precision = tuple(Precision)[rng.integers(len(Precision))]
    artifact = Artifact(
        model=model, precision=precision, engine="engine", memory="vram" if at == 2 else "dram", resident_bytes=_BYTES[precision] * MB
    )
    demand = (*one.demand, ("dram", float(rng.uniform(1e5, 2e7))), ("energy", float(rng.uniform(0.05, 1.0))))
    latency_ns = one.latency_ns
    if rng.random() < 0.3:
        more_s = float(rng.uniform(0.002, 0.04))
        demand, latency_ns = (*demand, (f"cpu{(at + 1) % len(LANES)}", more_s)), latency_ns + round(more_s * 1e9)
    return replace(one, artifact=artifact, demand=demand, latency_ns=latency_ns, accuracy=float(rng.uniform(0.6, 0.95)))
