"""A crew planned for a board that is not this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cotenant.describe import Board, Crew, Goal, Network, Option, Plan, Platform, Solo, Tenant
from cotenant.describe.files import board, digest_of, read_board
from cotenant.describe.reserved import reserve
from cotenant.errors import InputError
from cotenant.plan import HEADROOM, VISITS, Effort, Offer, Refusal, chains, crowding, headroom_of, solve, timely
from cotenant.plan.difference import difference
from cotenant.plan.missed import outdone
from cotenant.plan.priority import Priority, weighted
from cotenant.plan.replan import Replanned, replan
from cotenant.plan.settled import settled, unsettled
from cotenant.plan.solve import start
from cotenant.plan.stalls import stalled, stalls
from cotenant.plan.written import objective_levels
from cotenant.registry import nearest
from cotenant.search import EXACT, Budget, Judge, Search, menu_of, named, run, searches, variants
from cotenant.study.estimated import Estimates, divided, networks_for
from cotenant.study.figures import Figures, figures_of

TOLD = 1e-4
"""Below this a gain that was left is rounding."""
GAP = 0.01
"""Within what of the bound a plan of single options is good enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Say what a plan for a board should be: how often a chain may come to each processor, and what may be drawn on the average.

    `power_w` None leaves the board's own limit, if it has one. `single`: one option for each tenant, within `GAP` of the bound;
    `search`: the one that this search chooses. `budget_s` of CPU time are spent on either at most, on `single` each time that room is left
    for what segments wait. With a plan `before`, nobody moves for a gain of less than a hundredth; `priority` says where weights come from.
    """

    visits: int = VISITS
    power_w: float | None = None
    allow_overload: bool = False
    single: bool = False
    search: str | None = None
    budget_s: float = 1.0
    seed: int = 0
    before: Plan | None = None
    priority: Priority = Priority.STATIC

    def __post_init__(self) -> None:
        if not 0 < self.budget_s < math.inf:
            raise InputError("--budget", self.budget_s, "CPU seconds, more than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """Hold what a crew may be served by on a board; `found` has its networks, `notes` say which are estimated, and how well."""

    crew: Crew
    board: Board
    platform: Platform
    found: Estimates
    offer: Offer
    notes: tuple[str, ...]

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        return self.crew.workload.tenants

    @property
    def options(self) -> tuple[Option, ...]:
        return self.offer.options


@dataclass(frozen=True, slots=True, kw_only=True)
class Boarded:
    """Hold a crew with its plan for a board: tenants with the weights planned by, and what changed since a plan before."""

    offered: Offered
    tenants: tuple[Tenant, ...]
    plan: Plan
    changes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def crew(self) -> Crew:
        return self.offered.crew

    @property
    def platform(self) -> Platform:
        """Return the board as the plan reckons with it, less what its processors lose waiting for memories."""
        return stalled(self.offered.platform, dict(self.plan.stalls))

    @property
    def options(self) -> tuple[Option, ...]:
        return self.offered.options

    @property
    def offer(self) -> Offer:
        return self.offered.offer

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.offered.notes, *self.remarks)

    def figures(self, option: Option) -> Figures:
        """Return how the figures of an option offered are known."""
        return figures_of(option, self.offered.found)


def _unproved(plan: Plan, tenants: Sequence[Tenant]) -> Iterator[str]:
    """Say whom a plan of single options starves without proof, and where it ended before it was within `GAP` of its bound."""
    for level in plan.levels:
        if level.goal is Goal.STARVED and outdone(level, ()):
            yield f"{level.tenants[-1]} gets nothing in the time that there was; more --budget may feed it"
    weight = {tenant.name: tenant.weight for tenant in tenants}
    for level in objective_levels(plan.levels):  # those after the first are reached by its choice, whatever the time
        size = sum(weight[name] for name in level.tenants) if level.goal is Goal.PROPORTIONAL else abs(level.value)
        if level.goal.value == plan.objective.value and level.bound - level.value > 1.5 * GAP * size:
            yield f"rank {level.rank}: {level.value:.6g} reached, {level.bound:.6g} not ruled out; more --budget may bring them together"
            return


def forewarned(plan: Plan, tenants: Sequence[Tenant], platform: Platform) -> Iterator[str]:
    """Say what a plan leaves processors free for, since they wait for memories, and who waits for longer than they are left free."""
    expected = stalls(plan.shares, platform) if plan.stalls else {}
    for name, stated in plan.stalls:
        memory, lost = platform.processor(name).memory, expected.get(name, 0.0)
        yield f"{name}: {stated:.1%} of its time is left free, as it waits for {memory} while others use it; {lost:.1%} is to be expected"
    for name, lost in unsettled(plan, tenants, platform).items():
        memory = platform.processor(name).memory
        yield f"{name}: {lost:.1%} of its busy time may be lost waiting for {memory}: not all of what is promised there may be reached"


def board_of(name: str) -> Board:
    """Return a board by its name, or from its file; InputError if there is none."""
    return read_board(Path(name)) if name.endswith((".yaml", ".yml")) else board(name)


def offered(crew: Crew, ask: Ask) -> Offered:
    """List what a crew may be served by on the board that it names; InputError for what the board does not know or cannot meet."""
    known = board_of(crew.platform)
    tenants = crew.workload.tenants
    platform = reserve(known.platform, tenants)
    platform = platform if ask.power_w is None else replace(platform, power_w=ask.power_w)
    found = divided(networks_for(tenants, known), tenants, platform)
    offer = _offer(tenants, found, platform, ask.visits)
    notes = (*found.notes, *_idle(platform, offer.options))
    return Offered(crew=crew, board=known, platform=platform, found=found, offer=offer, notes=notes)


def _idle(platform: Platform, options: Sequence[Option]) -> Iterator[str]:
    """Name the processors that no option can use."""
    used = {step.processor for option in options for step in option.chain}
    for processor in platform.processors:
        if processor.name not in used:
            yield f"{processor.name} of {platform.name} stays idle: no figures say how any of these networks could run on it in time"


def _offer(tenants: Sequence[Tenant], found: Estimates, platform: Platform, visits: int) -> Offer:
    """List each network's chains once, whichever tenants run it."""
    listed: dict[Network, tuple[Option, ...]] = {}
    options: dict[str, tuple[list[Option], list[Refusal]]] = {}
    for tenant in tenants:
        network = found.network(tenant.name)
        if network not in listed:
            listed[network] = chains(tenant, network, platform, visits=visits)
        options[tenant.name] = [replace(option, tenant=tenant.name) for option in listed[network]], []
    return timely(tenants, options, platform)


def planned(found: Offered, ask: Ask) -> Boarded:
    """Plan a crew for a board; InfeasibleError if it does not fit, InputError for a plan before that was made for another platform.

    A search is refused the crew that no plan serves; what its mapping misses of floors and arrivals, the plan says.
    """
    begun_s = time.perf_counter()
    tenants = weighted_as(found, ask.priority)
    plan, changes = _solved(found, tenants, ask)
    seconds = time.perf_counter() - begun_s
    crew = found.crew
    plan = replace(plan, seconds=seconds, policy=crew.policy, params=crew.params, crew=digest_of(crew), platform=digest_of(found.platform))
    remarks = (*crowding(plan), *forewarned(plan, tenants, found.platform), *(_unproved(plan, tenants) if ask.single else ()))
    return Boarded(offered=found, tenants=tenants, plan=plan, changes=changes, remarks=remarks)


def weighted_as(found: Offered, priority: Priority, solos: Sequence[Solo] | None = None) -> tuple[Tenant, ...]:
    """Return the tenants with the weights that a priority asks for; `solos` are those of a plan, found anew where it is None."""
    if priority is Priority.STATIC:
        return found.tenants
    known = start(found.tenants, found.options, found.platform, HEADROOM).solos if solos is None else solos
    return weighted(found.tenants, known, found.platform, priority)


def _solved(found: Offered, tenants: Sequence[Tenant], ask: Ask) -> tuple[Plan, tuple[str, ...]]:
    """Return the plan, and in words what is another since the plan before, if there was one."""
    if ask.before is not None and ask.before.platform not in {"", digest_of(found.platform)}:
        raise InputError(
            "--after",
            "the plan of another platform",
            f"one of {found.platform.name} as it is now, with the same --power and the same cores reserved",
        )
    headroom = headroom_of(tenants, found.options, found.platform, found.crew.objective, allow_overload=ask.allow_overload)
    chosen = None if ask.search is None else _searched(found, tenants, ask, ask.search, headroom)
    if ask.before is None or chosen is not None:
        plan = settled(tenants, found.platform, lambda platform: solve(
            tenants, found.options, platform, found.crew.objective, headroom=headroom,
            allow_overload=ask.allow_overload or chosen is not None, effort=_effort(ask), chosen=chosen,
        ))  # fmt: skip
        return plan, () if ask.before is None else difference(ask.before, plan)
    return _replanned(found, tenants, ask, ask.before, headroom)


def _replanned(found: Offered, tenants: Sequence[Tenant], ask: Ask, before: Plan, headroom: float) -> tuple[Plan, tuple[str, ...]]:
    """Return the plan that moves nobody for little, and what it changes."""
    tried: list[Replanned] = []

    def solving(platform: Platform) -> Plan:
        tried.append(replan(
            before, tenants, found.options, platform, found.crew.objective,
            headroom=headroom, allow_overload=ask.allow_overload, effort=_effort(ask),
        ))  # fmt: skip
        return tried[-1].plan

    plan = settled(tenants, found.platform, solving)
    taken, lines = next(one for one in tried if one.plan is plan), difference(before, plan)
    if taken.plan is not taken.best and taken.gain >= TOLD:
        lines = (*lines, f"nobody moves: the best plan would gain {taken.gain:.2%}")
    return plan, lines


def _effort(ask: Ask) -> Effort | None:
    """Return how long to look for single options from now on; None for mixtures."""
    if not ask.single:
        return None
    until_s = time.process_time() + ask.budget_s
    return Effort(gap=GAP, more=lambda: time.process_time() < until_s)


def _searched(found: Offered, tenants: Sequence[Tenant], ask: Ask, name: str, headroom: float) -> tuple[Option, ...]:
    """Return the option of each tenant that a search chooses; InfeasibleError where no plan could serve them, unless that is allowed."""
    search = _search(name)
    if not ask.allow_overload:
        solve(tenants, found.options, found.platform, found.crew.objective)
    menu = menu_of(tenants, found.options, found.platform, headroom)
    judge = Judge(menu, found.crew.objective)
    answer = run(search, menu, judge, Budget(seconds=ask.budget_s), ask.seed)
    return tuple(menu.problem.options[k] for k in answer.choice)


def _search(name: str) -> Search:
    """Return a search by its name; InputError lists them as `list searches` does."""
    if name.removesuffix(EXACT) not in searches.names():
        raise InputError("--search", name, nearest(name, variants(searches)))
    return named(searches, name, "--search")
