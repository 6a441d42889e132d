"""Which variants a tenant may be offered, and where."""

from __future__ import annotations

from collections.abc import Iterator

from cotenant.backend import Engine
from cotenant.describe import Judged, Platform, Precision, Processor, Tenant, Variant


def barred(tenant: Tenant, precision: Precision, judged: Judged) -> str | None:
    """Say why a precision need not even be judged; None if it must."""
    if tenant.allow is not None:
        return None if precision in tenant.allow else "not in its allow list"
    if precision is not Precision.FP32 and judged is Judged.UNKNOWN:
        return f"its fidelity cannot be judged without samples; give two or more, or allow: [{precision.value}]"
    return None


def refused(tenant: Tenant, variant: Variant) -> str | None:
    """Say why a judged variant is not offered; None if it is."""
    if variant.fidelity is not None and variant.fidelity < tenant.fidelity_floor:
        return f"fidelity {variant.fidelity:.3f} is below its floor of {tenant.fidelity_floor:g}"
    return None


def homes(platform: Platform, engine: Engine) -> Iterator[tuple[Processor, int]]:
    """List one processor of each kind that the engine may use, with each width, in lanes, to be timed.

    An engine that stays on its cores only with one thread is timed on one lane.
    """
    largest: dict[str, Processor] = {}
    for processor in platform.processors:
        known = largest.get(processor.kind)
        if engine.name in (processor.engines or (engine.name,)) and (known is None or known.lanes < processor.lanes):
            largest[processor.kind] = processor
    for processor in largest.values():
        for width in widths(processor.lanes) if engine.runs_wide else (1,):
            yield processor, width


def widths(lanes: int) -> tuple[int, ...]:
    """List every width up to four lanes; of more, powers of two and all lanes."""
    if lanes <= 4:
        return tuple(range(1, lanes + 1))
    return tuple(sorted({*(2**power for power in range(lanes.bit_length())), lanes}))
