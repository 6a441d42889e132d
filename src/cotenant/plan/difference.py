"""What becomes of a crew from one plan to the next, in plain words.

One sentence a line: who comes and who goes; whose rank, model, promised rate or P (its share of what it would get alone) is another; who
moves, from which processors to which; which resource becomes a bottleneck and which is one no more. A tenant *moves* if it is served by
options that it was not served by before and keeps none, in part if it keeps some; it *splits* if it gets others beside all that it had; it
*joins* if one is left of several, and leaves those that it gives up otherwise; who only divides its requests otherwise *shifts*. Who has
another model does none of these. What is nothing of a tenant's rate counts as no option (`serving`). An option is named by its processors,
with the lanes at once where they are several, and the segments where a chain has several steps: `gpu[0-11]+big x4[12-23]`; engine and
precision are named where they change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cotenant.describe import Option, Plan, Price, Promise, Share
from cotenant.plan.replan import mapping, model_of
from cotenant.plan.serving import serving, told_per_s
from cotenant.plan.words import listed

SAME = 1e-3  # relative: what counts as the same rate, and absolute as the same P
SHIFTED = 0.01  # of a tenant's requests: what is worth telling of another division
_SHORT = 1e-6  # of what the dearest resource is worth: a price below it is rounding


def difference(before: Plan, after: Plan) -> tuple[str, ...]:
    """Say what changes, tenant by tenant in the order of the later plan, then what is short; one line where nothing does."""
    gone = [p.tenant for p in before.promises if p.tenant not in _promises(after)]
    names = [*_promises(after), *gone]
    lines = (*_objective(before, after), *(line for name in names for line in _tenant(before, after, name)), *_bottlenecks(before, after))
    return lines or ("nothing changes",)


def _promises(plan: Plan) -> dict[str, Promise]:
    return {promise.tenant: promise for promise in plan.promises}


def _objective(before: Plan, after: Plan) -> Iterator[str]:
    if before.objective is not after.objective:
        yield f"the objective is {after.objective.value} now; it was {before.objective.value}"


def _tenant(before: Plan, after: Plan, name: str) -> Iterator[str]:
    old, new = _promises(before).get(name), _promises(after).get(name)
    shares = serving(after if new else before, name)
    by = f"by {_served(shares, named=True)}" if shares else "by none: nothing is left for it"
    if old is None and new is not None:
        yield f"{name} comes{_at(_ranks(after).get(name))}: {told_per_s(new):.4g}/s promised, P = {new.p:.3f}, {by}"
    elif old is not None and new is None:
        yield f"{name} goes: it had {told_per_s(old):.4g}/s, P = {old.p:.3f}, {by}"
    elif old is not None and new is not None:
        yield from _rank(name, _ranks(before).get(name), _ranks(after).get(name))
        was, now = model_of(before, name), model_of(after, name)
        yield from _exchanged(name, was, now)
        yield from _promise(old, new)
        yield from _places(name, serving(before, name), serving(after, name), same=was == now)


def _ranks(plan: Plan) -> Mapping[str, int]:
    """Read each tenant's rank from the levels that serve it."""
    return {tenant: level.rank for level in plan.levels for tenant in level.tenants}


def _at(rank: int | None) -> str:
    return "" if rank is None else f" at rank {rank}"


def _exchanged(name: str, old: str | None, new: str | None) -> Iterator[str]:
    if old is not None and new is not None and old != new:
        yield f"{name} is {new} now; it was {old}"


def _rank(name: str, old: int | None, new: int | None) -> Iterator[str]:
    if old is not None and new is not None and old != new:
        yield f"{name} changes from rank {old} to rank {new}"


def _promise(old: Promise, new: Promise) -> Iterator[str]:
    was, now = told_per_s(old), told_per_s(new)
    same = abs(now - was) <= SAME * max(now, was)
    rate = f"{now:.4g}/s as before" if same else f"from {was:.4g}/s to {now:.4g}/s"
    if not same or abs(new.p - old.p) > SAME:
        yield f"{new.tenant}: {rate}, P from {old.p:.3f} to {new.p:.3f}"


def _places(name: str, old: Sequence[Share], new: Sequence[Share], *, same: bool) -> Iterator[str]:
    """Say where a tenant that stays was served, and where it is now; whose model is another (not the `same`) has not moved."""
    if old and new and same:
        yield from _moves(name, old, new)
    elif old and new:
        yield f"{name} is served by {_served(new, named=True)}"
    elif old:
        yield f"{name} is served no more; it was by {_served(old, named=True)}"
    elif new:
        yield f"{name} is served again, by {_served(new, named=True)}"


def _moves(name: str, old: Sequence[Share], new: Sequence[Share]) -> Iterator[str]:
    was, now = _parts(old), _parts(new)
    named = {_variant(s.option) for s in old} != {_variant(s.option) for s in new}
    change = f"from {_served(old, named=named)} to {_served(new, named=named)}"
    if not was.keys() & now.keys():
        yield f"{name} moves {change}"
    elif was.keys() < now.keys():
        yield f"{name} splits {change}"
    elif not now.keys() <= was.keys():
        yield f"{name} moves in part, {change}"
    elif now.keys() < was.keys():
        left = listed([_spoken(share.option, named=named) for share in old if mapping(share.option) not in now])
        stays = _served(new, named=named)
        yield f"{name} joins on {stays}, and leaves {left}" if len(now) == 1 else f"{name} leaves {left}, and stays on {stays}"
    elif any(abs(now[one] - was[one]) > SHIFTED for one in now):
        yield f"{name} shifts {change}"


def _parts(shares: Sequence[Share]) -> dict[tuple[object, ...], float]:
    """Return by mapping which part of a tenant's rate it serves."""
    rate = sum(share.rate_per_s for share in shares)
    return {mapping(share.option): share.rate_per_s / rate for share in shares}


def _served(shares: Sequence[Share], *, named: bool) -> str:
    """Name options, the most used first, each with its part where there are several."""
    if len(shares) == 1:
        return _spoken(shares[0].option, named=named)
    rate = sum(share.rate_per_s for share in shares)
    return listed([f"{_spoken(s.option, named=named)} ({_percent(s.rate_per_s / rate)})" for s in shares])


def _percent(part: float) -> str:
    return "under 1 %" if part < 0.01 else f"{100 * part:.0f} %"


def _variant(option: Option) -> tuple[str, ...]:
    return option.artifact.model, option.artifact.engine, option.artifact.precision.value


def _spoken(option: Option, *, named: bool) -> str:
    def span(first: int, count: int) -> str:
        if len(option.chain) == 1:
            return ""
        return f"[{first}]" if count == 1 else f"[{first}-{first + count - 1}]"

    places = (f"{s.processor}{f' x{s.width}' if s.width > 1 else ''}{span(s.segment, s.segments)}" for s in option.chain)
    variant = f"{option.artifact.engine} {option.artifact.precision.value} on " if named else ""
    return variant + "+".join(places)


def _bottlenecks(before: Plan, after: Plan) -> Iterator[str]:
    was, now = _short(before.prices), _short(after.prices)
    for name in [*now, *(name for name in was if name not in now)]:
        if name not in was:
            yield f"{name} becomes a bottleneck: 1 % more of it would add {_worth(now[name]):.2g} to the objective"
        elif name not in now:
            yield f"{name} is a bottleneck no more: 1 % more of it would have added {_worth(was[name]):.2g} to the objective"


def _short(prices: Sequence[Price]) -> Mapping[str, Price]:
    """Return the resources that an objective would be greater with more of."""
    most = max((_worth(price) for price in prices), default=0.0)
    return {price.resource: price for price in prices if _worth(price) > _SHORT * most}


def _worth(price: Price) -> float:
    """Return what 1 % more of a resource would add to the objective."""
    return price.price * price.capacity / 100
