"""`run`: serve a crew."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from cotenant.cli.options import AsJson, CrewFile, Overload, Precisions, Seconds, inputs_of, refuse_overwriting, seconds_of, writable
from cotenant.cli.screen import note, show_json

Watch = Annotated[
    bool, typer.Option("--watch", help="Go over to what the crew file becomes while it is served, and to what its models turn out to take.")
]
Paces = Annotated[bool, typer.Option("--pace", help="Hold back whoever slows a better rank down, while that helps.")]
TraceFile = Annotated[Path | None, typer.Option("--trace", metavar="FILE", help="Write what happened, for ui.perfetto.dev.")]

MOMENT_S = 0.5  # `timeout` and some supervisors send the same signal twice at once
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(
    *,
    crew: CrewFile,
    seconds: Seconds = None,
    trace: TraceFile = None,
    precision: Precisions = None,
    allow_overload: Overload = False,
    as_json: AsJson = False,
    watch: Watch = False,
    pace: Paces = False,
) -> None:
    """Serve a crew: a line a second, a table at the end."""
    from cotenant.cli import measure, served
    from cotenant.describe.files import read_crew
    from cotenant.study.door import run_crew
    from cotenant.study.watched import watch_crew
    from cotenant.trace import as_json as tree_of
    from cotenant.trace import export, summarise

    lasting_s, file, wanted = seconds_of(seconds), writable(trace, "--trace"), measure.permitted(precision)
    refuse_overwriting({"--trace": file}, inputs_of(crew, read_crew(crew)))
    prepared = measure.plan_of(measure.measure(crew, wanted), allow_overload=allow_overload)
    note(prepared.notes)
    told, tenants = None if as_json else served.tell_tick, prepared.tenants
    with stopping() as stop:
        if watch:
            came = watch_crew(prepared, crew, stop, served.tell_change, told, seconds=lasting_s, precisions=wanted, paces=pace)
            happened, prepared, tenants = came.trace, came.last, came.tenants
        else:
            happened = run_crew(prepared, stop, told, lasting_s, paces=pace)
    summary = summarise(happened, prepared.plan, tenants)
    if as_json:
        show_json(tree_of(summary))
    else:
        served.show_run(summary, prepared.plan)
    if file is not None:
        export(happened, file)


@contextmanager
def stopping(clock_s: Callable[[], float] = time.monotonic) -> Iterator[threading.Event]:
    """Set an event at the first signal that ends; one more, a moment later, raises KeyboardInterrupt."""
    stop, told_s = threading.Event(), [0.0]

    def take(number: int, frame: FrameType | None) -> None:
        if not stop.is_set():
            stop.set()
            told_s[0] = clock_s()
        elif clock_s() - told_s[0] >= MOMENT_S:
            raise KeyboardInterrupt

    before = {which: signal.signal(which, take) for which in _ENDS}
    try:
        yield stop
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
