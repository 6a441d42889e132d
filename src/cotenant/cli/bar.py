"""How far long work has come, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

EVERY_S = 5.0


class Bar:
    """Draw a bar; it goes when it is done."""

    def __init__(self, drawn: Progress, doing: str) -> None:
        self._drawn = drawn
        self._task = drawn.add_task(doing, total=None)

    def start(self, total: int) -> None:
        self._drawn.update(self._task, total=total)

    def advance(self, what: str) -> None:
        self._drawn.update(self._task, advance=1, description=what)


class Lines:
    """Print a line every EVERY_S seconds, for a stderr that is no terminal; none where all is known already."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._total, self._done, self._told_s = 0, 0, time.monotonic()

    def start(self, total: int) -> None:
        self._total = total

    def advance(self, what: str) -> None:
        self._done += 1
        if time.monotonic() - self._told_s >= EVERY_S:
            self._told_s = time.monotonic()
            print(f"{self._doing} {self._done}/{self._total}: {what}", file=sys.stderr, flush=True)


@contextmanager
def progress(doing: str = "profiling") -> Iterator[Bar | Lines]:
    """Show progress in the way that stderr can."""
    if not sys.stderr.isatty():
        yield Lines(doing)
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        yield Bar(drawn, doing)
