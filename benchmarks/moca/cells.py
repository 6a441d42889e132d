"""The cells compared: sets at a QoS, with their workloads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks.moca import logs

CHOSEN, HELD, OTHER, LOGGED = "chosen", "held_out", "set_c", "logged"
GROUPS: Final = {CHOSEN: ("ab", 0), HELD: ("ab", 1000), OTHER: ("c", 0)}
"""Sets and first seed: where parameters of ours were chosen, the same sets with other seeds, and a set that was never used for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A set at a QoS, with the seeds that are drawn, or none for the arrivals of a log."""

    group: str
    set: str
    qos: str
    seeds: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.set.upper()}/{self.qos}"


def drawn_cells(groups: Iterable[str], seeds: int) -> tuple[Cell, ...]:
    """List every set at every QoS of these groups, each with so many seeds."""
    found = ((group, *GROUPS[group]) for group in groups)
    return tuple(
        Cell(group=group, set=s, qos=qos, seeds=tuple(range(first, first + seeds)))
        for group, sets, first in found
        for s in sets
        for qos in logs.QOS
    )


def logged_cells() -> tuple[Cell, ...]:
    return tuple(Cell(group=LOGGED, set=s, qos=qos) for s in "ab" for qos in logs.QOS)


@cache
def logs_of(cell: Cell, folder: Path | None) -> tuple[logs.Log, ...]:
    """Return the workloads of a cell: the same for every policy."""
    if cell.seeds:
        return tuple(logs.drawn(cell.set, cell.qos, seed=seed) for seed in cell.seeds)
    assert folder is not None
    return (logs.read(folder, cell.set, cell.qos, "static"),)
