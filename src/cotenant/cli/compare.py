"""`cotenant compare`: the same crew, served in other ways too."""

from __future__ import annotations

from typing import Annotated

import typer

from cotenant.cli.arguments import CrewFile, Json, Overload, Precisions, precisions
from cotenant.cli.bar import profiling
from cotenant.cli.show import show_json
from cotenant.errors import InputError

Quick = Annotated[bool, typer.Option("--quick", help="Two short rounds: a look, without intervals.")]
Rounds = Annotated[int | None, typer.Option("--rounds", help="How many rounds; five if not said.")]
Seconds = Annotated[float | None, typer.Option("--seconds", help="How long each way is served in each round; 20 if not said.")]


def compare(
    crew: CrewFile,
    *,
    quick: Quick = False,
    rounds: Rounds = None,
    seconds: Seconds = None,
    precision: Precisions = None,
    allow_overload: Overload = False,
    json: Json = False,
) -> None:
    """Serve a crew by its plan and in the usual ways, round by round in turn, and set them side by side."""
    for name, value in (("--rounds", rounds), ("--seconds", seconds)):
        if value is not None and not 0 < value < float("inf"):
            raise InputError(name, value, "more than 0")
    from dataclasses import replace

    from cotenant.cli.served import show_comparison, tell_period
    from cotenant.study.compare import QUICK, Settings
    from cotenant.study.compare import compare as serve_all
    from cotenant.study.planned import planned
    from cotenant.study.prepare import prepare
    from cotenant.study.report import report_json

    settings = QUICK if quick else Settings()
    settings = replace(settings, rounds=rounds or settings.rounds, period_s=seconds or settings.period_s)
    permitted = precisions(precision)
    with profiling() as progress:
        prepared = prepare(crew, permitted, progress, allow_overload=allow_overload)
    report = serve_all(prepared, planned(crew, permitted, allow_overload=allow_overload), settings, tell_period)
    if json:
        show_json(report_json(report))
    else:
        show_comparison(report)
