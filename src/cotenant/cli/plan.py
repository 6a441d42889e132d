"""`plan`: who is promised what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cotenant.cli.options import AsJson, CrewFile, Overload, Precisions, writable
from cotenant.cli.screen import note, show_json

Explain = Annotated[bool, typer.Option("--explain", help="Say why: what is short, what an inference costs the others.")]
Check = Annotated[Path | None, typer.Option("--check", metavar="FILE", help="Prove a saved plan again, in place of planning.")]
Save = Annotated[Path | None, typer.Option("--save", metavar="FILE", help="Write the plan, with its proof.")]


def plan(
    *,
    crew: CrewFile,
    explain: Explain = False,
    check: Check = None,
    save: Save = None,
    precision: Precisions = None,
    allow_overload: Overload = False,
    as_json: AsJson = False,
) -> None:
    """Plan a crew on this machine; serve it no longer than a rehearsal takes."""
    from cotenant.cli import measure, offered, saved

    file, wanted = writable(save, "--save"), measure.permitted(precision)
    given = None if check is None else saved.read_plan(check)
    found = measure.measure(crew, wanted)
    note(found.profile.notes)
    if given is not None:
        _check(saved.check_tree(given, found), as_json=as_json)
        return
    prepared = measure.plan_of(found, allow_overload=allow_overload)
    if file is not None:
        saved.save_plan(prepared.plan, file)
    if as_json:
        show_json(offered.plan_tree(prepared) | ({"explanation": offered.explanation(prepared)} if explain else {}))
    elif explain:
        print(offered.explanation(prepared))
    else:
        offered.show_plan(prepared)


def _check(verdict: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what became of a proof, and end with 1 where it does not hold."""
    if as_json:
        show_json(verdict)
    else:
        said = f"the plan holds: {verdict['value']:.6g}, and none in this order can exceed {verdict['bound']:.6g}"
        print("\n".join(verdict["complaints"]) or said)
    if not verdict["ok"]:
        raise typer.Exit(1)
