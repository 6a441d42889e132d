"""Branch and bound over one option per tenant (Land and Doig, 1960)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cotenant.search.judge import Judge
from cotenant.search.menu import Choice
from cotenant.search.order import Duty, Order, Split, Worth
from cotenant.search.pool import Numbers

Part = tuple[float, ...]
"""An order, as a `Worth` has it, that no mapping which begins so exceeds."""

Promise = Callable[[Choice], Part]
Ahead = Callable[[Choice], Iterable[tuple[Part, int]]]
"""The options that may follow the first ones of a mapping, the most promising first, each with what it promises."""

NO_BOUND = float("inf")


def branch(judge: Judge, ahead: Ahead) -> Choice:
    """Return the best mapping by exact worth: tenant by tenant, the most promising option first."""
    _follow(judge, ahead, ())
    assert judge.best is not None, "the first descent is never cut off"
    return judge.best


def _follow(judge: Judge, ahead: Ahead, begun: Choice) -> None:
    if len(begun) == len(judge.menu.own):
        judge.worth(begun)
        return
    for part, option in ahead(begun):
        if is_beaten(judge, part):
            return
        _follow(judge, ahead, (*begun, option))


def is_beaten(judge: Judge, part: Part) -> bool:
    """Say whether what is promised is no better than what is known."""
    return judge.best_worth is not None and part <= judge.best_worth.order


def promise(judge: Judge, columns: Sequence[Numbers], most: Numbers, lists: Sequence[Sequence[int]]) -> Promise:
    """Promise what is possible where everybody still to be decided takes the least, and reaches the most, of all its options.

    `columns`: for each option what P = 1 takes of rows that hold for every mapping; `most`: no less than the P that it reaches alone;
    `lists`: each tenant's options. Every promise counts as a look.
    """
    least = [tuple(map(min, zip(*(columns[k] for k in some), strict=True))) for some in lists]
    greatest = [max(most[k] for k in some) for some in lists]

    def part(begun: Choice) -> Part:
        judge.step()
        taken = [*(columns[k] for k in begun), *least[len(begun) :]]
        p = judge.scale.divided(taken, [*(most[k] for k in begun), *greatest[len(begun) :]])
        return (NO_BOUND,) if p is None else _certain(judge.scale.order, judge.scale.order.worth(p))

    return part


def _certain(order: Order, worth: Worth) -> Part:
    """Keep of an order what more room can only raise: all up to where something is short."""
    parts = iter(worth.order)
    kept: list[float] = []
    for step in order.steps:
        lack = next(parts)
        match step:
            case Duty():
                kept.append(lack)
            case Split():
                kept += [0.0, next(parts)] if lack >= 0 else []
        if lack < 0:
            return (*kept, NO_BOUND)
    return tuple(kept)
