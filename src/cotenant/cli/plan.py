"""`cotenant plan`: who runs what, how often, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cotenant.cli.arguments import CrewFile, Json, Overload, Precisions, precisions
from cotenant.cli.bar import profiling
from cotenant.cli.show import show_json, show_table
from cotenant.errors import InputError

Explain = Annotated[bool, typer.Option("--explain", help="Say why, in plain words.")]
Check = Annotated[Path | None, typer.Option("--check", help="Prove a plan that was saved, instead of solving.")]
Save = Annotated[Path | None, typer.Option("--save", help="Write the plan to a file.")]


def plan(
    crew: CrewFile,
    *,
    explain: Explain = False,
    check: Check = None,
    save: Save = None,
    precision: Precisions = None,
    allow_overload: Overload = False,
    json: Json = False,
) -> None:
    """Plan a crew, with the bound that no plan can exceed; every plan is proved before it is shown."""
    from cotenant.describe.files import read_plan, write_plan
    from cotenant.plan import check as prove
    from cotenant.plan import explain as put_in_words
    from cotenant.study.prepare import prepare

    with profiling() as progress:
        prepared = prepare(crew, precisions(precision), progress, allow_overload=allow_overload)
    made = prepared.plan if check is None else read_plan(check)
    verdict = prove(made, prepared.tenants, prepared.options, prepared.platform, made.headroom)
    if not verdict.ok:
        raise InputError(str(check or "plan"), verdict.complaints[0], "a plan that its own prices prove")
    if save is not None:
        _write(save, write_plan(made))
    if json:
        show_json(_as_json(made))
    elif explain:
        sys.stdout.write(put_in_words(made, prepared.tenants, prepared.options, prepared.platform, prepared.offer.refused) + "\n")
    else:
        _show(made)


def _show(made: Any) -> None:
    shares = [(s.option.tenant, s.option.name, s.rate_per_s, s.option.latency_ns / 1e6, s.option.fidelity) for s in made.shares]
    show_table(("tenant", "option", "rate/s", "latency ms", "fidelity"), shares)
    show_table(("tenant", "promised/s", "alone/s", "P"), [(p.tenant, p.rate_per_s, p.solo_rate_per_s, p.p) for p in made.promises])
    show_table(("resource", "unit", "used", "capacity", "price"), [(p.resource, p.unit, p.used, p.capacity, p.price) for p in made.prices])
    sys.stdout.write(f"{made.objective.value}: {made.value:.6g}, bound {made.bound:.6g}, gap {max(made.gap, 0):.2g}; checked\n")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise InputError(str(path), error.strerror, "a file that can be written") from error


def _as_json(made: Any) -> dict[str, Any]:
    tenants = {
        p.tenant: {
            "rate_per_s": p.rate_per_s,
            "solo_rate_per_s": p.solo_rate_per_s,
            "p": p.p,
            "options": {s.option.name: s.rate_per_s for s in made.shares_of(p.tenant)},
        }
        for p in made.promises
    }
    prices = {p.resource: {"unit": p.unit, "used": p.used, "capacity": p.capacity, "price": p.price} for p in made.prices}
    head = {"kind": made.objective.value, "objective": made.value, "bound": made.bound, "gap": made.gap, "seconds": made.seconds}
    return {**head, "prices": prices, "tenants": tenants}
