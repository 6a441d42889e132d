"""Plans in files: written, and proven again; heavy to import."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from cotenant.cli.measure import Measure
from cotenant.describe import Plan, cache_folder
from cotenant.describe.files import digest_of, read_plan, write_plan
from cotenant.errors import InputError
from cotenant.plan import check, offer
from cotenant.study.rehearsal import recall

__all__ = ["check_tree", "read_plan", "save_plan"]


def save_plan(plan: Plan, file: Path) -> None:
    """Write a plan; InputError for a file that cannot be written."""
    try:
        file.write_text(write_plan(plan), encoding="utf-8")
    except OSError as error:
        raise InputError(str(file), error.strerror or error, "a file that can be written, on a disk with room") from error


def check_tree(plan: Plan, found: Measure) -> dict[str, Any]:
    """Prove a plan again for a crew as it is measured now; `complaints` is empty where it holds."""
    tenants = found.crew.workload.tenants
    slowdowns = recall(cache_folder(), plan.shares, found.platform, digest_of(found.crew)) or {}
    profile = replace(found.profile, slowdowns=tuple(slowdowns.items()))
    offered = offer(tenants, profile.cards, profile.at_work, found.platform)
    verdict = check(plan, tenants, offered.options, found.platform)
    return {"ok": verdict.ok, "value": verdict.value, "bound": verdict.bound, "complaints": list(verdict.complaints)}
