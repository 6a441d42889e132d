"""A crew that has changed, planned again while the old one is served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from cotenant.describe import Precision
from cotenant.errors import InputError
from cotenant.live import LiveDevice
from cotenant.plan.difference import difference
from cotenant.plan.replan import weigh
from cotenant.study.device import with_everyone
from cotenant.study.prepare import Profiled, profiled
from cotenant.study.prepared import Prepared


def replanned(before: Prepared, path: Path, precisions: tuple[Precision, ...] | None = None) -> Prepared:
    """Plan for a crew file as it is now: measure what is not known yet, and move nobody for little.

    What models take at work is reckoned as before, of new ones as of the others in the mean: to rehearse would pause who is served.
    InputError and InfeasibleError for what cannot be used or does not fit.
    """
    found = profiled(path, precisions)
    _refuse_other_lanes(before, found)
    return _nearest(before, found.reckoning(_reckoned(before, found)).planned(allow_overload=before.allow_overload))


def corrected(before: Prepared, slowdowns: Mapping[str, float]) -> Prepared:
    """Plan the same crew by what models, by digest, turn out to take at work, and move nobody for little; InfeasibleError as ever."""
    found = Profiled(crew=before.crew, platform=before.platform, profile=before.profile)
    return _nearest(before, found.reckoning(slowdowns).planned(allow_overload=before.allow_overload))


def _nearest(before: Prepared, best: Prepared) -> Prepared:
    """Keep the options in use, unless moving is worth it."""
    chosen = weigh(before.plan, best.plan, best.tenants, best.options, best.platform).plan
    told = {name: getattr(best.plan, name) for name in ("seconds", "policy", "params", "crew", "platform", "slowdowns")}
    return replace(best, plan=replace(chosen, **told))


def change(device: LiveDevice, before: Prepared, after: Prepared) -> tuple[str, ...]:
    """Go over to what was planned again; say what changes, in words."""
    device.change(after.crew, after.profile.cards, with_everyone(after))
    return difference(before.plan, after.plan)


def _refuse_other_lanes(before: Prepared, found: Profiled) -> None:
    if found.platform.processors != before.platform.processors:
        names = ", ".join(f"{p.name} x{p.lanes}" for p in found.platform.processors)
        raise InputError("processors", names, "those that it was started with: others need a new start")


def _reckoned(before: Prepared, found: Profiled) -> Mapping[str, float]:
    """Return by what every model is slower at work."""
    known = dict(before.plan.slowdowns)
    usual = fmean(known.values()) if known else 1.0
    return {card.model.digest: known.get(card.model.digest, usual) for card in found.profile.cards}
