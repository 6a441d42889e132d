"""The cells: one measurement of one mix each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.rankmap.decisions import decided
from benchmarks.rankmap.floors import ASKED, floored
from benchmarks.rankmap.promises import promised
from benchmarks.rankmap.sample import ALIKE, BOARDS, LARGE, SIZES, THREE, Mix, drawn
from benchmarks.rankmap.searching import searched
from benchmarks.rankmap.sensitivity import FACTORS, NOISES, handed, noisy, unremembered
from benchmarks.rankmap.store import Json

DECIDED, FLOORED, SEARCHED, NOISY, HANDED, MEMORY, PROMISED = "decided", "floored", "searched", "noisy", "handed", "memory", "promised"
LONG_S: Final = 30.0
"""What only a few mixes are given: what RankMap's own search takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Measure a part of the comparison on a mix, at a budget, a floor, a noise or a factor."""

    part: str
    mix: Mix
    at: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.part} {self.mix.name} {self.at:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Say how much is measured: mixes of each board and size, budgets, mixes that get the long one, mixes for what only some see."""

    name: str
    mixes: int
    budgets_s: tuple[float, ...]
    long: int
    some: int
    some_sizes: tuple[int, ...] = SIZES


QUICK: Final = Scope(name="quick", mixes=2, budgets_s=(0.01, 0.1), long=0, some=1, some_sizes=(4,))
FULL: Final = Scope(name="full", mixes=30, budgets_s=(0.01, 0.1, 1.0), long=10, some=5)


def cells(scope: Scope) -> tuple[Cell, ...]:
    """List the cells of a scope, the longest first."""
    return (*_long(scope), *_searched(scope), *_planned(scope), *_changed(scope))


def _mixes(count: int, sizes: tuple[int, ...] = SIZES) -> Iterator[Mix]:
    return (drawn(board, size, index) for index in range(count) for size in sizes for board in BOARDS)


def _long(scope: Scope) -> Iterator[Cell]:
    """Take mixes of all boards and sizes in turn."""
    for at in range(scope.long):
        yield Cell(part=SEARCHED, mix=drawn(BOARDS[at % len(BOARDS)], SIZES[at % len(SIZES)], at // len(BOARDS)), at=LONG_S)


def _searched(scope: Scope) -> Iterator[Cell]:
    return (Cell(part=SEARCHED, mix=mix, at=budget_s) for mix in _mixes(scope.mixes) for budget_s in scope.budgets_s)


def _planned(scope: Scope) -> Iterator[Cell]:
    for mix in _mixes(scope.mixes):
        yield Cell(part=DECIDED, mix=mix)
        yield from (Cell(part=FLOORED, mix=mix, at=floor) for floor in ASKED)
    for index in range(scope.mixes):
        yield from (Cell(part=DECIDED, mix=drawn(board, size, index, ALIKE)) for board in THREE for size in (3, 4, 5))
    for index in range(scope.some):
        yield from (Cell(part=DECIDED, mix=drawn(board, LARGE, index)) for board in BOARDS)


def _changed(scope: Scope) -> Iterator[Cell]:
    for mix in _mixes(scope.some, scope.some_sizes):
        yield Cell(part=PROMISED, mix=mix)
        yield Cell(part=MEMORY, mix=mix)
        yield from (Cell(part=NOISY, mix=mix, at=noise) for noise in NOISES)
        yield from (Cell(part=HANDED, mix=mix, at=factor) for factor in FACTORS)


def measured(cell: Cell) -> Json:
    """Measure a cell."""
    ways = {FLOORED: floored, NOISY: noisy, HANDED: handed}
    alone = {DECIDED: decided, MEMORY: unremembered, PROMISED: promised}
    if cell.part == SEARCHED:
        return searched(cell.mix, cell.at, anytime_only=cell.at == LONG_S)
    return alone[cell.part](cell.mix) if cell.part in alone else ways[cell.part](cell.mix, cell.at)
