"""Several networks share one device, in order of rank."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["open"]


def __getattr__(name: str) -> Any:
    """Find `cotenant.open` when it is first asked for: importing cotenant loads nothing."""
    if name == "open":
        return import_module("cotenant.study.door").open_crew
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
