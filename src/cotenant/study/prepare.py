"""From a crew file to a plan for this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cotenant.backend import installed
from cotenant.backend.machine import discover, present_cores
from cotenant.describe import Crew, Option, Platform, Precision, cache_folder
from cotenant.describe.files import read_crew
from cotenant.describe.reserved import reserve
from cotenant.errors import InputError
from cotenant.profile import SILENT, Profile, Progress, profile
from cotenant.study.prepared import Prepared, planned
from cotenant.study.rehearsal import rehearse

AUTO = "auto"
REHEARSALS = 3
"""At most: a plan that its rehearsal changes is rehearsed in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled:
    """Hold a crew and what its models cost, alone, on this machine."""

    crew: Crew
    platform: Platform
    profile: Profile

    def reckoning(self, slowdowns: Mapping[str, float]) -> Profiled:
        """Return the same with what models (by digest) take at work over what they take alone."""
        return replace(self, profile=replace(self.profile, slowdowns=tuple(sorted(slowdowns.items()))))

    def planned(self, *, allow_overload: bool = False) -> Prepared:
        """Plan the crew; InfeasibleError if it does not fit."""
        return planned(self.crew, self.platform, self.profile, allow_overload=allow_overload)


def profiled(path: Path, precisions: tuple[Precision, ...] | None = None, progress: Progress = SILENT) -> Profiled:
    """Read a crew, discover this machine, and measure what is not yet known of its models; what was measured is kept.

    `precisions` None permits all. InputError for what cannot be used.
    """
    crew = read_crew(path)
    platform = platform_of(crew)
    return Profiled(crew=crew, platform=platform, profile=profile(crew, platform, installed(), cache_folder(), progress, precisions))


def rehearsed(found: Profiled, *, allow_overload: bool = False, told: Callable[[str], None] = lambda _: None) -> Prepared:
    """Plan a crew by what its models take alone; correct that by what they take at work, and plan again.

    A rehearsal is kept, and made only for a crew and options for which there was none, or none that was undisturbed.
    InfeasibleError for a crew that does not fit.
    """
    prepared = found.planned(allow_overload=allow_overload)
    for _ in range(REHEARSALS):
        slowdowns, before = rehearse(prepared, cache_folder(), told), _used(prepared)
        prepared = found.reckoning(slowdowns).planned(allow_overload=allow_overload)
        if _used(prepared) == before:
            break
    return prepared


def _used(prepared: Prepared) -> set[tuple[str, str]]:
    options: list[Option] = [share.option for share in prepared.plan.shares]
    return {(option.tenant, option.name) for option in options}


def platform_of(crew: Crew) -> Platform:
    """Return this machine, divided as tenants reserve cores of it.

    InputError for a crew that asks for another, which cannot be measured from here, and for cores that cannot be reserved.
    """
    if crew.platform != AUTO:
        raise InputError("platform", crew.platform, f"{AUTO}: only this machine can be measured and served")
    return reserve(discover(), crew.workload.tenants, present_cores())
