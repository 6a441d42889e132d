"""What RK3399Pro's figures say of segments and transfers that nobody timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, fsum
from pathlib import Path
from typing import NamedTuple

from benchmarks.boards.draft import Unit
from benchmarks.boards.figures import layers, transfers
from benchmarks.boards.fit import Sample, error, fitted, predicted
from benchmarks.boards.rk3399pro import BYTES_PER_S, COMPONENTS, MEASURED, NETWORKS

ROLES = ("big", "little", "gpu")
LEAST_MS = 0.02  # what was timed behind a detection hands nothing on
SAME = 0.01
"""Segments whose counts differ by less, relatively, are the same: classifiers have 1000 classes or 1001."""

Pair = tuple[str, str]


class Learned(NamedTuple):
    """Segments with the ms measured, and what counts cost: ms alone, for 10^9 flop, and for MB of weights and of other tensors.

    `transfers` are ms alone and for each MB; `errors` and `transfer_errors` are the fits', as `fit.error` has them.
    """

    measured: Mapping[str, Sequence[tuple[Unit, float]]]
    costs: Mapping[str, tuple[float, ...]]
    errors: Mapping[str, float]
    transfers: Mapping[Pair, tuple[float, ...]]
    transfer_errors: Mapping[Pair, float]


def learned(folder: Path) -> Learned:
    """Fit both kinds of times; each network counts alike, however many segments it has."""
    units = {name: count() for name, (_, _, count) in NETWORKS.items()}
    samples = {role: _segments(units, folder, role) for role in ROLES}
    rows = {role: [Sample(counts(unit), ms, weight) for unit, ms, weight in samples[role]] for role in ROLES}
    costs = {role: fitted(rows[role]) for role in ROLES}
    handed = {pair: _handed(units, folder, pair) for pair in MEASURED}
    moving = {pair: fitted(handed[pair]) for pair in MEASURED}
    return Learned(
        {role: [(unit, ms) for unit, ms, _ in samples[role]] for role in ROLES},
        costs,
        {role: error(rows[role], costs[role]) for role in ROLES},
        moving,
        {pair: error(handed[pair], moving[pair]) for pair in MEASURED},
    )


def counts(unit: Unit) -> tuple[float, ...]:
    return 1.0, unit.flop / 1e9, unit.weight_bytes / 1e6, (unit.touched_bytes - unit.weight_bytes) / 1e6


def _segments(units: Mapping[str, list[Unit]], folder: Path, role: str) -> list[tuple[Unit, float, float]]:
    known = layers(folder)
    chains = {name: known[NETWORKS[name][0], COMPONENTS[role]] for name in units}
    return [(unit, layer.ms, 1 / len(chains[name])) for name in units for unit, layer in zip(units[name], chains[name], strict=True)]


def _handed(units: Mapping[str, list[Unit]], folder: Path, pair: Pair) -> list[Sample]:
    known = transfers(folder)
    source, target = (COMPONENTS[role] for role in pair)
    found = []
    for name, chain in units.items():
        behind = known[NETWORKS[name][0]]
        ms = {index: behind[index][source, target] for index in behind}
        kept = [index for index in ms if ms[index] > LEAST_MS]
        found += [Sample((1.0, chain[index].output_bytes / 1e6), ms[index], 1 / len(kept)) for index in kept]
    return found


def same(one: Unit, other: Unit) -> bool:
    """Say whether two segments compute and move the same."""
    pairs = zip(one[1:], other[1:], strict=True)
    return all(abs(a - b) <= SAME * max(a, b) for a, b in pairs)


def shape(known: Learned, role: str, units: Sequence[Unit], how: str) -> list[float]:
    """Return what segments take on RK3399Pro, or their flop where `how` is `flop`.

    `nearest` takes what was measured where the same segment was, in the mean over all of these; `fitted` never does.
    """
    if how == "flop":
        return [float(unit.flop) for unit in units]
    return [(how == "nearest" and _measured(known, role, unit)) or predicted(counts(unit), known.costs[role]) for unit in units]


def _measured(known: Learned, role: str, unit: Unit) -> float:
    """Return the mean of what the same segment took; 0 where none was measured."""
    alike = [ms for other, ms in known.measured[role] if same(unit, other)]
    return fsum(alike) / len(alike) if alike else 0.0


def settled(ms: Sequence[float], moved: Sequence[int], total_ns: int, bytes_per_s: float) -> list[int]:
    """Scale a shape such that its sum is met, and no segment takes less than its bytes at that bandwidth; ns."""
    least = [ceil(size / bytes_per_s * 1e9) for size in moved]
    held: set[int] = set()
    while True:
        left = total_ns - sum(least[index] for index in held)
        factor = left / fsum(time for index, time in enumerate(ms) if index not in held)
        short = {index for index, time in enumerate(ms) if index not in held and round(time * factor) < least[index]}
        if not short:
            break
        held |= short
    times = [least[index] if index in held else round(time * factor) for index, time in enumerate(ms)]
    times[max(range(len(times)), key=lambda index: times[index] - least[index])] += total_ns - sum(times)
    return times


def handover_ns(known: Learned, pair: Pair, size: int, bytes_per_s: float) -> int:
    """Return ns for handing bytes over: alone as on RK3399Pro, and for each byte so much less as the memory is faster."""
    alone_ms, ms_each = known.transfers[pair]
    return round((alone_ms + ms_each * size / 1e6 * BYTES_PER_S / bytes_per_s) * 1e6)


def fits(known: Learned, roles: Sequence[str]) -> str:
    """Return the fitted costs in words, line by line."""
    lines = []
    for role in roles:
        alone, flop, weights, others = known.costs[role]
        off = f"(off by {known.errors[role]:.0%})"
        lines.append(f"{role:8}{alone:g} + {flop:g} Gflop + {weights:g} MB of weights + {others:g} MB of tensors {off}")
    return "\n".join(f"           {line}" for line in lines)


def handovers(known: Learned, pairs: Sequence[Pair]) -> str:
    """Return the fitted handovers in words, line by line."""
    lines = []
    for source, target in pairs:
        (alone, each), off = known.transfers[source, target], known.transfer_errors[source, target]
        lines.append(f"{source} to {target}: {alone:g} + {each:g} MB (off by {off:.0%})")
    return "\n".join(f"           {line}" for line in lines)
