"""A genetic algorithm over mappings (after Na et al., Applied Sciences 2022)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from cotenant.search.interface import Search
from cotenant.search.judge import Judge
from cotenant.search.menu import Choice, Menu

POPULATION = 100
ELITE = 2
TOURNAMENT = 3
CROSSOVER = 0.9

Genes = list[int]


def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
    """Breed until the judge says stop: one gene per tenant, its option."""
    near = tuple(_near(menu, own.tolist()) for own in menu.own)
    crowd = [[int(rng.choice(own)) for own in menu.own] for _ in range(POPULATION)]
    while True:
        worths = judge.worths(crowd)
        order = sorted(range(len(crowd)), key=lambda i: worths[i].order, reverse=True)
        ranks = {i: place for place, i in enumerate(order)}
        elite = [crowd[i] for i in order[:ELITE]]
        crowd = [*elite, *(_mutated(_child(crowd, ranks, rng), near, rng) for _ in range(POPULATION - ELITE))]


def _child(crowd: Sequence[Genes], ranks: dict[int, int], rng: np.random.Generator) -> Genes:
    """Cross two parents, each the best of a few: every tenant's option from either."""
    first, second = (min(rng.integers(len(crowd), size=TOURNAMENT).tolist(), key=ranks.__getitem__) for _ in range(2))
    if rng.random() >= CROSSOVER:
        return list(crowd[first])
    return [a if heads else b for a, b, heads in zip(crowd[first], crowd[second], rng.random(len(crowd[0])) < 0.5, strict=True)]


def _mutated(genes: Genes, near: Sequence[dict[int, tuple[int, ...]]], rng: np.random.Generator) -> Genes:
    """Move on the average one tenant: to an option next to its own, or as often to any."""
    moves = rng.random(len(genes)) < 1 / len(genes)
    return [_moved(gene, some, rng) if move else gene for gene, some, move in zip(genes, near, moves, strict=True)]


def _moved(gene: int, near: dict[int, tuple[int, ...]], rng: np.random.Generator) -> int:
    aims = near[gene] if rng.random() < 0.5 else tuple(near)
    return aims[int(rng.random() * len(aims))]


def _near(menu: Menu, own: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """List what is next to each option: one cut moved to the next that there is, or other processors at the same cuts.

    Where there is nothing of the kind, anything is.
    """
    lines: dict[tuple[object, ...], list[int]] = defaultdict(list)
    near: dict[int, set[int]] = {k: set() for k in own}
    for k in own:
        cuts = menu.cuts(k)
        lines[cuts,].append(k)
        for at in range(len(cuts)):
            lines[menu.processors(k), at, cuts[:at], cuts[at + 1 :]].append(k)
    for key, some in lines.items():
        line = sorted(some, key=lambda k: (menu.cuts(k), k))
        for place, k in enumerate(line):
            near[k].update(line if len(key) == 1 else line[max(place - 1, 0) : place + 2])
    return {k: tuple(sorted(near[k] - {k})) or tuple(own) for k in own}


genetic = Search(choose=choose, about="a genetic algorithm: tournament, crossover by tenant, moves to the next cut", anytime=True)
