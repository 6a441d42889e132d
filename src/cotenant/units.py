"""Quantities as people write them, and as whole base units."""

from __future__ import annotations

import re
from typing import Final

from cotenant.errors import InputError

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
NS_PER_US: Final = 1_000

_TIME_NS: Final = {"ns": 1, "us": NS_PER_US, "ms": NS_PER_MS, "s": NS_PER_S, "min": 60 * NS_PER_S, "h": 3600 * NS_PER_S}
_PER_S: Final = {"s": 1.0, "ms": 1e3, "min": 1 / 60, "h": 1 / 3600}
_BYTES: Final = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_NUMBER: Final = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"


def _split(text: object, units: dict[str, float] | dict[str, int], before: str = "") -> tuple[float, str] | None:
    names = "|".join(sorted(units, key=len, reverse=True))
    match = re.fullmatch(rf"\s*({_NUMBER})\s*{before}\s*({names})\s*", text) if isinstance(text, str) else None
    return (float(match[1]), match[3]) if match else None


def duration_ns(text: object, path: str) -> int:
    """Read a duration such as `100ms` as whole nanoseconds; InputError names `path`."""
    parts = _split(text, _TIME_NS)
    if parts is None:
        raise InputError(path, text, "a duration with its unit, such as 100ms; one of " + " ".join(_TIME_NS))
    return round(parts[0] * _TIME_NS[parts[1]])


def rate_per_s(text: object, path: str) -> float:
    """Read a rate such as `30/s` as events per second; InputError names `path`."""
    parts = _split(text, _PER_S, before="/")
    if parts is None:
        raise InputError(path, text, "a rate with its unit, such as 30/s; one of " + " ".join("/" + u for u in _PER_S))
    return parts[0] * _PER_S[parts[1]]


def size_bytes(text: object, path: str) -> int:
    """Read a size such as `512MiB` as whole bytes; InputError names `path`."""
    parts = _split(text, _BYTES)
    if parts is None:
        raise InputError(path, text, "a size with its unit, such as 512MiB; one of " + " ".join(_BYTES))
    return round(parts[0] * _BYTES[parts[1]])
