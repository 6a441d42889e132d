"""Arrivals as a crew file describes them, and recorded ones."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from cotenant.describe.arrival import BURST_NS, PEAK, SHARE, Arrival, Bursty, Closed, External, Periodic, Poisson, Replay
from cotenant.describe.document import file_at
from cotenant.describe.sheet import UNITS_NS, read_sheet
from cotenant.describe.tree import decode, shown
from cotenant.errors import InputError
from cotenant.registry import nearest
from cotenant.units import duration_ns, duration_text, rate_per_s

_FORMS: Final = ("every", "poisson", "bursty", "trace", "closed", "external")
_BESIDE: Final = {"jitter": "every", "offset": "every", "peak": "bursty", "share": "bursty", "burst": "bursty"}
_WORDS: Final = ("flat-out", "external")
_ALLOWED: Final = "{every: 100ms}, {poisson: 30/s}, {bursty: 30/s}, {trace: arrivals.csv}, {closed: 2}, flat-out or external"
_COLUMNS: Final = {f"arrival{ending}": unit_ns for ending, unit_ns in UNITS_NS.items()}


class _Keys(Struct, kw_only=True):
    every: Any = UNSET
    jitter: Any = "0s"
    offset: Any = "0s"
    poisson: Any = UNSET
    bursty: Any = UNSET
    peak: float = PEAK
    share: float = SHARE
    burst: Any = duration_text(BURST_NS)
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
    match _form(value):
        case "every":
            return Periodic(
                every_ns=duration_ns(keys.every, "arrival.every"),
                jitter_ns=duration_ns(keys.jitter, "arrival.jitter"),
                offset_ns=duration_ns(keys.offset, "arrival.offset"),
            )
        case "poisson":
            return Poisson(rate_per_s=rate_per_s(keys.poisson, "arrival.poisson"))
        case "bursty":
            return Bursty(
                rate_per_s=rate_per_s(keys.bursty, "arrival.bursty"),
                peak=keys.peak,
                share=keys.share,
                burst_ns=duration_ns(keys.burst, "arrival.burst"),
            )
        case "external":
            return External(rate_per_s=rate_per_s(keys.external, "arrival.external"))
        case "closed":
            return Closed(outstanding=None if isinstance(keys.closed, UnsetType) else keys.closed)
        case _:
            return replay_at(file_at(str(keys.trace), folder, "arrival.trace", "an existing CSV file with one column, such as arrival_ms"))


def _form(value: dict[str, Any]) -> str:
    forms = [form for form in _FORMS if form in value]
    if len(forms) != 1:
        raise InputError("arrival", shown(value), f"exactly one of {', '.join(_FORMS)}")
    for key, form in _BESIDE.items():
        if key in value and forms != [form]:
            raise InputError(f"arrival.{key}", shown(value[key]), f"only beside {form}")
    return forms[0]


def replay_at(path: Path) -> Replay:
    """Read recorded arrivals: a CSV file of one column, `arrival_ns`, `arrival_us`, `arrival_ms` or `arrival_s`, in order."""
    sheet = read_sheet(path, "arrival.trace")
    header = ",".join(sheet.header) or "empty"
    if header not in _COLUMNS:
        raise sheet.refused(sheet.line, header, nearest(header, tuple(_COLUMNS)))
    if not sheet.rows:
        raise sheet.refused(sheet.line, header, "at least one arrival below it")
    unit_ns = _COLUMNS[header]
    times_ns = [(line, sheet.instant_ns(line, ",".join(cells), unit_ns)) for line, cells in sheet.rows]
    for (_, before_ns), (line, time_ns) in pairwise(times_ns):
        if time_ns < before_ns:
            raise sheet.refused(line, f"{Decimal(time_ns) / unit_ns:f}", "instants in order; the one before is later")
    return Replay(path=str(path), times_ns=tuple(time_ns for _, time_ns in times_ns))
