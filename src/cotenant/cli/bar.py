"""A progress bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

QUIET_S = 5.0


class _Bar:
    """Draw a bar; gone when all is done."""

    def __init__(self, drawn: Progress) -> None:
        self._drawn = drawn
        self._task: TaskID | None = None

    def start(self, total: int) -> None:
        self._task = self._drawn.add_task("profiling", total=total)

    def advance(self, what: str) -> None:
        if self._task is not None:
            self._drawn.update(self._task, advance=1, description=what)


class _Lines:
    """Print a line when some time has passed since the last."""

    def __init__(self) -> None:
        self._total = self._done = 0
        self._said_s = time.monotonic()

    def start(self, total: int) -> None:
        self._total = total

    def advance(self, what: str) -> None:
        self._done += 1
        if time.monotonic() - self._said_s >= QUIET_S:
            self._said_s = time.monotonic()
            sys.stderr.write(f"profiling {self._done}/{self._total}: {what}\n")


@contextmanager
def profiling() -> Iterator[_Bar | _Lines]:
    """Show on standard error how far profiling has come."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        yield _Bar(drawn)
