"""`cotenant run`: profile, plan and serve a crew."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from cotenant.cli.arguments import CrewFile, Json, Overload, Precisions, precisions
from cotenant.cli.bar import profiling
from cotenant.cli.show import show_json
from cotenant.errors import InputError

Seconds = Annotated[float | None, typer.Option("--seconds", help="Serve for so long, whatever the crew file says.")]
TraceFile = Annotated[Path | None, typer.Option("--trace", help="Write what happened for ui.perfetto.dev.")]


def run(
    crew: CrewFile,
    *,
    seconds: Seconds = None,
    precision: Precisions = None,
    trace: TraceFile = None,
    allow_overload: Overload = False,
    json: Json = False,
) -> None:
    """Profile what is not yet known, plan, and serve until the time is over or Ctrl-C."""
    if seconds is not None and not 0 < seconds < float("inf"):
        raise InputError("--seconds", seconds, "more than 0")
    from cotenant.cli.served import show_run, tell
    from cotenant.study.door import run_crew
    from cotenant.study.prepare import prepare
    from cotenant.trace import as_json, export, summarise

    with profiling() as progress:
        prepared = prepare(crew, precisions(precision), progress, allow_overload=allow_overload)
    with _stopped_by_signals() as stop:
        left = run_crew(prepared, stop, None if json else tell, seconds)
    summary = summarise(left, prepared.plan, prepared.tenants)
    if json:
        show_json(as_json(summary))
    else:
        show_run(summary, prepared.plan)
        sys.stdout.writelines(f"{note}\n" for note in prepared.profile.notes if "store" in note)
    if trace is not None:
        export(left, trace)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT and SIGTERM set; the second signal ends the process."""
    stop = threading.Event()

    def take(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, take) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
