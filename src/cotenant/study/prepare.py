"""From a crew file to a plan for this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cotenant.backend import installed
from cotenant.backend.machine import discover
from cotenant.describe import Crew, Option, Platform, Precision, cache_folder
from cotenant.describe.files import read_crew
from cotenant.errors import InputError
from cotenant.plan import HEADROOM
from cotenant.profile import SILENT, Profile, Progress, profile
from cotenant.study.prepared import Prepared, planned
from cotenant.study.rehearsal import recall, rehearse

AUTO = "auto"
REHEARSALS = 3
"""At most: a plan that its rehearsal changes is rehearsed in turn."""


def prepare(
    path: Path,
    precisions: tuple[Precision, ...] | None = None,
    progress: Progress = SILENT,
    *,
    headroom: float = HEADROOM,
    allow_overload: bool = False,
) -> Prepared:
    """Read a crew, discover this machine, measure what is not yet known, plan, and rehearse the plan.

    `precisions` None permits all. InputError for what cannot be used, InfeasibleError for a crew that does not fit.
    """
    crew = read_crew(path)
    platform = platform_of(crew)
    measured = profile(crew, platform, installed(), cache_folder(), progress, precisions)
    return rehearsed(crew, platform, measured, headroom=headroom, allow_overload=allow_overload)


def rehearsed(
    crew: Crew,
    platform: Platform,
    measured: Profile,
    *,
    headroom: float = HEADROOM,
    allow_overload: bool = False,
    told: Callable[[str], None] = lambda _: None,
) -> Prepared:
    """Plan a crew that has been measured alone; correct the costs by what they are at work, and plan again.

    A rehearsal is kept, and made only for a crew and options for which there was none.
    """
    folder = cache_folder()
    prepared = planned(crew, platform, measured, headroom=headroom, allow_overload=allow_overload)
    for _ in range(REHEARSALS):
        found = recall(folder, prepared.plan.shares, platform, prepared.plan.crew)
        if found is None:
            told("rehearsing: the plan is served for a moment, to see what its models take beside one another")
            found = rehearse(prepared, folder)
        before = _used(prepared)
        corrected = replace(measured, slowdowns=tuple(sorted(found.items())))
        prepared = planned(crew, platform, corrected, headroom=headroom, allow_overload=allow_overload)
        if _used(prepared) == before:
            break
    return prepared


def _used(prepared: Prepared) -> set[tuple[str, str]]:
    options: list[Option] = [share.option for share in prepared.plan.shares]
    return {(option.tenant, option.name) for option in options}


def platform_of(crew: Crew) -> Platform:
    """Return this machine; InputError for a crew that asks for another, which cannot be measured from here."""
    if crew.platform != AUTO:
        raise InputError("platform", crew.platform, f"{AUTO}: only this machine can be measured and served")
    return discover()
