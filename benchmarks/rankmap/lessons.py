"""What the estimator learns from: drawn mappings of drawn mixes, simulated."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.rankmap.net import Array, Lessons
from benchmarks.rankmap.sample import Mix, board_of, drawn, options_of, tenants_of
from benchmarks.rankmap.served import flat_out
from cotenant.search import Choice, Menu, menu_of
from cotenant.search.estimator import features

SMALLEST, LARGEST = 2, 8
MAPPINGS: Final = 8
WHOLE: Final = 0.3
"""How often a tenant is mapped as a whole: of all chains few are."""

TRIES: Final = 8
"""Half of the mappings are the best of so many: the one whose busiest processor is least busy. A search asks about such, too."""

Groups = tuple[Sequence[int], Sequence[Sequence[int]]]
"""A tenant's whole mappings, and all of them by the processors that they visit."""

LESSON: Final = "lesson"
"""The kind of the mixes learnt from: drawn apart from those of the comparison, with which they share networks, not draws."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """Hold one mapping of a mix: what the estimator sees, and what came of it in the simulator."""

    mix: str
    board: str
    places: Array
    tenants: Array
    most: Array
    weight: Array
    p: Array


def lessons_of(board: str, index: int) -> list[Lesson]:
    """Simulate several mappings of one mix of 2 to 8 networks."""
    rng = np.random.default_rng([zlib.crc32(board.encode()), index])
    mix = drawn(board, int(rng.integers(SMALLEST, LARGEST + 1)), index, LESSON)
    tenants = tenants_of(mix)
    menu = menu_of(tenants, options_of(mix, tenants), board_of(board).platform)
    groups = [(menu.whole(i), _groups(menu, own.tolist())) for i, own in enumerate(menu.own)]
    return [_lesson(mix, menu, _mapping(menu, groups, rng, tries)) for turn in range(MAPPINGS) for tries in [1 + (TRIES - 1) * (turn % 2)]]


def _lesson(mix: Mix, menu: Menu, choice: Choice) -> Lesson:
    places, tenants = features(menu, choice)
    most, p = menu.most[list(choice)], flat_out(menu, choice)
    return Lesson(
        mix=mix.name, board=mix.board, places=places, tenants=tenants, most=most, weight=menu.weight, p=np.minimum(p, most),
    )  # fmt: skip


def _mapping(menu: Menu, groups: Sequence[Groups], rng: np.random.Generator, tries: int) -> Choice:
    """Draw mappings, and return the one whose busiest processor has least to do for one inference of each tenant's solo rate."""
    load = menu.load()
    drawn_ones = [tuple(_option(whole, parts, rng) for whole, parts in groups) for _ in range(tries)]
    return min(drawn_ones, key=lambda choice: load[:, list(choice)].sum(axis=1).max())


def _groups(menu: Menu, own: Sequence[int]) -> list[list[int]]:
    """Part a tenant's options by the processors that they visit."""
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for k in own:
        groups[menu.processors(k)].append(k)
    return list(groups.values())


def _option(whole: Sequence[int], groups: Sequence[Sequence[int]], rng: np.random.Generator) -> int:
    """Draw a whole mapping now and then; else first the processors, so that short chains come as often as long ones, then the cuts."""
    if rng.random() < WHOLE:
        return int(rng.choice(whole))
    return int(rng.choice(groups[int(rng.integers(len(groups)))]))


def joined(lessons: Iterable[Lesson]) -> list[Lessons]:
    """Join lessons, those with equally many processors into one."""
    groups: dict[int, list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        groups[lesson.places.shape[1]].append(lesson)
    return [_joined(some) for _, some in sorted(groups.items())]


def _joined(some: Sequence[Lesson]) -> Lessons:
    return Lessons(
        places=np.concatenate([one.places for one in some]), tenants=np.concatenate([one.tenants for one in some]),
        most=np.concatenate([one.most for one in some]), p=np.concatenate([one.p for one in some]),
    )  # fmt: skip
