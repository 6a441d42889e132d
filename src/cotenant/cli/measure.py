"""A crew measured, with progress shown; heavy to import."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cotenant.backend import installed
from cotenant.cli.bar import progress
from cotenant.cli.options import precision_names
from cotenant.describe import Crew, Platform, Precision, cache_folder
from cotenant.describe.files import read_crew
from cotenant.errors import InputError
from cotenant.profile import Profile, profile
from cotenant.registry import nearest
from cotenant.study.prepare import platform_of, rehearsed
from cotenant.study.prepared import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Hold a crew and what its models cost on this machine."""

    crew: Crew
    platform: Platform
    profile: Profile


def permitted(given: Sequence[str] | None) -> tuple[Precision, ...] | None:
    """Return the precisions named; None permits all. InputError names the nearest known one."""
    names = precision_names(given)
    known = tuple(p.value for p in Precision)
    for name in names or ():
        if name not in known:
            raise InputError("--precision", name or "''", nearest(name, known))
    return None if names is None else tuple(p for p in Precision if p.value in names)


def measure(path: Path, precisions: tuple[Precision, ...] | None) -> Measure:
    """Read a crew, and measure what is not yet known of its models; what was measured is kept."""
    crew = read_crew(path)
    platform = platform_of(crew)
    with progress() as shown:
        found = profile(crew, platform, installed(), cache_folder(), shown, precisions)
    return Measure(crew=crew, platform=platform, profile=found)


def plan_of(found: Measure, *, allow_overload: bool) -> Prepared:
    """Plan and rehearse a crew that has been measured; the plan says how long planning took."""
    return rehearsed(found.crew, found.platform, found.profile, allow_overload=allow_overload, told=_tell)


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
