"""A log of requests: a CSV file that lists those of several tenants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from cotenant.describe.arrival import External, Replay
from cotenant.describe.request import Request
from cotenant.describe.sheet import UNITS_NS, Sheet, read_sheet
from cotenant.describe.tenant import Tenant
from cotenant.errors import InputError
from cotenant.registry import nearest
from cotenant.units import MAX_NS

_KEY: Final = "requests"
_TIMES_NS: Final = {"": 1, **UNITS_NS}
_KINDS: Final = {
    **{f"{kind}{ending}": (kind, unit_ns) for kind in ("arrival", "due", "deadline") for ending, unit_ns in _TIMES_NS.items()},
    **{name: (name, 1) for name in ("tenant", "work_scale", "exit_stage")},
    "rank": ("rank", 1),
    "priority": ("rank", 1),
}
_DUE: Final = {"due", "deadline"}
_MOST: Final = Decimal(10**6)
_INSTANT: Final = "an instant of 0 or more, at most 100 years"
_LENGTH: Final = "longer than 0, at most 100 years"


def read_requests(path: Path, tenants: Sequence[Tenant]) -> tuple[Request, ...]:
    """Read a log of these tenants' requests, numbered in order of arrival; lines may stand in any order.

    Its columns, in any order: `tenant` and `arrival`, the instant from the start; and, if need be, `due`, an instant too, or
    `deadline`, a length of time after the arrival; `rank` or `priority`, which must be the tenant's own; `work_scale`;
    `exit_stage`. A time is in nanoseconds, or in the unit that its column's name ends in: `_ns`, `_us`, `_ms`, `_s`. A cell
    may be empty where its column may be missing: then the tenant's deadline holds, and the work is what it usually is.
    InputError names the file, the line, and what is allowed there.
    """
    sheet = read_sheet(path, _KEY)
    columns = _columns(sheet)
    if not sheet.rows:
        raise sheet.refused(sheet.line, ",".join(sheet.header), "at least one request below it")
    known = {tenant.name: (index, tenant) for index, tenant in enumerate(tenants)}
    lines = [_Line(sheet=sheet, line=line, columns=columns, cells=cells) for line, cells in sheet.rows]
    requests = sorted((_request(line, known) for line in lines), key=lambda r: (r.arrival_ns, known[r.tenant][0]))
    return tuple(replace(request, id=id) for id, request in enumerate(requests))


def logged(tenants: Sequence[Tenant], path: Path) -> tuple[Tenant, ...]:
    """Give each tenant that a log names the arrivals written there; InputError for one that has others already."""
    requests = read_requests(path, tenants)
    return tuple(_replaying(index, tenant, path, requests) for index, tenant in enumerate(tenants))


def _replaying(index: int, tenant: Tenant, path: Path, requests: Sequence[Request]) -> Tenant:
    own = tuple(request for request in requests if request.tenant == tenant.name)
    if not own:
        return tenant
    if tenant.arrival != External():
        raise InputError(f"tenants[{index}].arrival", "given", f"left out: {_KEY} lists when {tenant.name} asks")
    return replace(tenant, arrival=Replay(path=str(path), times_ns=tuple(request.arrival_ns for request in own), requests=own))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One line of a log; `columns` maps each kind of column to its index and unit."""

    sheet: Sheet
    line: int
    columns: dict[str, tuple[int, int]]
    cells: tuple[str, ...]

    def cell(self, kind: str) -> str:
        """Return what stands there; nothing where there is no such column."""
        return self.cells[self.columns[kind][0]] if kind in self.columns else ""

    def refused(self, kind: str, allowed: str) -> InputError:
        name = self.sheet.header[self.columns[kind][0]]
        return self.sheet.refused(self.line, self.cell(kind) or "empty", f"{name}: {allowed}")

    def number(self, kind: str, least: Decimal, most: Decimal, allowed: str) -> Decimal | None:
        """Read a number from `least` to `most`, None where nothing stands."""
        if not self.cell(kind):
            return None
        try:
            return self.sheet.number(self.line, self.cell(kind), least, most, allowed)
        except InputError as error:
            raise self.refused(kind, error.allowed) from error

    def time_ns(self, kind: str) -> int | None:
        if kind not in self.columns:
            return None
        unit_ns = self.columns[kind][1]
        time = self.number(kind, Decimal(0), Decimal(MAX_NS) / unit_ns, _LENGTH if kind == "deadline" else _INSTANT)
        return None if time is None else round(time * unit_ns)

    def whole(self, kind: str) -> int | None:
        number = self.number(kind, Decimal(0), _MOST, f"0 to {_MOST}")
        if number is None:
            return None
        if number != int(number):
            raise self.refused(kind, "a whole number")
        return int(number)


def _columns(sheet: Sheet) -> dict[str, tuple[int, int]]:
    """Find the columns by kind; refuse a log without tenant or arrival, an unknown column, and two of a kind."""
    _refuse_gaps(sheet)
    columns: dict[str, tuple[int, int]] = {}
    for index, name in enumerate(sheet.header):
        if name not in _KINDS:
            raise sheet.refused(sheet.line, name or "a column without a name", nearest(name, tuple(_KINDS)))
        kind, unit_ns = _KINDS[name]
        if kind in columns or (kind in _DUE and columns.keys() & _DUE):
            raise sheet.refused(sheet.line, name, "one column that says it; another does already")
        columns[kind] = index, unit_ns
    return columns


def _refuse_gaps(sheet: Sheet) -> None:
    header, kinds = ",".join(sheet.header) or "empty", {_KINDS[name][0] for name in sheet.header if name in _KINDS}
    if ";" in header:
        raise sheet.refused(sheet.line, header, "commas between columns")
    for needed, column in (("tenant", "tenant"), ("arrival", "arrival_ms")):
        if needed not in kinds:
            raise sheet.refused(sheet.line, header, f"a column {column}")


def _request(line: _Line, known: dict[str, tuple[int, Tenant]]) -> Request:
    if len(line.cells) != len(line.sheet.header):
        raise line.sheet.refused(line.line, ",".join(line.cells), f"{len(line.sheet.header)} cells, one for each column")
    if line.cell("tenant") not in known:
        raise line.refused("tenant", nearest(line.cell("tenant"), tuple(known)))
    tenant = known[line.cell("tenant")][1]
    if (arrival_ns := line.time_ns("arrival")) is None:
        raise line.refused("arrival", "the instant at which it arrives")
    if line.whole("rank") not in (None, tenant.rank):
        raise line.refused("rank", f"{tenant.rank}, the rank of {tenant.name}: all requests of a tenant have its rank")
    return Request(
        id=0, tenant=tenant.name, arrival_ns=arrival_ns, due_ns=_due_ns(line, tenant, arrival_ns), work_scale=_scale(line),
        exit_stage=line.whole("exit_stage"),
    )  # fmt: skip


def _due_ns(line: _Line, tenant: Tenant, arrival_ns: int) -> int | None:
    due_ns, deadline_ns = line.time_ns("due"), line.time_ns("deadline")
    if due_ns is not None and due_ns <= arrival_ns:
        raise line.refused("due", "an instant after the arrival")
    if deadline_ns == 0:
        raise line.refused("deadline", _LENGTH)
    length_ns = tenant.deadline_ns if deadline_ns is None else deadline_ns
    return due_ns if due_ns is not None or length_ns is None else arrival_ns + length_ns


def _scale(line: _Line) -> float:
    scale = line.number("work_scale", 1 / _MOST, _MOST, f"{1 / _MOST:f} to {_MOST}")
    return 1.0 if scale is None else float(scale)
