"""Random mixes of networks on random boards, to learn from and to be judged by."""

from __future__ import annotations

import numpy as np

from cotenant.describe import (
    Artifact,
    Memory,
    Option,
    Platform,
    Poisson,
    Precision,
    Preemption,
    Processor,
    Share,
    Source,
    Step,
    Tenant,
    Work,
    Workload,
)
from cotenant.sim import Case
from cotenant.units import NS_PER_S

REQUESTS = 500
"""How many requests a mix has, about."""

CAPACITY_BYTES = 1 << 30
TILES, PLANNED, WIDTHS = 8, 2, (1, 2, 4, 8)
TILE_BYTES_PER_S = 16e9
"""As the SoC of MoCA (Kim et al., HPCA 2023): 8 tiles served as 4 servers of 2, 16 bytes per cycle of DRAM, at 1 GHz."""

Chains = list[tuple[Step, ...]]


def mix(seed: int) -> Case:
    """Draw a board, three to eight tenants and their arrivals: half of the boards are SoCs of tiles that share a memory."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["tiles", "unequal", "lanes"], p=[0.5, 0.35, 0.15])
    platform = {"tiles": tiles, "unequal": unequal, "lanes": lanes}[kind](rng)
    load = rng.uniform(0.5, 1.4)
    count = int(rng.integers(3, 9))
    served = [_served(f"t{index}", platform, load / count, rng) for index in range(count)]
    tenants = tuple(tenant for tenant, _ in served)
    rate_per_s = sum(tenant.arrival.rate_per_s for tenant in tenants)
    horizon_ns = int(REQUESTS / rate_per_s * NS_PER_S)
    requests = Workload(tenants=tenants, seed=seed).requests(horizon_ns)
    shares = tuple(share for _, own in served for share in own)
    return Case(tenants=tenants, shares=shares, platform=platform, requests=requests, horizon_ns=horizon_ns, seed=seed)


def tiles(rng: np.random.Generator) -> Platform:
    del rng
    processor = Processor(name="tiles", kind="tile", lanes=TILES, memory="dram", preemption=Preemption.SEGMENT)
    return _platform("tiles", (processor,), TILE_BYTES_PER_S)


def unequal(rng: np.random.Generator) -> Platform:
    processors = tuple(
        Processor(name=f"p{index}", kind=f"k{index}", lanes=int(rng.integers(1, 4)), memory="dram", preemption=Preemption.SEGMENT)
        for index in range(int(rng.integers(2, 4)))
    )
    return _platform("unequal", processors, float(rng.uniform(4e9, 30e9)) if rng.random() < 0.5 else None)


def lanes(rng: np.random.Generator) -> Platform:
    processor = Processor(name="p0", kind="k0", lanes=int(rng.integers(1, 5)), memory="dram", preemption=Preemption.SEGMENT)
    return _platform("lanes", (processor,), None)


def _platform(name: str, processors: tuple[Processor, ...], bytes_per_s: float | None) -> Platform:
    memory = Memory(name="dram", capacity_bytes=CAPACITY_BYTES, bandwidth_bytes_per_s=bytes_per_s)
    return Platform(name=name, processors=processors, memories=(memory,))


def _served(name: str, platform: Platform, load: float, rng: np.random.Generator) -> tuple[Tenant, tuple[Share, ...]]:
    """Draw a tenant that alone would take `load` of the board, and the ways to serve it; the first is planned."""
    chains = _tiled(rng) if platform.name == "tiles" else _spread(platform, rng)
    latency_ns = sum(step.duration_ns for step in chains[0])
    servers = platform.lanes / chains[0][0].width
    rate_per_s = load * servers * NS_PER_S / latency_ns
    tenant = Tenant(
        name=name,
        source=Source(model="zoo:none"),
        arrival=Poisson(rate_per_s=rate_per_s),
        rank=int(rng.integers(4)),
        deadline_ns=int(latency_ns * rng.uniform(1.5, 8.0)),
        work=Work(spread=float(rng.choice([0.0, 0.3]))),
    )
    artifact = Artifact(model=name, precision=Precision.FP32, engine="fake", memory="dram", resident_bytes=1)
    options = (
        Option(tenant=name, artifact=artifact, chain=chain, demand=(), latency_ns=sum(s.duration_ns for s in chain)) for chain in chains
    )
    return tenant, tuple(Share(option=option, rate_per_s=rate_per_s if index == 0 else 0.0) for index, option in enumerate(options))


def _tiled(rng: np.random.Generator) -> Chains:
    """Draw a network of tiles: max(C, M) + 0.5 min(C, M) with C shared by the tiles (Kim et al., 2023, section 4)."""
    segments = int(rng.integers(2, 11))
    size_ns = 10 ** rng.uniform(5.5, 7.0)
    compute_ns = rng.dirichlet(np.full(segments, 2.0)) * size_ns
    moved_bytes = compute_ns * rng.uniform(0.5, 8.0, segments)
    chains = []
    for width in (PLANNED, *(w for w in WIDTHS if w != PLANNED)):
        chain = []
        for index in range(segments):
            moving_ns = moved_bytes[index] / (TILE_BYTES_PER_S / NS_PER_S)
            computing_ns = compute_ns[index] / width
            duration_ns = int(max(moving_ns, computing_ns) + 0.5 * min(moving_ns, computing_ns)) + 1
            chain.append(Step(segment=index, processor="tiles", width=width, duration_ns=duration_ns, memory_bytes=int(moved_bytes[index])))
        chains.append(tuple(chain))
    return chains


def _spread(platform: Platform, rng: np.random.Generator) -> Chains:
    """Draw a network on unequal processors: planned on one to two of them, and whole on each."""
    segments = int(rng.integers(1, 9))
    size_ns = 10 ** rng.uniform(5.5, 7.0)
    bandwidth = platform.memories[0].bandwidth_bytes_per_s
    base_ns = rng.dirichlet(np.full(segments, 2.0)) * size_ns
    moved_bytes = base_ns * rng.uniform(0.2, 6.0, segments) if bandwidth is not None else np.zeros(segments)
    names = [p.name for p in platform.processors]
    slower = {name: rng.uniform(0.7, 1.3, segments) * (1.0 + 0.8 * index) for index, name in enumerate(names)}
    cut = int(rng.integers(segments + 1))
    one, other = rng.choice(names), rng.choice(names)
    planned = [str(one)] * cut + [str(other)] * (segments - cut)
    return [
        tuple(
            Step(
                segment=index,
                processor=name,
                width=1,
                duration_ns=int(base_ns[index] * slower[name][index]) + 1,
                memory_bytes=int(moved_bytes[index]),
            )
            for index, name in enumerate(where)
        )
        for where in (planned, *([name] * segments for name in names))
    ]
