"""Quantities as people write them, and as whole base units."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from cotenant.errors import InputError

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
NS_PER_US: Final = 1_000

MAX_NS: Final = 100 * 365 * 24 * 3600 * NS_PER_S  # two of them still add up within 64 bits
MAX_PER_S: Final = 1e6
MAX_BYTES: Final = 2**60

_TIME_NS: Final = {"ns": 1, "us": NS_PER_US, "ms": NS_PER_MS, "s": NS_PER_S, "min": 60 * NS_PER_S, "h": 3600 * NS_PER_S}
_PER_NS: Final = {"s": NS_PER_S, "ms": NS_PER_MS, "min": 60 * NS_PER_S}
_BYTES: Final = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_NUMBER: Final = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"


def _split(text: object, units: dict[str, int], before: str = "") -> tuple[Decimal, str] | None:
    names = "|".join(sorted(units, key=len, reverse=True))
    match = re.fullmatch(rf"\s*({_NUMBER})\s*{before}\s*({names})\s*", text) if isinstance(text, str) else None
    return (Decimal(match[1]), match[2]) if match else None


def _whole(amount: Decimal) -> int:
    """Round to the nearest whole number, a half away from 0."""
    return int(amount.to_integral_value(rounding=ROUND_HALF_UP))


def duration_ns(text: object, path: str) -> int:
    """Read a duration such as `100ms` as whole nanoseconds, 100 years at most; InputError names `path`."""
    parts = _split(text, _TIME_NS)
    if parts is None and isinstance(text, str) and _split(text.strip().removeprefix("-"), _TIME_NS):
        raise InputError(path, text, "more than 0, such as 100ms")
    if parts is None:
        raise InputError(path, text, "a duration with its unit, such as 100ms; one of " + " ".join(_TIME_NS))
    if (amount := parts[0] * _TIME_NS[parts[1]]) > MAX_NS:
        raise InputError(path, text, f"at most {MAX_NS // _TIME_NS['h']}h")
    return _whole(amount)


def duration_text(time_ns: int) -> str:
    """Write whole nanoseconds in the greatest unit up to seconds that keeps them whole."""
    unit = next(unit for unit in ("s", "ms", "us", "ns") if time_ns % _TIME_NS[unit] == 0)
    return f"{time_ns // _TIME_NS[unit]}{unit}"


def rate_per_s(text: object, path: str) -> float:
    """Read a rate such as `30/s` as events per second, a million at most; InputError names `path`."""
    parts = _split(text, _PER_NS, before="/")
    if parts is None:
        raise InputError(path, text, "a rate with its unit, such as 30/s; one of " + " ".join("/" + u for u in _PER_NS))
    if (amount := parts[0] * NS_PER_S / _PER_NS[parts[1]]) > MAX_PER_S:
        raise InputError(path, text, f"at most {MAX_PER_S:.0f}/s")
    return float(amount)


def size_bytes(text: object, path: str) -> int:
    """Read a size such as `512MiB` as whole bytes, an exbibyte at most; InputError names `path`."""
    parts = _split(text, _BYTES)
    if parts is None:
        raise InputError(path, text, "a size with its unit, such as 512MiB; one of " + " ".join(_BYTES))
    if (amount := parts[0] * _BYTES[parts[1]]) > MAX_BYTES:
        raise InputError(path, text, f"at most {MAX_BYTES // _BYTES['GiB']}GiB")
    return _whole(amount)
