"""The SQLite file in which measurements last."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cotenant.cost.table import Timing
from cotenant.describe import Measure, Precision
from cotenant.errors import InputError

SCHEMA: Final = (
    """CREATE TABLE timing (
    model TEXT NOT NULL, precision TEXT NOT NULL, recipe TEXT NOT NULL, engine TEXT NOT NULL, engine_version TEXT NOT NULL,
    machine TEXT NOT NULL, kind TEXT NOT NULL, width INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL CHECK (typeof(wall_ns) = 'integer' AND wall_ns >= 1),
    cpu_ns INTEGER NOT NULL CHECK (typeof(cpu_ns) = 'integer' AND cpu_ns >= 0),
    spread REAL NOT NULL CHECK (typeof(spread) = 'real' AND spread >= 0),
    runs INTEGER NOT NULL CHECK (typeof(runs) = 'integer' AND runs >= 1),
    resident_bytes INTEGER NOT NULL CHECK (typeof(resident_bytes) = 'integer' AND resident_bytes >= 0),
    PRIMARY KEY (model, precision, recipe, engine, engine_version, machine, kind, width))""",
    """CREATE TABLE verdict (
    model TEXT NOT NULL, precision TEXT NOT NULL, recipe TEXT NOT NULL, engine TEXT NOT NULL, engine_version TEXT NOT NULL,
    machine TEXT NOT NULL, samples TEXT NOT NULL, measure TEXT NOT NULL,
    fidelity REAL CHECK (fidelity IS NULL OR (typeof(fidelity) = 'real' AND fidelity BETWEEN 0 AND 1)),
    accuracy REAL CHECK (accuracy IS NULL OR (typeof(accuracy) = 'real' AND accuracy BETWEEN 0 AND 1)),
    PRIMARY KEY (model, precision, recipe, engine, engine_version, machine, samples, measure))""",
    "CREATE TABLE fact (name TEXT NOT NULL PRIMARY KEY, content BLOB NOT NULL CHECK (typeof(content) = 'blob'))",
)

_GET_TIMING: Final = (
    "SELECT wall_ns, cpu_ns, spread, runs, resident_bytes FROM timing "
    "WHERE model = ? AND precision = ? AND recipe = ? AND engine = ? AND engine_version = ? AND machine = ? AND kind = ? AND width = ?"
)
_GET_VERDICT: Final = (
    "SELECT fidelity, accuracy FROM verdict "
    "WHERE model = ? AND precision = ? AND recipe = ? AND engine = ? AND engine_version = ? AND machine = ? AND samples = ? AND measure = ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Name what is measured: one model in one precision on one engine, on one machine.

    `recipe` says how the file of that precision was made; empty where it is the model's own file.
    """

    model: str
    precision: Precision
    engine: str
    engine_version: str
    machine: str
    recipe: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return self.model, self.precision.value, self.recipe, self.engine, self.engine_version, self.machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Hold what is left of the answers: fidelity and accuracy in [0, 1], None where unknown."""

    fidelity: float | None
    accuracy: float | None = None


class Store:
    """Keep timings, verdicts and facts over an open connection; each is on disk when its `put` returns.

    InputError, naming the file, if it cannot be read or written.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def timing(self, subject: Subject, kind: str, width: int) -> Timing | None:
        """Return what was timed on `width` lanes of a kind of processor; None if nothing was."""
        row = self._row(_GET_TIMING, (*subject.key, kind, width))
        if row is None:
            return None
        wall_ns, cpu_ns, spread, runs, resident_bytes = row
        return Timing(
            model=subject.model, precision=subject.precision, engine=subject.engine, engine_version=subject.engine_version, kind=kind,
            width=width, wall_ns=wall_ns, cpu_ns=cpu_ns, spread=spread, runs=runs, resident_bytes=resident_bytes,
        )  # fmt: skip

    def put_timing(self, subject: Subject, timing: Timing) -> None:
        """Keep a timing, in place of an earlier one."""
        numbers = (timing.wall_ns, timing.cpu_ns, float(timing.spread), timing.runs, timing.resident_bytes)
        values = (*subject.key, timing.kind, timing.width, *numbers)
        self._write("INSERT OR REPLACE INTO timing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def verdict(self, subject: Subject, samples: str, measure: Measure) -> Verdict | None:
        """Return what was judged on the samples of this digest; None if nothing was."""
        row = self._row(_GET_VERDICT, (*subject.key, samples, measure.value))
        return None if row is None else Verdict(fidelity=row[0], accuracy=row[1])

    def put_verdict(self, subject: Subject, samples: str, measure: Measure, verdict: Verdict) -> None:
        """Keep a verdict, in place of an earlier one."""
        values = (*subject.key, samples, measure.value, verdict.fidelity, verdict.accuracy)
        self._write("INSERT OR REPLACE INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def fact(self, name: str) -> bytes | None:
        """Return the bytes kept under a name of the caller's own; None if there are none."""
        row = self._row("SELECT content FROM fact WHERE name = ?", (name,))
        return None if row is None else row[0]

    def put_fact(self, name: str, content: bytes) -> None:
        """Keep bytes under a name of the caller's own, in place of earlier ones."""
        self._write("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, content))

    def _row(self, select: str, values: tuple[object, ...]) -> tuple | None:  # type: ignore[type-arg]
        with refusing(self.path):
            return self._connection.execute(select, values).fetchone()  # type: ignore[no-any-return]

    def _write(self, insert: str, values: tuple[object, ...]) -> None:
        with refusing(self.path):
            self._connection.execute(insert, values)


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into one line that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise InputError(str(path), *_advice(str(error))) from error


def _advice(story: str) -> tuple[str, str]:
    elsewhere = "set COTENANT_CACHE to another folder"
    if "full" in story:
        return "the disk is full", f"free some space, or {elsewhere}"
    if "locked" in story:
        return "another process holds it", f"wait until that is done, or {elsewhere}"
    if "malformed" in story or "not a database" in story:
        return "damaged", "start again; it is moved aside and measured anew"
    return story, f"a file that can be read and written; else {elsewhere}"
