"""The store: a line of JSON for each cell that is done."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "build" / "rankmap"
FILE: Final = "cells.jsonl"
MEASURING: Final = ("sample", "served", "decisions", "floors", "searching", "sensitivity", "promises")
FLOORS: Final = ("describe", "plan", "search", "sim", "dispatch", "policy", "cost")
SOURCES: Final = (*(f"benchmarks/rankmap/{module}.py" for module in MEASURING), *(f"src/cotenant/{floor}" for floor in FLOORS))
"""What results depend on; what only counts and shows them is not among it."""

TOLD: Final = 50
"""After how many cells a word is said about how far it is."""


def folder_now() -> Path:
    """Return the folder of the results of this very code: of other code none is ever taken for them."""
    found = hashlib.sha256()
    for path in sorted(path for source in SOURCES for path in (ROOT / source, *(ROOT / source).rglob("*"))):
        if path.suffix in {".py", ".yaml", ".npz"}:
            found.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return FOLDER / found.hexdigest()[:12]


def known(folder: Path) -> dict[str, Json]:
    """Read what is done; a line that was cut off is not."""
    path = folder / FILE
    lines = path.read_text().splitlines() if path.exists() else []
    found = {}
    for line in lines:
        try:
            told = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[told["key"]] = told["found"]
    return found


def add(folder: Path, key: str, found: Json) -> None:
    """Write a line; one that was cut off before it is ended first."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(json.dumps({"key": key, "found": found}).encode() + b"\n")


def filled(todo: Sequence[tuple[str, Any]], measure: Callable[[Any], Json], folder: Path, workers: int) -> dict[str, Json]:
    """Return what was found for each (key, cell); what is not known yet is measured, by so many processes, and kept as it comes."""
    done = known(folder)
    missing = [(key, cell) for key, cell in todo if key not in done]
    for at, (key, found) in enumerate(_measured(missing, measure, workers), start=1):
        add(folder, key, found)
        done[key] = found
        if at % TOLD == 0 or at == len(missing):
            print(f"{at}/{len(missing)} cells", file=sys.stderr, flush=True)
    return {key: done[key] for key, _ in todo}


def _measured(missing: Sequence[tuple[str, Any]], measure: Callable[[Any], Json], workers: int) -> Iterable[tuple[str, Json]]:
    """Yield as it comes; without workers in this process."""
    if workers < 1 or len(missing) == 0:
        yield from ((key, measure(cell)) for key, cell in missing)
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(measure, cell): key for key, cell in missing}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
