"""Arrivals as a crew file describes them, and recorded ones."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from cotenant.describe.arrival import Arrival, Closed, External, Periodic, Poisson, Replay
from cotenant.describe.document import file_at, read_text
from cotenant.describe.tree import decode, shown
from cotenant.errors import InputError
from cotenant.registry import nearest
from cotenant.units import MAX_NS, NS_PER_MS, NS_PER_S, duration_ns, rate_per_s

_FORMS: Final = ("every", "poisson", "trace", "closed", "external")
_WORDS: Final = ("flat-out", "external")
_ALLOWED: Final = "{every: 100ms}, {poisson: 30/s}, {trace: arrivals.csv}, {closed: 2}, flat-out or external"
_COLUMNS: Final = {"arrival_ns": 1, "arrival_ms": NS_PER_MS, "arrival_s": NS_PER_S}


class _Keys(Struct, kw_only=True):
    every: Any = UNSET
    jitter: Any = "0s"
    offset: Any = "0s"
    poisson: Any = UNSET
    trace: str | UnsetType = UNSET
    closed: int | UnsetType = UNSET
    external: Any = UNSET


def arrival_of(value: Any, folder: Path) -> Arrival:
    """Read a tenant's arrival; a trace is read from its file at once."""
    match value:
        case "flat-out":
            return Closed()
        case "external":
            return External()
        case str():
            raise InputError("arrival", shown(value), f"{nearest(value, _WORDS)}; or {_ALLOWED}")
        case dict():
            return _keyed(value, decode(value, _Keys, "arrival"), folder)
        case _:
            raise InputError("arrival", shown(value), _ALLOWED)


def _keyed(value: dict[str, Any], keys: _Keys, folder: Path) -> Arrival:
    forms = [form for form in _FORMS if form in value]
    if len(forms) != 1:
        raise InputError("arrival", shown(value), f"exactly one of {', '.join(_FORMS)}")
    for key in ("jitter", "offset"):
        if key in value and forms != ["every"]:
            raise InputError(f"arrival.{key}", shown(value[key]), "only beside every")
    match forms[0]:
        case "every":
            return Periodic(
                every_ns=duration_ns(keys.every, "arrival.every"),
                jitter_ns=duration_ns(keys.jitter, "arrival.jitter"),
                offset_ns=duration_ns(keys.offset, "arrival.offset"),
            )
        case "poisson":
            return Poisson(rate_per_s=rate_per_s(keys.poisson, "arrival.poisson"))
        case "external":
            return External(rate_per_s=rate_per_s(keys.external, "arrival.external"))
        case "closed":
            return Closed(outstanding=None if isinstance(keys.closed, UnsetType) else keys.closed)
        case _:
            return replay_at(file_at(str(keys.trace), folder, "arrival.trace", "an existing CSV file with one column, such as arrival_ms"))


def replay_at(path: Path) -> Replay:
    """Read recorded arrivals: a CSV file of one column, `arrival_ns`, `arrival_ms` or `arrival_s`, in order."""
    rows = _rows(path)
    header = rows[0][1] if rows else "empty"
    if header not in _COLUMNS:
        raise _refused(path, rows[0][0] if rows else 1, header, nearest(header, tuple(_COLUMNS)))
    if not rows[1:]:
        raise _refused(path, rows[0][0], header, "at least one arrival below it")
    times_ns = [(line, _instant_ns(path, line, cell, _COLUMNS[header])) for line, cell in rows[1:]]
    for (_, before_ns), (line, time_ns) in pairwise(times_ns):
        if time_ns < before_ns:
            raise _refused(path, line, f"{Decimal(time_ns) / _COLUMNS[header]:f}", "instants in order; the one before is later")
    return Replay(path=str(path), times_ns=tuple(time_ns for _, time_ns in times_ns))


def _rows(path: Path) -> list[tuple[int, str]]:
    """List the lines that are not blank, by number; several columns are joined again, so that their header is refused."""
    reader = csv.reader(read_text(path).splitlines())
    try:
        return [(reader.line_num, ",".join(row).strip()) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise _refused(path, reader.line_num, str(error), "comma-separated values") from error


def _instant_ns(path: Path, line: int, cell: str, unit_ns: int) -> int:
    try:
        amount = Decimal(cell)
    except InvalidOperation as error:
        raise _refused(path, line, cell, "a number") from error
    if not amount.is_finite() or not 0 <= amount * unit_ns <= MAX_NS:
        raise _refused(path, line, cell, "an instant of 0 or more, at most 100 years")
    return round(amount * unit_ns)


def _refused(path: Path, line: int, value: str, allowed: str) -> InputError:
    return InputError("arrival.trace", f"{shown(path)}:{line}: {shown(value)}", allowed)
