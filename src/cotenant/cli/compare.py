"""`compare`: a crew served in the usual ways, and by its plan."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from cotenant.cli.options import AsJson, CrewFile, Overload, Precisions, Seconds, rounds_of, seconds_of
from cotenant.cli.screen import note, show_json

Quick = Annotated[bool, typer.Option("--quick", help="Two short rounds, for a look: no intervals.")]
Rounds = Annotated[int | None, typer.Option("--rounds", metavar="N", help="Rounds in which all ways take turns.")]


def compare(
    *,
    crew: CrewFile,
    quick: Quick = False,
    rounds: Rounds = None,
    seconds: Seconds = None,
    precision: Precisions = None,
    allow_overload: Overload = False,
    as_json: AsJson = False,
) -> None:
    """Serve a crew in the usual ways and by its plan, in turn, and set them side by side."""
    from cotenant.cli import measure, served
    from cotenant.study import compare as study
    from cotenant.study.planned import planned
    from cotenant.study.report import report_json

    wanted, usual = measure.permitted(precision), study.QUICK if quick else study.Settings()
    settings = replace(usual, rounds=rounds_of(rounds) or usual.rounds, period_s=seconds_of(seconds) or usual.period_s)
    prepared = measure.plan_of(measure.measure(crew, wanted), allow_overload=allow_overload)
    note(prepared.notes)
    way = planned(prepared, crew, wanted)
    told = partial(served.tell_period, to_stderr=as_json)
    first = planned(prepared, crew, wanted, first=True)
    report = study.compare(prepared, way, settings, told, noted=lambda line: note([line]), first=first)
    if as_json:
        show_json(report_json(report))
    else:
        served.show_comparison(report, prepared.tenants)
