"""The page itself, and the file that it is written to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from cotenant.trace.frame import framed, save
from cotenant.trace.report.document import document
from cotenant.trace.report.run import Run
from cotenant.trace.report.sweep import Sweep


def write_report(path: Path, sweep: Sweep, runs: Sequence[Run], made_on: date) -> None:
    """Write one HTML file that needs nothing else to open; InputError, naming the path, if the file cannot be written."""
    save(path, page(sweep, runs, made_on))


def page(sweep: Sweep, runs: Sequence[Run], made_on: date) -> str:
    """Return one HTML file, about 1.2 MB without runs.

    `runs` are examples, one each for a few policies and loads, of tenants of the sweep; ValueError for others.
    """
    return framed("cotenant.trace.report", "page", title="simulated results", told=document(sweep, runs, made_on))
