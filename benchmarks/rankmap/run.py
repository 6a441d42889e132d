"""Compare the plan with every search on drawn mixes: what of the proven bound each reaches, how fast, and who starves.

python benchmarks/rankmap/run.py [--quick | --full [--mixes N]] [--json] [--readme] [--folder F] [--workers 2]

What is done is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that a script finds its neighbours as a test does

from benchmarks.rankmap import store
from benchmarks.rankmap.cells import FULL, QUICK, Cell, Scope, cells, measured
from benchmarks.rankmap.claims import checks
from benchmarks.rankmap.figures import figures
from benchmarks.rankmap.store import Json
from benchmarks.rankmap.tables import shown
from benchmarks.readme import filled
from cotenant.errors import CotenantError

PAGE: Final = Path(__file__).parent / "README.md"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK.mixes} mixes of each board and size: what is done unless --full")
    parser.add_argument("--full", action="store_true", help=f"{FULL.mixes} mixes of each board and size; at most 2 hours on two cores")
    parser.add_argument("--mixes", type=int, help=f"with --full: so many of them, the first of the {FULL.mixes}")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--readme", action="store_true", help="put the tables into README.md, too")
    parser.add_argument("--folder", type=Path, help="where results are kept, instead of one for this very code under build/rankmap")
    parser.add_argument("--workers", type=int, default=_cores(), help="processes; 0 for this one alone")
    asked = parser.parse_args(arguments)
    if asked.quick and asked.full:
        parser.error("--quick or --full")
    if asked.mixes is not None and not (asked.full and 1 <= asked.mixes <= FULL.mixes):
        parser.error(f"--mixes: 1 to {FULL.mixes}, with --full")
    try:
        if asked.readme:
            filled(PAGE.read_text(), ())
        found = compared(scope_of(asked.mixes or FULL.mixes) if asked.full else QUICK, asked.folder or store.folder_now(), asked.workers)
        print(json.dumps(found, indent=2) if asked.json else "\n".join(shown(found)))
        if asked.readme:
            PAGE.write_text(filled(PAGE.read_text(), (f"{datetime.now(tz=UTC):%-d %B %Y}.", "", *shown(found))))
    except CotenantError as error:
        sys.exit(str(error))
    return 0 if all(check["kept"] for check in found["checks"].values()) else 1


def scope_of(mixes: int) -> Scope:
    """Return the full scope, or the first so many of its mixes."""
    return FULL if mixes == FULL.mixes else replace(FULL, name=f"full, {mixes} of {FULL.mixes} mixes", mixes=mixes)


def compared(scope: Scope, folder: Path, workers: int, measure: Callable[[Cell], Json] = measured) -> Json:
    """Measure what is not known yet, and say what everything comes to."""
    todo = {cell.key: cell for cell in cells(scope)}
    told = store.filled(list(todo.items()), measure, folder, workers)
    found: Json = {"simulated": True, "scope": scope.name, "cells": len(todo), "workers": workers, "machine": machine()}
    found |= figures({todo[key]: one for key, one in told.items()})
    found["checks"] = checks(found)
    return found


def machine() -> str:
    """Name the processor, and how many of its lanes this process may use."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'an unknown processor'}, {_cores()} lanes"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(main())
