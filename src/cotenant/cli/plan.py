"""`plan`: who is promised what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cotenant.cli.options import (
    AsJson,
    Overload,
    Precisions,
    budget_of,
    inputs_of,
    name_of,
    number_of,
    objective_of,
    priority_of,
    refuse_overwriting,
    visits_of,
    writable,
)
from cotenant.cli.screen import note, show_json

Crew = Annotated[Path | None, typer.Argument(metavar="CREW", help="A crew file, in YAML; a plan that --check proves knows its own.")]
OnPlatform = Annotated[str | None, typer.Option("--platform", metavar="NAME", help="A board, its file, or auto for this machine.")]
Goal = Annotated[str | None, typer.Option("--objective", metavar="NAME", help="proportional, weighted, maxmin or throughput.")]
Visits = Annotated[int | None, typer.Option("--visits", metavar="N", help="How often a chain may come to each processor of a board.")]
Power = Annotated[str | None, typer.Option("--power", metavar="W", help="What a board may draw on the average, in watts.")]
Single = Annotated[bool, typer.Option("--single", help="One option for each tenant, in place of mixtures.")]
Search = Annotated[
    str | None,
    typer.Option("--search", metavar="NAME", help="Let a search choose one option for each tenant; the bound stays that of all plans."),
]
Spend = Annotated[str | None, typer.Option("--budget", metavar="S", help="CPU time for --single and --search, as 100ms; 1 s if left out.")]
After = Annotated[
    Path | None, typer.Option("--after", metavar="FILE", help="The plan so far: say what changes, and move nobody for a gain under 1 %.")
]
Weights = Annotated[
    str | None, typer.Option("--priority", metavar="NAME", help="static: the crew's weights; dynamic: times what each computes.")
]
Explain = Annotated[bool, typer.Option("--explain", help="Say why: what is short, what an inference costs the others.")]
Check = Annotated[Path | None, typer.Option("--check", metavar="FILE", help="Prove a saved plan again, in place of planning.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page with the mapping, prices and what else could be.")]
Save = Annotated[Path | None, typer.Option("--save", metavar="FILE", help="Write the plan, with its proof.")]


def plan(
    *,
    crew: Crew = None,
    platform: OnPlatform = None,
    objective: Goal = None,
    visits: Visits = None,
    power: Power = None,
    single: Single = False,
    search: Search = None,
    budget: Spend = None,
    after: After = None,
    priority: Weights = None,
    explain: Explain = False,
    check: Check = None,
    save: Save = None,
    html: Html = None,
    precision: Precisions = None,
    allow_overload: Overload = False,
    as_json: AsJson = False,
) -> None:
    """Plan a crew on this machine, serving it no longer than a rehearsal takes; or on a board that need not be at hand."""
    from cotenant.cli import asked, offered, saved

    file, page = writable(save, "--save"), writable(html, "--html")
    wish = asked.Wish(
        crew=crew, platform=name_of(platform, "--platform"), objective=objective_of(objective), visits=visits_of(visits),
        power_w=number_of(power, "--power"), single=single, search=name_of(search, "--search"), budget_s=budget_of(budget), after=after,
        priority=priority_of(priority), precision=precision, allow_overload=allow_overload,
    )  # fmt: skip
    given = None if check is None else saved.read_filed(check)
    if given is not None:
        more = {"--html": html, "--save": save, "--objective": objective, "--explain": asked.GIVEN if explain else None}
        asked.refuse_beside_check(wish, more)
    wanted = asked.wanted(wish, given)
    if given is not None and check is not None:
        verdict = asked.verdict(wanted, given.plan, saved.shown(check))
        room = " and leaving as much room for waiting" if given.plan.stalls else ""
        _show_verdict(saved.misstated(verdict, given.plan, wanted.crew), room, as_json=as_json)
        return
    refuse_overwriting({"--save": file, "--html": page}, {**inputs_of(wanted.file, wanted.crew), "--after": after})
    found = asked.planned(wanted)
    note(offered.notes(found))
    if file is not None:
        saved.save_plan(asked.tree(wanted, found.plan), file)
    if page is not None:
        from cotenant.cli.planpage import save_plan_page

        save_plan_page(found, wanted, page)
    if as_json:
        told = [offered.shortfalls(found), *([offered.explanation(found)] if explain else [])]
        said: dict[str, Any] = {"explanation": "\n".join(filter(None, told))} if any(told) else {}
        said |= {"changes": list(found.changes)} if found.changes else {}
        show_json(offered.plan_tree(found) | said | asked.tree(wanted, found.plan))
    elif explain:
        print(offered.explanation(found))
    else:
        offered.show_plan(found)
    if found.changes and not as_json:
        print("\n".join(("", *found.changes)))


def _show_verdict(verdict: Mapping[str, Any], room: str, *, as_json: bool) -> None:
    """Print what became of a proof, and end with 1 where it does not hold."""
    if as_json:
        show_json(verdict)
    else:
        value, bound = (round(verdict[name], 12) + 0.0 for name in ("value", "bound"))
        most = f"none in this order{room} can exceed {bound:.6g}"
        if since := verdict.get("no_bound_since"):
            most = f"no bound is to be held against it, since {since}"
        said = f"the plan holds: {value:.6g}, and {most}"
        print("\n".join(verdict["complaints"] or [said, *verdict["undecided"], *verdict["notes"]]))
    if not verdict["ok"]:
        raise typer.Exit(1)
