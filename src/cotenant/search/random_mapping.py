"""The best of mappings drawn at random."""

from __future__ import annotations

import numpy as np

from cotenant.search.interface import Search
from cotenant.search.judge import Judge
from cotenant.search.menu import Choice, Menu


def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
    """Draw until the judge says stop: every option of a tenant is as likely as any other."""
    counts = np.array([len(own) for own in menu.own])
    while True:
        judge.worth([int(own[k]) for own, k in zip(menu.own, rng.integers(counts), strict=True)])


random_mapping = Search(choose=choose, about="the best of mappings drawn at random", anytime=True)
