"""Stalls: what of its lanes' time a processor loses while segments wait for a memory that others use.

A plan's row for a memory holds on the mean. But whoever wants much of it at the same moment is slowed, though on the mean there is room.
What is lost so is foretold here from a plan itself, by a mean field: each lane is taken to run what the plan gives it, each segment for its
share of the time, whatever the other lanes do; a memory is parted among those that run as the simulator does it. Seen in the time that
passes, a segment's speed is its mean speed, and it is there for longer the slower it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cotenant.cost.contention import demand
from cotenant.describe import Memory, Platform, Processor, Share, Step
from cotenant.units import NS_PER_S

Array = NDArray[np.float64]

_CASES = 1021  # states of all lanes that are looked at
_ROUNDS = 12  # whoever waits is there for longer, and is waited for more
_SAME = 0.003  # of a processor's time: what rounds may differ by


def stalls(shares: Sequence[Share], platform: Platform) -> dict[str, float]:
    """Return for each processor the share of its busy time, in [0, 1), that is lost while memories are parted; 0 where none is."""
    lost = dict.fromkeys((p.name for p in platform.processors), 0.0)
    for memory in platform.memories:
        sites = [_site(p, memory, shares) for p in platform.processors if p.memory == memory.name]
        busy = [site for site in sites if site.running.sum() > 0.0]
        if _may_stall(busy, memory):
            lost |= _lost(busy, memory)
    return lost


def stalled(platform: Platform, lost: Mapping[str, float]) -> Platform:
    """Return a platform whose processors lose this share of their lanes' time; whoever is not named loses none."""
    return replace(platform, processors=tuple(replace(p, stalled=lost.get(p.name, 0.0)) for p in platform.processors))


def unstalled(platform: Platform) -> Platform:
    """Return a platform as it is for a tenant alone."""
    return stalled(platform, {}) if any(p.stalled for p in platform.processors) else platform


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Site:
    """Hold what a processor runs by a plan: of each step how many run on the mean, alone, and what one asks of the memory; last, nothing.

    It runs `at_once` of them at a time.
    """

    processor: str
    at_once: int
    running: Array
    wants: Array
    alone_ns: Array
    compute_ns: Array
    unhidden: Array

    def chances(self, longer: Array) -> Array:
        """Return how likely each is found in a lane where it takes so many times what it takes alone."""
        there = self.running * longer
        there[-1] = max(0.0, self.at_once - there.sum())
        return np.asarray(there / there.sum())


def _site(processor: Processor, memory: Memory, shares: Sequence[Share]) -> _Site:
    used = [(share.rate_per_s, step) for share in shares for step in share.option.chain if step.processor == processor.name]
    running = np.array([rate_per_s * step.duration_ns / NS_PER_S for rate_per_s, step in used] + [0.0])
    widths = np.array([step.width for _, step in used] + [1])
    asked = [_asked(step, memory, processor) for _, step in used] + [(0.0, 0.0, 0.0)]
    wants, compute_ns, unhidden = (np.array(column, dtype=np.float64) for column in zip(*asked, strict=True))
    return _Site(
        processor=processor.name,
        at_once=max(1, round(processor.lanes * running.sum() / max(float(running @ widths), 1e-300))),
        running=running,
        wants=wants,
        alone_ns=np.array([*(float(step.duration_ns) for _, step in used), 0.0]),
        compute_ns=compute_ns,
        unhidden=unhidden,
    )


def _asked(step: Step, memory: Memory, processor: Processor) -> tuple[float, float, float]:
    return demand(step.duration_ns, step.memory_bytes, memory.bandwidth_bytes_per_s, processor.unhidden)


def _may_stall(sites: Sequence[_Site], memory: Memory) -> bool:
    if memory.interference > 0.0:
        return sum(site.at_once for site in sites) > 1
    return sum(site.at_once * float(site.wants.max()) for site in sites) > _bytes_per_ns(memory)


def _bytes_per_ns(memory: Memory) -> float:
    return np.inf if memory.bandwidth_bytes_per_s is None else memory.bandwidth_bytes_per_s / NS_PER_S


def _lost(sites: Sequence[_Site], memory: Memory) -> dict[str, float]:
    """Look at states of all lanes again and again, each step there for as long as it was found to take before."""
    longer, lost = [np.ones_like(site.running) for site in sites], np.zeros(len(sites))
    for _ in range(_ROUNDS):
        longer, before = _found(sites, longer, memory), lost
        lost = np.array([1.0 - site.running.sum() / (site.running @ times) for site, times in zip(sites, longer, strict=True)])
        if np.abs(lost - before).max() < _SAME:
            break
    return dict(zip((site.processor for site in sites), lost.tolist(), strict=True))


def _found(sites: Sequence[_Site], longer: Sequence[Array], memory: Memory) -> list[Array]:
    """Return how many times what it takes alone each step takes on the mean, over states of all lanes."""
    held = [(site, np.cumsum(site.chances(times))) for site, times in zip(sites, longer, strict=True) for _ in range(site.at_once)]
    lanes = [
        (site, np.minimum(np.searchsorted(upto, at, side="right"), len(upto) - 1))
        for (site, upto), at in zip(held, _evenly(len(held)), strict=True)
    ]
    wants = np.array([site.wants[k] for site, k in lanes])
    granted = granted_shares(wants, _bytes_per_ns(memory))
    running = np.array([k < len(site.wants) - 1 for site, k in lanes]).sum(axis=0)
    most = 1.0 / (1.0 + memory.interference * np.maximum(running - 1, 0))
    found = {site.processor: (np.zeros_like(site.running), np.zeros_like(site.running)) for site in sites}
    for (site, k), share in zip(lanes, granted, strict=True):
        speed = np.minimum(speeds(share, site.alone_ns[k], site.compute_ns[k], site.unhidden[k]), most)
        seen, work = found[site.processor]
        seen += np.bincount(k, minlength=len(seen))
        work += np.bincount(k, weights=speed, minlength=len(work))
    return [np.divide(seen, work, out=np.ones_like(seen), where=work > 0.0) for seen, work in (found[site.processor] for site in sites)]


def _evenly(lanes: int) -> Array:
    """Fill the unit cube of so many dimensions evenly, by the sequence of Roberts (2018); shape (lanes, cases)."""
    golden = 2.0
    for _ in range(60):
        golden = (1.0 + golden) ** (1.0 / (lanes + 1))
    steps = (1.0 / golden) ** np.arange(1, lanes + 1)
    return np.asarray((0.5 + steps[:, None] * np.arange(1, _CASES + 1)) % 1.0)


def granted_shares(wants: Array, capacity: float) -> Array:
    """Part a capacity by max-min in each column; return what of its want each gets, 1 for no want. Shapes (wanting, cases)."""
    rising = np.sort(wants, axis=0)
    before = np.cumsum(rising, axis=0) - rising
    left = np.arange(len(wants), 0, -1)[:, None]
    fair = (capacity - before) / left
    short = rising > fair
    level = np.where(short.any(axis=0), np.take_along_axis(fair, short.argmax(axis=0)[None], axis=0)[0], np.inf)
    return np.divide(np.minimum(wants, level), wants, out=np.ones_like(wants), where=wants > 0.0)


def speeds(granted: Array, alone_ns: Array, compute_ns: Array, unhidden: Array) -> Array:
    """Return the speeds over those alone, as `cost.contention.slowed` has them one by one."""
    longer_ns = alone_ns - unhidden * compute_ns
    shorter_ns = np.divide(alone_ns - compute_ns, unhidden, out=np.zeros_like(alone_ns), where=unhidden > 0.0)
    moves_ns = np.where(longer_ns >= compute_ns, longer_ns, shorter_ns) / granted
    taken_ns = np.maximum(compute_ns, moves_ns) + unhidden * np.minimum(compute_ns, moves_ns)
    return np.divide(alone_ns, taken_ns, out=np.ones_like(alone_ns), where=(taken_ns > 0.0) & (unhidden > 0.0)) * np.where(
        unhidden > 0.0, 1.0, granted
    )
