"""A tree search over mappings, decision by decision."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from cotenant.search.menu import Menu

EXPLORE = math.sqrt(2.0)
"""How much an unfamiliar branch counts beside a good one, for rewards in [0, 1] (Auer, Cesa-Bianchi and Fischer, 2002)."""

Branch = int | tuple["Branch", ...]
"""What is left to decide about one tenant: an option, or what can be decided next."""


@dataclass(slots=True)
class _Node:
    """Count how often a decision was made, and what came of it."""

    children: dict[int, _Node] = field(default_factory=dict)
    visits: int = 0
    total: float = 0.0


def descend(menu: Menu, reward: Callable[[Sequence[int]], float], rng: np.random.Generator, explore: float = EXPLORE) -> NoReturn:
    """Search by UCT (Kocsis and Szepesvari, 2006) until `reward`, which is given whole mappings and should be in [0, 1], raises.

    Tenant by tenant it decides on the processors, then on one cut after the other. A decision that was never made is tried before any
    is made twice; from there on chance decides.
    """
    branches = tuple(_branch(menu, own.tolist()) for own in menu.own)
    root = _Node()
    while True:
        path, mapping = _walk(root, branches, rng, explore)
        gained = reward(mapping)
        for node in path:
            node.visits += 1
            node.total += gained


def _walk(root: _Node, branches: Sequence[Branch], rng: np.random.Generator, explore: float) -> tuple[list[_Node], list[int]]:
    """Make every decision once; return the nodes that are known, one of them new, and the mapping."""
    path, mapping, is_known = [root], [], True
    for branch in branches:
        at = branch
        while not isinstance(at, int):
            if is_known:
                node, is_known, turn = _step(path[-1], len(at), rng, explore)
                path.append(node)
            else:
                turn = int(rng.random() * len(at))
            at = at[turn]
        mapping.append(at)
    return path, mapping


def _step(node: _Node, turns: int, rng: np.random.Generator, explore: float) -> tuple[_Node, bool, int]:
    """Take a turn: return where it leads, whether that was known, and which turn it is."""
    if len(node.children) < turns:
        fresh = [turn for turn in range(turns) if turn not in node.children]
        turn = fresh[int(rng.random() * len(fresh))]
        node.children[turn] = _Node()
        return node.children[turn], False, turn
    tried = math.log(node.visits)
    turn = max(node.children, key=lambda t: _promise(node.children[t], tried, explore))
    return node.children[turn], True, turn


def _promise(node: _Node, tried: float, explore: float) -> float:
    return node.total / node.visits + explore * math.sqrt(tried / node.visits)


def _branch(menu: Menu, own: Sequence[int], depth: int = 0) -> Branch:
    """Sort options by their processors, then by their first cut, and so on; where only one can follow nothing is decided."""
    if len(own) == 1:
        return own[0]
    groups: dict[tuple[int, ...], list[int]] = {}
    for k in own:
        groups.setdefault(_key(menu, k, depth), []).append(k)
    if len(groups) == 1:
        return _branch(menu, own, depth + 1)
    return tuple(_branch(menu, group, depth + 1) for _, group in sorted(groups.items()))


def _key(menu: Menu, option: int, depth: int) -> tuple[int, ...]:
    """Return what is decided about an option at a depth."""
    cuts = menu.cuts(option)
    if depth == 0:
        return menu.processors(option)
    return (cuts[depth - 1],) if depth <= len(cuts) else (option,)
