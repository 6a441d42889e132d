"""Every way to run a network over the processors of a board, one stretch of segments after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import ITEM, Artifact, Network, Option, Place, Platform, Step, Tenant
from cotenant.errors import InputError
from cotenant.plan.coarse import MOST_UNITS, coarse
from cotenant.plan.rows import ENERGY
from cotenant.units import NS_PER_S

BOARD = "board"
"""The engine of an option that is known by figures alone."""

VISITS = 1
"""How often a chain comes to each processor, at most, unless somebody asks for more."""

MORE_STEPS = 2
"""By how much the steps of a chain may exceed its visits: further ones hardly gain, and there are very many of them."""

_BLOCK = 256

Labels = NDArray[np.int64]
State = tuple[int, tuple[int, ...]]
"""At which place a chain stands, and how often it has come to each processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """Hold partial chains that stand in one state, none of which takes as much of everything as another.

    `taken`: ns on each processor's lanes, nanojoules, and ns in all, whole so that sums are exact; shape (chains, processors + 2).
    `starts`: where each stretch begins and at which place, -1 behind the last; shape (chains, stretches, 2).
    """

    taken: Labels
    starts: NDArray[np.int64]


def chains(tenant: Tenant, network: Network, platform: Platform, *, visits: int = VISITS) -> tuple[Option, ...]:
    """List the options of a tenant's network on a board that no other matches in all that a plan can see.

    A chain comes to each processor at most `visits` times. Those of more visits are cut at fewer places, and join those of fewer. The
    receiver of a handover is busy meanwhile; nothing is handed from one memory to another. Where power is limited, nothing runs where
    nobody measured what it draws. InputError for less than one visit, and for a network that no chain runs to its end.
    """
    if visits < 1:
        raise InputError("--visits", visits, "1 or more")
    taken, every = _listed(network, platform, visits)
    if not every and platform.power_w is not None:
        allowed = f"a board that says what each segment draws; {platform.name} does not say it of all of {network.name}"
        raise InputError("--power", f"{platform.power_w:g} W", allowed)
    if not every:
        raise InputError(f"tenants[{tenant.name}].model", tenant.source.model, f"a network of which {platform.name} runs every segment")
    order = np.lexsort((taken[:, -1], np.array([len(stretches) for stretches in every])))
    artifacts = {memory.name: _artifact(network, memory.name) for memory in platform.memories}
    return tuple(_option(tenant, network, platform, every[index], artifacts) for index in order)


def _listed(network: Network, platform: Platform, visits: int) -> tuple[Labels, list[list[_Stretch]]]:
    """Return what each chain takes and its stretches, of all that come to each processor at most so often; of equals that of fewer."""
    found_at, every = [], list[list[_Stretch]]()
    for most in range(1, visits + 1):
        units, sizes = coarse(network, MOST_UNITS // most)
        growth, firsts = _Growth(units, platform, most), np.cumsum([0, *sizes])
        found = growth.found()
        found_at.append(found.taken)
        every += [_stretches(starts, growth.places, firsts) for starts in found.starts]
    taken = np.concatenate(found_at)
    memory = np.array([platform.processor(stretches[0].place[0]).memory for stretches in every])
    inside = [np.flatnonzero(memory == one) for one in dict.fromkeys(memory)]
    kept = [index for own in inside for index in own[undominated(taken[own])]]
    return taken[kept], [every[index] for index in kept]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Hold the segments from `first` up to `stop`, all at one place."""

    place: Place
    first: int
    stop: int


class _Growth:
    """Extend chains segment by segment, and drop at each whom another in the same state beats (label correcting; Martins, 1984)."""

    def __init__(self, network: Network, platform: Platform, visits: int) -> None:
        self._network, self._visits, self._thrifty = network, visits, platform.power_w is not None
        self.places = tuple(dict.fromkeys(cost.place for segment in network.segments for cost in segment.costs))
        self._processors = tuple(p.name for p in platform.processors)
        self._at = [self._processors.index(processor) for processor, _ in self.places]
        self._memory = [platform.processor(processor).memory for processor, _ in self.places]
        self._most = min(visits + MORE_STEPS, visits * len({processor for processor, _ in self.places}))

    def found(self) -> Chains:
        none = (0,) * len(self._processors)
        empty = Chains(taken=np.zeros((1, len(none) + 2), dtype=np.int64), starts=np.full((1, self._most, 2), -1))
        states: Mapping[State, Chains] = {(p, self._came(none, p)): self._begun(empty, 0, 0, p) for p in range(len(self.places))}
        states = self._run(states, 0)
        for index in range(1, len(self._network.segments)):
            states = self._run(self._moved(states, index), index)
        inside = [[some for (place, _), some in states.items() if self._memory[place] == one] for one in dict.fromkeys(self._memory)]
        return _joined([_merged(some) for some in inside if some]) if states else Chains(taken=empty.taken[:0], starts=empty.starts[:0])

    def _came(self, visited: tuple[int, ...], place: int) -> tuple[int, ...]:
        return tuple(count + (at == self._at[place]) for at, count in enumerate(visited))

    def _run(self, states: Mapping[State, Chains], index: int) -> dict[State, Chains]:
        """Add what a segment takes where each chain stands; those that stand where it does not run end here."""
        costs = {cost.place: cost for cost in self._network.segments[index].costs}
        ran = {}
        for (place, visited), some in states.items():
            cost = costs.get(self.places[place])
            if cost is not None and not (self._thrifty and cost.power_w is None):
                nanojoules = round((cost.power_w or 0.0) * cost.duration_ns) if self._thrifty else 0
                ran[place, visited] = replace(some, taken=some.taken + self._row(place, cost.duration_ns, nanojoules))
        return ran

    def _row(self, place: int, duration_ns: int, nanojoules: int = 0) -> Labels:
        row = np.zeros(len(self._processors) + 2, dtype=np.int64)
        row[self._at[place]] = self.places[place][1] * duration_ns
        row[-2:] = nanojoules, duration_ns
        return row

    def _moved(self, states: Mapping[State, Chains], index: int) -> dict[State, Chains]:
        """Let each chain stay, or go on elsewhere from this segment on."""
        reached: dict[State, list[Chains]] = {}
        for (place, visited), some in states.items():
            reached.setdefault((place, visited), []).append(some)
            for target, handover_ns in self._targets(place, visited, index - 1):
                moved = self._begun(some, handover_ns, index, target)
                reached.setdefault((target, self._came(visited, target)), []).append(moved)
        return {state: _merged(some) for state, some in reached.items()}

    def _targets(self, place: int, visited: tuple[int, ...], behind: int) -> Iterator[tuple[int, int]]:
        for target, at in enumerate(self._at):
            near = at != self._at[place] and self._memory[target] == self._memory[place]
            if near and sum(visited) < self._most and visited[at] < self._visits:
                handover_ns = self._network.segments[behind].handover_ns(self.places[place][0], self.places[target][0])
                if handover_ns is not None:
                    yield target, handover_ns

    def _begun(self, some: Chains, handover_ns: int, index: int, place: int) -> Chains:
        starts = some.starts.copy()
        stretch = (starts[:, :, 1] >= 0).sum(axis=1)
        starts[np.arange(len(starts)), stretch] = index, place
        return Chains(taken=some.taken + self._row(place, handover_ns), starts=starts)


def _stretches(starts: NDArray[np.int64], places: Sequence[Place], firsts: NDArray[np.int64]) -> list[_Stretch]:
    """Return a chain's stretches; `firsts` has the network's segment at which each unit begins, and their number."""
    begun = [(int(firsts[unit]), places[place]) for unit, place in starts if place >= 0]
    ends = [*(first for first, _ in begun[1:]), int(firsts[-1])]
    return [_Stretch(place=place, first=first, stop=stop) for (first, place), stop in zip(begun, ends, strict=True)]


def _option(
    tenant: Tenant, network: Network, platform: Platform, stretches: Sequence[_Stretch], artifacts: Mapping[str, Artifact]
) -> Option:
    steps = tuple(_step(network, before, stretch) for before, stretch in zip([None, *stretches], stretches, strict=False))
    costs = [segment.cost_at(one.place) for one in stretches for segment in network.segments[one.first : one.stop]]
    demand: dict[str, float] = {}
    for step in steps:
        demand[step.processor] = demand.get(step.processor, 0.0) + step.width * step.duration_ns / NS_PER_S
        memory = platform.processor(step.processor).memory
        demand[memory] = demand.get(memory, 0.0) + step.memory_bytes
    demand[ENERGY] = sum((cost.power_w or 0.0) * cost.duration_ns / NS_PER_S for cost in costs)
    return Option(
        tenant=tenant.name,
        artifact=artifacts[platform.processor(steps[0].processor).memory],
        chain=steps,
        demand=tuple((name, amount) for name, amount in demand.items() if amount > 0),
        latency_ns=sum(step.duration_ns for step in steps),
    )


def _artifact(network: Network, memory: str) -> Artifact:
    """Name a network's weights: one copy, whatever processors of the board read it."""
    weights = sum(segment.counts.weight_bytes for segment in network.segments if segment.counts is not None)
    resident = round(weights * ITEM[network.precision])
    return Artifact(model=network.name, precision=network.precision, engine=BOARD, memory=memory, resident_bytes=resident)


def _step(network: Network, before: _Stretch | None, stretch: _Stretch) -> Step:
    processor, width = stretch.place
    costs = [segment.cost_at(stretch.place) for segment in network.segments[stretch.first : stretch.stop]]
    came_ns = network.segments[stretch.first - 1].handover_ns(before.place[0], processor) if before is not None else 0
    durations = [costs[0].duration_ns + (came_ns or 0), *(cost.duration_ns for cost in costs[1:])]
    return Step(
        segment=stretch.first, processor=processor, width=width, duration_ns=sum(durations),
        memory_bytes=sum(cost.memory_bytes for cost in costs), segments=len(costs), longest_ns=max(durations),
    )  # fmt: skip


def _joined(some: Sequence[Chains]) -> Chains:
    return Chains(taken=np.concatenate([one.taken for one in some]), starts=np.concatenate([one.starts for one in some]))


def _merged(some: Sequence[Chains]) -> Chains:
    """Join chains, and keep those that no other matches in everything; of equals the first."""
    if len(some) == 1:
        return some[0]
    every = _joined(some)
    kept = undominated(every.taken)
    return Chains(taken=every.taken[kept], starts=every.starts[kept])


def undominated(taken: Labels) -> NDArray[np.intp]:
    """Return the rows that no other row matches or beats in every column; of equal rows the first. Shape (rows, columns)."""
    order = np.lexsort((np.arange(len(taken)), taken.sum(axis=1)))
    best = taken[:0]
    kept: list[NDArray[np.intp]] = []
    for begin in range(0, len(order), _BLOCK):
        block = order[begin : begin + _BLOCK]
        if len(best):
            block = block[~_beaten(taken[block], best)]
        rows = taken[block]
        below = (rows[:, None, :] <= rows[None, :, :]).all(axis=2)  # [a, b]: a matches or beats b
        block = block[~np.triu(below, 1).any(axis=0)]
        kept.append(block)
        best = np.concatenate([best, taken[block]])
    return np.sort(np.concatenate(kept)) if kept else order


def _beaten(rows: Labels, by: Labels) -> NDArray[np.bool_]:
    """Say for each row whether one of `by` is at most as large in every column."""
    beaten = np.zeros(len(rows), dtype=np.bool_)
    for begin in range(0, len(by), _BLOCK):
        matched = np.all(by[None, begin : begin + _BLOCK, :] <= rows[:, None, :], axis=2)
        beaten |= np.asarray(np.any(matched, axis=1))
    return beaten
