"""Draws without an end, from a generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_AT_ONCE = 256


def endless(draw: Callable[[int], Any]) -> Iterator[float]:
    """Yield one number after the other from `draw`, which makes an array of so many; many at once take less time."""
    while True:
        yield from draw(_AT_ONCE).tolist()
