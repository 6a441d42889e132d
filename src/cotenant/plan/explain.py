"""A plan in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from cotenant.describe import Goal, Option, Plan, Platform, Price, Promise, Share, Tenant, open_rate_per_s
from cotenant.plan.missed import incomparable, left_out, outdone, unbounded
from cotenant.plan.offered import Refusal
from cotenant.plan.serving import serving
from cotenant.plan.starving import starving
from cotenant.plan.words import listed
from cotenant.plan.written import objective_levels, priced_level

_FULL = 0.999  # of a capacity or of what is open to it: as good as all
_MOST_LISTED = 6  # options passed by, of each tenant: a board has hundreds of chains
_WORDS = {
    Goal.DEMAND: "what arrives", Goal.FLOORS: "the floors", Goal.STARVED: "who is left with nothing",
    Goal.PROPORTIONAL: "the sum of w log P", Goal.WEIGHTED: "the sum of w P", Goal.MAXMIN: "the least P / w",
    Goal.THROUGHPUT: "inferences per second", Goal.LOAD: "least load among equals",
}  # fmt: skip


def explain(plan: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, refused: Sequence[Refusal] = ()) -> str:
    """Say what is short, what an inference costs in others, why each tenant got its options, and how good the plan is.

    `refused` is what an offer left out; without it only the options offered are compared.
    """
    hungry, short = starving(plan, tenants, options, platform), _short(plan, tenants)
    lines = [
        *_whose_prices(plan),
        *_bottlenecks(plan, short),
        *(_exchange(plan) if all(price.resource in short for price in plan.prices if price.price > 0) else ()),
        *(line for tenant in tenants for line in _tenant(plan, tenant, options, refused, hungry.get(tenant.name, ""))),
        *_proof(plan),
    ]
    return "\n".join(lines)


def _whose_prices(plan: Plan) -> Iterator[str]:
    """Say of single options whose prices those are that the plan shows: they are proved by mixtures, which are better."""
    level = priced_level(plan.levels)
    if not plan.single or level is None or not any(price.price > 0 for price in plan.prices):
        return
    leaf, less = level.leaves[0], unbounded(plan.levels[: plan.levels.index(level)])
    is_part = leaf.sides or leaf.sieves or leaf.banned
    whose = "the best mixture of options such as these" if is_part else "the best plan, which may mix options"
    yield f"prices are those of {whose}{' and holds no less of what is due than this one' if less else ''}: not of one option each"


def _short(plan: Plan, tenants: Sequence[Tenant]) -> set[str]:
    """Name the resources that a price describes: those of which all is in use, or all that open work may have.

    A mixture pays for nothing else; of single options, whose prices are those of mixtures, not all that is paid for is.
    """
    if not plan.single:
        return {price.resource for price in plan.prices if price.price > 0}
    opens = {t.name for t in tenants if open_rate_per_s(t.arrival) is not None}
    open_work = [share for share in plan.shares if share.option.tenant in opens]
    return {price.resource for price in plan.prices if price.price > 0 and _is_full(price, open_work, plan.headroom)}


def _is_full(price: Price, open_work: Sequence[Share], headroom: float) -> bool:
    promised = sum(share.rate_per_s * share.option.demand_of(price.resource) for share in open_work)
    return max(price.used, promised / headroom) >= _FULL * price.capacity


def _bottlenecks(plan: Plan, short: Set[str]) -> Iterator[str]:
    whose = "that plan's" if plan.single else "the"
    for price in sorted(plan.prices, key=lambda p: -p.price * p.capacity):
        used = f"{price.resource}: {price.used:.3g} of {price.capacity:.3g} {price.unit} used"
        if price.resource in short:
            yield f"{used}; a bottleneck: 1 % more of it would add {price.price * price.capacity / 100:.2g} to {whose} objective"
        elif price.price > 0:
            yield f"{used}; not short here, though in that plan"
        else:
            yield f"{used}; not short" + ("" if price.used < _FULL * price.capacity else ", though all in use")
    if not any(price.price > 0 for price in plan.prices):
        yield "no resource is short: each tenant has all that its arrivals, or its requests in flight, allow"


def cost(plan: Plan, tenant: str) -> float:
    """Return what one inference of a tenant costs at the plan's prices, as it is served; 0 where nothing is short."""
    shares = serving(plan, tenant)
    rate = sum(share.rate_per_s for share in shares)
    return sum(share.rate_per_s / rate * _price(plan.prices, share.option) for share in shares) if rate > 0 else 0.0


def _price(prices: Sequence[Price], option: Option) -> float:
    return sum(price.price * option.demand_of(price.resource) for price in prices)


def _exchange(plan: Plan) -> Iterator[str]:
    """Compare the dearest tenant's inference with those of each other."""
    costs = {p.tenant: cost(plan, p.tenant) for p in plan.promises}
    priced = sorted((name for name in costs if costs[name] > 0), key=lambda name: -costs[name])
    for name in priced[1:]:
        yield f"one more {priced[0]} inference costs {_count(costs[priced[0]] / costs[name])} {name} inferences"


def _count(number: float) -> str:
    return f"{number:.0f}" if abs(number - round(number)) < 0.05 * number and number >= 2.5 else f"{number:.2g}"


def _tenant(plan: Plan, tenant: Tenant, options: Sequence[Option], refused: Sequence[Refusal], hungry: str) -> Iterator[str]:
    promise, shares = plan.promise(tenant.name), serving(plan, tenant.name)
    told = f"nothing: {hungry}" if hungry else f"{promise.rate_per_s:.4g}/s promised, {_extent(plan, tenant, promise)}"
    yield f"{tenant.name} (rank {tenant.rank}): {told}"
    for share in shares:
        faith = "" if share.option.fidelity is None else f", fidelity {share.option.fidelity:.3f}"
        yield f"  {share.rate_per_s:.4g}/s by {share.option.name}: {share.option.latency_ns / 1e6:.3g} ms{faith}"
    used = {share.option for share in shares}
    own = () if hungry else (o for o in options if o.tenant == tenant.name and o not in used)
    passed = sorted(own, key=lambda o: _price(plan.prices, o))
    yield from _listed([f"  not {o.name}: {_dearer(plan, o, tenant.name)}" for o in passed], "no cheaper")
    yield from _listed([f"  not {r.option}: {r.reason}" for r in refused if r.tenant == tenant.name], "for like reasons")


def _listed(lines: Sequence[str], rest: str) -> Iterator[str]:
    """Yield the first lines, and how many more there are."""
    yield from lines[:_MOST_LISTED]
    if len(lines) > _MOST_LISTED:
        yield f"  nor {len(lines) - _MOST_LISTED} others, {rest}"


def _extent(plan: Plan, tenant: Tenant, promise: Promise) -> str:
    arriving = open_rate_per_s(tenant.arrival)
    if arriving is not None and promise.rate_per_s >= _FULL * arriving:
        return "all that arrives"
    more = "" if arriving is None else f", {arriving:.4g}/s arrive"
    if tenant.floor > 0 and promise.p <= tenant.floor / _FULL:
        more += f", {'held at' if promise.p >= _FULL * tenant.floor else 'below'} its floor {tenant.floor:g}"
    return f"P = {promise.p:.3f} of {promise.solo_rate_per_s:.4g}/s alone{more}"


def _dearer(plan: Plan, option: Option, tenant: str) -> str:
    """Say why the plan passed an option by: what it costs at the prices, beside what is used."""
    price, own = _price(plan.prices, option), cost(plan, tenant)
    if own > 0 and price > own * 1.01:
        return f"{price / own:.2f} times as dear at these prices"
    if own > 0 and price > own * 1.000001:
        return f"{100 * (price / own - 1):.1g} % dearer at these prices"
    if own <= 0 < price:
        return "it takes what is short"
    if plan.single and price < own * 0.999999:
        return f"{100 * (1 - price / own):.2g} % cheaper at these prices, though not chosen"
    if plan.single:
        return "as dear at these prices"
    return "no better here: equals are settled by least load, by rank or by memory"


def _proof(plan: Plan) -> Iterator[str]:
    for at, level in enumerate(plan.levels):
        who = f" of {', '.join(level.tenants)}" if level.tenants else ""
        none = "none that holds as little can exceed" if unbounded(plan.levels[:at]) else "none can exceed"
        yield f"level {level.name}, {_WORDS[level.goal]}{who}: {level.value:.6g} reached, {none} {level.bound:.6g}"
    yield from objectives(plan)


def objectives(plan: Plan) -> Iterator[str]:
    """Say what the plan is worth and cannot exceed: a line for each rank whose tenants it divides something among, and one for all.

    Whom an objective leaves out is named; where a plan could hold more of what is due before, no bound is to be compared with.
    """
    several = len({level.rank for level in plan.levels if level.tenants}) > 1
    levels = objective_levels(plan.levels)
    told = {level.rank: (level, plan.levels[: plan.levels.index(level)]) for level in levels}
    empty = {level.rank for level in plan.levels if level.goal is Goal.STARVED and outdone(level, ())} - {
        level.rank for level in levels if level.goal is not Goal.DEMAND
    }
    for rank in sorted({*told, *empty}):
        of = f" of rank {rank}" if several else ""
        if rank in told:
            level, before = told[rank]
            what = f"arrivals served{of}" if level.goal is Goal.DEMAND else f"objective {plan.objective.value}{of}{_without(plan, rank)}"
            yield f"{what}: {_within(level.value, level.bound, unbounded(before))}"
        if rank in empty:
            yield f"objective {plan.objective.value}{of}{_without(plan, rank)}: nothing, though {unbounded(plan.levels)}"
    if len(levels) != 1:
        yield f"objective {plan.objective.value} in all: {_within(plan.value, plan.bound, incomparable(plan))}"


def _without(plan: Plan, rank: int) -> str:
    names = left_out(plan.levels, rank)
    return f", without {listed(names)}" if names else ""


def _within(value: float, bound: float, since: str) -> str:
    reached = f"{round(value, 12) + 0.0:.6g}"
    if since:
        return f"{reached}, no bound since {since}"
    return f"{reached}, bound {round(bound, 12) + 0.0:.6g}, gap {max(0.0, round(bound - value, 12)):.2g}"
