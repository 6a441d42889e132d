"""The cells compared: sets at a QoS, with their workloads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks.moca import logs

CHOSEN, LOADS, HELD, OTHER, LOGGED = "chosen", "loads", "held_out", "set_c", "logged"
SWEPT: Final = (0.8, 1.0, 1.2)
GROUPS: Final = {CHOSEN: ("ab", 0, (1.0,)), LOADS: ("ab", 0, SWEPT), HELD: ("ab", 1000, (1.0,)), OTHER: ("c", 0, (1.0,))}
"""Sets, first seed and loads: where parameters of ours were chosen, at the load of the logs, which is 1, and around it; the same with other
seeds; and a set that was never used for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A set at a QoS and a load, with the seeds that are drawn, or none for the arrivals of a log."""

    group: str
    set: str
    qos: str
    seeds: tuple[int, ...] = ()
    load: float = 1.0

    @property
    def name(self) -> str:
        return f"{self.set.upper()}/{self.qos}" + (f" x{self.load:g}" if self.load != 1.0 else "")


def drawn_cells(groups: Iterable[str], seeds: int) -> tuple[Cell, ...]:
    """List every set at every QoS and load of these groups, each with so many seeds."""
    found = ((group, *GROUPS[group]) for group in groups)
    return tuple(
        Cell(group=group, set=s, qos=qos, seeds=tuple(range(first, first + seeds)), load=load)
        for group, sets, first, loads in found
        for load in loads
        for s in sets
        for qos in logs.QOS
    )


def logged_cells() -> tuple[Cell, ...]:
    return tuple(Cell(group=LOGGED, set=s, qos=qos) for s in "ab" for qos in logs.QOS)


@cache
def logs_of(cell: Cell, folder: Path | None) -> tuple[logs.Log, ...]:
    """Return the workloads of a cell: the same for every policy."""
    if cell.seeds:
        return tuple(logs.drawn(cell.set, cell.qos, seed=seed, factor=logs.FACTORS[cell.set] / cell.load) for seed in cell.seeds)
    assert folder is not None
    return (logs.read(folder, cell.set, cell.qos, "static"),)
