"""What `plan` was asked for, on this machine or on a board; heavy to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from cotenant.cli import measure, offered, saved
from cotenant.cli.options import AUTO, priority_of, visits_of
from cotenant.describe import Crew, Objective, Plan
from cotenant.describe.files import Filed, digest_of, filed_tree, read_crew, read_plan
from cotenant.errors import InputError
from cotenant.plan import VISITS
from cotenant.plan.missed import incomparable
from cotenant.plan.priority import Priority
from cotenant.plan.settled import overstated
from cotenant.study import boardplan
from cotenant.study.boardplan import Boarded
from cotenant.study.prepare import Profiled
from cotenant.study.prepared import Prepared

GIVEN = "given"
"""What is said of a flag, which has no value, where it is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Hold the options of the command; None leaves what the crew or a plan's file says."""

    crew: Path | None
    platform: str | None = None
    objective: Objective | None = None
    visits: int | None = None
    power_w: float | None = None
    single: bool = False
    search: str | None = None
    budget_s: float | None = None
    after: Path | None = None
    priority: Priority | None = None
    precision: Sequence[str] | None = None
    allow_overload: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Hold a crew as it is to be planned, where its file is, and the plan so far, if there is one."""

    file: Path
    crew: Crew
    wish: Wish
    before: Plan | None = None

    @property
    def on_board(self) -> bool:
        return self.crew.platform != AUTO

    @property
    def ask(self) -> boardplan.Ask:
        wish = self.wish
        ask = boardplan.Ask(
            visits=wish.visits or VISITS, power_w=wish.power_w, allow_overload=wish.allow_overload, single=wish.single,
            search=wish.search, before=self.before, priority=wish.priority or Priority.STATIC,
        )  # fmt: skip
        return ask if wish.budget_s is None else replace(ask, budget_s=wish.budget_s)


def wanted(wish: Wish, given: Filed | None = None) -> Wanted:
    """Join what the command says with what its crew, and the plan that it checks, say.

    InputError without a crew, and for what only a board knows where this machine is planned.
    """
    if given is not None:
        wish = replace(
            wish,
            crew=wish.crew or (Path(given.crew_file) if given.crew_file else None),
            platform=wish.platform or given.platform_name or None,
            visits=wish.visits or visits_of(given.visits, "--check: visits"),
            power_w=wish.power_w or given.power_w,
            objective=given.plan.objective,
            priority=wish.priority or priority_of(given.priority, "--check: priority"),
        )
    if wish.crew is None:
        raise InputError("CREW", "missing", "a crew file; only --check of what `plan --json` printed knows its own")
    crew = read_crew(wish.crew)
    crew = replace(crew, platform=wish.platform or crew.platform, objective=wish.objective or crew.objective)
    found = Wanted(file=wish.crew, crew=crew, wish=wish)
    _refuse_idle(wish)
    if not found.on_board:
        _refuse_on_machine(wish)
    elif wish.precision is not None:
        raise InputError("--precision", ", ".join(wish.precision), f"left out: {crew.platform} knows each network in one precision")
    return found if wish.after is None else replace(found, before=read_plan(wish.after))


def refuse_beside_check(wish: Wish, more: Mapping[str, object]) -> None:
    """Refuse what asks for a plan where one is to be proved."""
    asked = {"--single": GIVEN if wish.single else None, "--search": wish.search, "--budget": wish.budget_s, "--after": wish.after, **more}
    for option, value in asked.items():
        if value is not None:
            raise InputError(option, value, "left out with --check, which makes no plan")


def _refuse_idle(wish: Wish) -> None:
    """Refuse options that would change nothing."""
    if wish.single and wish.search is not None:
        raise InputError("--search", wish.search, "left out with --single, which is the planner's own search")
    if wish.budget_s is not None and not wish.single and wish.search is None:
        raise InputError("--budget", wish.budget_s, "--single or --search, which it is for: a plan of mixtures has an end of its own")


def _refuse_on_machine(wish: Wish) -> None:
    asked = {
        "--visits": wish.visits if wish.visits != VISITS else None, "--power": wish.power_w, "--single": GIVEN if wish.single else None,
        "--search": wish.search, "--budget": wish.budget_s, "--after": wish.after,
        "--priority": None if wish.priority in {None, Priority.STATIC} else "dynamic",
    }  # fmt: skip
    for option, value in asked.items():
        if value is not None:
            raise InputError(option, value, "a board, by --platform: here models run whole, by the options that were measured")


def planned(asked: Wanted) -> Prepared | Boarded:
    """Plan what was asked for; InfeasibleError if it does not fit."""
    if asked.on_board:
        return boardplan.planned(boardplan.offered(asked.crew, asked.ask), asked.ask)
    return measure.plan_of(_profiled(asked), allow_overload=asked.wish.allow_overload)


def _profiled(asked: Wanted) -> Profiled:
    found = measure.measure(asked.file, measure.permitted(asked.wish.precision))
    return replace(found, crew=asked.crew)


def tree(asked: Wanted, plan: Plan) -> dict[str, Any]:
    """Return a plan with what it takes to check it again."""
    ask = asked.ask
    filed = Filed(
        plan=plan, crew_file=str(asked.file.absolute()), platform_name=asked.crew.platform, visits=ask.visits, power_w=ask.power_w,
        priority=ask.priority.value,
    )  # fmt: skip
    return filed_tree(filed)


def verdict(asked: Wanted, plan: Plan, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Prove a plan again, and what a file shows of it; InputError for that of another crew or platform.

    `no_bound_since` says why the bound proved is not to be compared with the value, None where it is.
    """
    return _verdict(asked, plan, shown) | {"no_bound_since": incomparable(plan) or None}


def _verdict(asked: Wanted, plan: Plan, shown: Mapping[str, Any]) -> dict[str, Any]:
    if asked.on_board:
        found = boardplan.offered(asked.crew, asked.ask)
        _refuse_other(plan, digest_of(asked.crew), digest_of(found.platform))
        tenants = boardplan.weighted_as(found, asked.ask.priority, plan.solos)
        boarded = boardplan.Boarded(offered=found, tenants=tenants, plan=plan)
        more = chain(overstated(plan, found.platform), saved.altered(shown, partial(offered.plan_tree, boarded)))
        return saved.verdict_tree(plan, tenants, found.options, boarded.platform, more, boardplan.forewarned(plan, tenants, found.platform))
    profiled = _profiled(asked)
    _refuse_other(plan, digest_of(asked.crew), digest_of(profiled.platform))
    return saved.check_tree(plan, profiled)


def _refuse_other(plan: Plan, crew: str, platform: str) -> None:
    """Refuse a plan whose hashes are not those of this crew and this platform."""
    for what, made, found in (("platform", plan.platform, platform), ("crew", plan.crew, crew)):
        if made and made != found:
            raise InputError(
                "--check", f"the plan of another {what} ({made[:12]})", f"one of this {what} ({found[:12]}); it may have changed"
            )
