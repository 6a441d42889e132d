"""Stalls: what of its lanes' time a processor loses while segments wait for a memory that others use.

A plan's row for a memory holds on the mean. But whoever wants much of it at the same moment is slowed, though on the mean there is room.
What is lost so is foretold here from a plan itself, by a mean field: each lane is taken to run what the plan gives it, each step for its
share of the time and at its mean bandwidth, whatever the other lanes do; a memory is parted among those that run by max-min, as for a
policy that grants no shares. Seen in the time that passes, a step's speed is its mean speed, and it is there for longer the slower it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cotenant.cost.contention import roofline
from cotenant.describe import Memory, Platform, Processor, Share
from cotenant.plan.parted import Array, granted_shares, speeds
from cotenant.units import NS_PER_S

States = NDArray[np.intp]

_CASES = 1021  # states of all lanes that are looked at
_ROUNDS = 12  # whoever waits is there for longer, and is waited for more
_SAME = 0.003  # of a processor's time: what rounds may differ by


def stalls(shares: Sequence[Share], platform: Platform) -> dict[str, float]:
    """Return for each processor the share of its busy lanes' time, in [0, 1), that is lost while memories are parted; 0 where none is."""
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
    """Hold what a processor runs by a plan: of each step its width, how many of it run on the mean, alone, and what one asks of the memory.

    The last stands for nothing. `slots` says by width how many steps of it run side by side: at any moment all that run are of one width.
    """

    processor: str
    slots: Mapping[int, int]
    widths: NDArray[np.intp]
    running: Array
    wants: Array
    alone_ns: Array
    compute_ns: Array
    unhidden: Array

    @property
    def rows(self) -> int:
        """Return how many numbers draw a state: one for each slot, and one for the width where there are several."""
        return max(self.slots.values()) + (len(self.slots) > 1)

    def lost(self, longer: Array) -> float:
        """Return what is lost of its lanes' time where each step takes so many times what it takes alone."""
        lanes = self.running * self.widths
        return max(0.0, float(1.0 - lanes @ np.ones_like(lanes) / (lanes @ longer)))

    def states(self, longer: Array, evenly: Array) -> States:
        """Return what its slots run where each step takes so long; shape (slots, cases), from numbers in [0, 1) of shape (rows, cases)."""
        there = self.running * longer
        taken = {width: float(there[self.widths == width].sum()) / slots for width, slots in self.slots.items()}
        busy = min(1.0, sum(taken.values()))
        upto = np.cumsum(list(taken.values())) / sum(taken.values())
        mode = np.searchsorted(upto[:-1], evenly[-1], side="right")
        nothing = len(self.running) - 1
        found = np.full((max(self.slots.values()), evenly.shape[1]), nothing, dtype=np.intp)
        for at, (width, slots) in enumerate(self.slots.items()):
            own = np.flatnonzero(self.widths == width)
            chances = np.cumsum(there[own]) / there[own].sum() * busy
            cases = np.flatnonzero(mode == at)
            drawn = np.searchsorted(chances, evenly[:slots, cases], side="right")
            found[:slots, cases] = np.append(own, nothing)[drawn]
        return found


def _site(processor: Processor, memory: Memory, shares: Sequence[Share]) -> _Site:
    used = [
        (share.rate_per_s * step.duration_ns / NS_PER_S, step)
        for share in shares
        for step in share.option.chain
        if step.processor == processor.name and share.rate_per_s * step.duration_ns > 0
    ]
    peak, unhidden_part = memory.bandwidth_bytes_per_s, processor.unhidden
    asked = [roofline(step.duration_ns, step.memory_bytes, peak, unhidden_part) for _, step in used] + [(0.0, 0.0, 0.0)]
    wants, compute_ns, unhidden = (np.array(column, dtype=np.float64) for column in zip(*asked, strict=True))
    return _Site(
        processor=processor.name,
        slots={width: max(1, processor.lanes // width) for width in sorted({step.width for _, step in used})},
        widths=np.array([*(step.width for _, step in used), 0]),
        running=np.array([*(running for running, _ in used), 0.0]),
        wants=wants,
        alone_ns=np.array([*(float(step.duration_ns) for _, step in used), 0.0]),
        compute_ns=compute_ns,
        unhidden=unhidden,
    )


def _may_stall(sites: Sequence[_Site], memory: Memory) -> bool:
    if memory.interference > 0.0:
        return sum(max(site.slots.values()) for site in sites) > 1
    most = (max(slots * float(site.wants[site.widths == width].max()) for width, slots in site.slots.items()) for site in sites)
    return sum(most) > _bytes_per_ns(memory)


def _bytes_per_ns(memory: Memory) -> float:
    return np.inf if memory.bandwidth_bytes_per_s is None else memory.bandwidth_bytes_per_s / NS_PER_S


def _lost(sites: Sequence[_Site], memory: Memory) -> dict[str, float]:
    """Look at states of all lanes again and again, each step there for as long as it was found to take before."""
    longer, lost = [np.ones_like(site.running) for site in sites], np.zeros(len(sites))
    numbers = np.split(_evenly(sum(site.rows for site in sites)), np.cumsum([site.rows for site in sites])[:-1])
    for _ in range(_ROUNDS):
        drawn = [site.states(times, own) for site, times, own in zip(sites, longer, numbers, strict=True)]
        longer, before = _found(sites, drawn, memory), lost
        lost = np.array([site.lost(times) for site, times in zip(sites, longer, strict=True)])
        if np.abs(lost - before).max() < _SAME:
            break
    return dict(zip((site.processor for site in sites), lost.tolist(), strict=True))


def _found(sites: Sequence[_Site], drawn: Sequence[States], memory: Memory) -> list[Array]:
    """Return how many times what it takes alone each step takes on the mean, over states of all lanes."""
    wants = np.concatenate([site.wants[states] for site, states in zip(sites, drawn, strict=True)])
    granted = granted_shares(wants, _bytes_per_ns(memory))
    running = sum((states < len(site.running) - 1).sum(axis=0) for site, states in zip(sites, drawn, strict=True))
    most = 1.0 / (1.0 + memory.interference * np.maximum(running - 1, 0))
    parts = np.split(granted, np.cumsum([len(states) for states in drawn])[:-1])
    return [_longer(site, states, share, most) for site, states, share in zip(sites, drawn, parts, strict=True)]


def _longer(site: _Site, states: States, share: Array, most: Array) -> Array:
    """Return how many times what it takes alone each step of a processor takes: over its mean speed; 1 where it was not seen."""
    speed = np.minimum(speeds(share, site.alone_ns[states], site.compute_ns[states], site.unhidden[states]), most)
    seen = np.bincount(states.ravel(), minlength=len(site.running)).astype(np.float64)
    work = np.bincount(states.ravel(), weights=speed.ravel(), minlength=len(site.running))
    return np.divide(seen, work, out=np.ones_like(seen), where=work > 0.0)


def _evenly(rows: int) -> Array:
    """Fill the unit cube of so many dimensions evenly, by the sequence of Roberts (2018); shape (rows, cases)."""
    golden = 2.0
    for _ in range(60):
        golden = (1.0 + golden) ** (1.0 / (rows + 1))
    steps = (1.0 / golden) ** np.arange(1, rows + 1)
    return np.asarray((0.5 + steps[:, None] * np.arange(1, _CASES + 1)) % 1.0)
