"""A crew measured, with progress shown; heavy to import."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from cotenant.cli.bar import progress
from cotenant.cli.options import precision_names
from cotenant.describe import Precision
from cotenant.errors import InputError
from cotenant.registry import nearest
from cotenant.study.prepare import Profiled, profiled, rehearsed
from cotenant.study.prepared import Prepared


def permitted(given: Sequence[str] | None) -> tuple[Precision, ...] | None:
    """Return the precisions named; None permits all. InputError names the nearest known one."""
    names = precision_names(given)
    known = tuple(p.value for p in Precision)
    for name in names or ():
        if name not in known:
            raise InputError("--precision", name or "''", nearest(name, known))
    return None if names is None else tuple(p for p in Precision if p.value in names)


def measure(path: Path, precisions: tuple[Precision, ...] | None) -> Profiled:
    """Measure what is not yet known of a crew's models, with its progress."""
    with progress() as shown:
        return profiled(path, precisions, shown)


def plan_of(found: Profiled, *, allow_overload: bool) -> Prepared:
    """Plan and rehearse a crew that has been measured; the plan says how long planning took."""
    return rehearsed(found, allow_overload=allow_overload, told=_tell)


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
