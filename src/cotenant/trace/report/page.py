"""The page itself, and the file that it is written to."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TextIO

from cotenant.errors import InputError
from cotenant.trace.report.document import as_script, document
from cotenant.trace.report.run import Run
from cotenant.trace.report.sweep import Sweep


def write_report(path: Path, sweep: Sweep, runs: Sequence[Run], made_on: date) -> None:
    """Write one HTML file that needs nothing else to open; InputError, naming the path, if the file cannot be written."""
    text = page(sweep, runs, made_on)
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            _write(text, file, path)
    except OSError as error:
        raise InputError(str(path), error.strerror or error, "a file that can be written, on a disk with room") from error


def page(sweep: Sweep, runs: Sequence[Run], made_on: date) -> str:
    """Return the HTML, about 1.2 MB without runs; the browser itself is told to load nothing and to run nothing but our two scripts.

    `runs` are examples, one each for a few policies and loads, of tenants of the sweep; ValueError for others.
    """
    echarts, script = _shipped("vendor", "echarts.min.js"), _shipped("report", "page.js")
    return Template(_shipped("report", "page.html")).substitute(
        policy=f"default-src 'none'; script-src {_digest(echarts)} {_digest(script)}; style-src 'unsafe-inline'; img-src data:",
        css=_shipped("report", "page.css"),
        report=as_script(document(sweep, runs, made_on)),
        echarts=echarts,
        script=script,
    )


def _write(text: str, file: TextIO, path: Path) -> None:
    """Write the whole, or leave no part of it: half a page shows nothing."""
    try:
        file.write(text)
        file.flush()
    except OSError:
        if path.is_file():  # not a pipe or a device
            path.unlink()
        raise


def _shipped(*parts: str) -> str:
    return files("cotenant.trace").joinpath(*parts).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """Return the source expression that allows exactly this inline script (W3C, Content Security Policy Level 3, 2.3.1)."""
    return f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
