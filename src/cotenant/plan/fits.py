"""Whether rates fit a platform; shares no code with the solver."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence, Set

from cotenant.describe import Artifact, Bind, Share
from cotenant.plan.ground import CLOSE, FITS, Ground


def misfits(shares: Sequence[Share], ground: Ground) -> Iterator[str]:
    """Say which rows and memories the rates do not fit; nothing if they fit."""
    for bind, of in _rows(ground):
        limit = ground.limit(bind, of)
        used = sum(ground.taken(bind, of, s.option) * s.rate_per_s for s in shares)
        size = sum(abs(ground.taken(bind, of, s.option)) * s.rate_per_s for s in shares)
        if used > limit + FITS * max(abs(limit), size):
            yield f"{bind.value} of {of}: {used:.7g} used of {limit:.7g}"
    artifacts = {s.option.artifact for s in shares}
    for memory in ground.platform.memories:
        resident = resident_bytes(artifacts, memory.name)
        if resident > memory.capacity_bytes:
            yield f"memory {memory.name}: {resident} bytes resident of {memory.capacity_bytes}"


def rates_per_s(shares: Sequence[Share], names: Iterable[str]) -> dict[str, float]:
    """Add up each tenant's shares."""
    return {name: math.fsum(s.rate_per_s for s in shares if s.option.tenant == name) for name in names}


def unequal(what: str, stated: float, computed: float, *, over: bool = False, slack: float = 0.0) -> list[str]:
    """Complain of a stated number that is not what was computed; `over`: of one that is less. An infinite one proves nothing.

    `slack`: by how much they may differ, where that is more than `CLOSE`.
    """
    slack = max(slack, CLOSE * max(1.0, abs(computed)))
    if math.isfinite(computed) and (computed - stated if over else abs(stated - computed)) <= slack:
        return []
    return [f"{what}: {stated:.9g} stated, {computed:.9g} computed"]


def _rows(ground: Ground) -> Iterator[tuple[Bind, str]]:
    yield from ((Bind.CAPACITY, name) for name in ground.resources())
    yield from ((Bind.HEADROOM, p.name) for p in ground.platform.processors)
    yield from ((bind, name) for name in ground.tenants for bind in (Bind.ARRIVALS, Bind.OUTSTANDING, Bind.ACCURACY))


def resident_bytes(artifacts: Set[Artifact], memory: str) -> int:
    """Return what artifacts take of a memory."""
    return sum(a.resident_bytes for a in artifacts if a.memory == memory)
