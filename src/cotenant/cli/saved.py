"""Plans in files: written, and proven again; heavy to import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cotenant.describe import Plan
from cotenant.describe.files import read_plan, write_plan
from cotenant.errors import InputError
from cotenant.plan import check, enumerate_options
from cotenant.study.prepare import Profiled

__all__ = ["check_tree", "read_plan", "save_plan"]


def save_plan(plan: Plan, file: Path) -> None:
    """Write a plan; InputError for a file that cannot be written."""
    try:
        file.write_text(write_plan(plan), encoding="utf-8")
    except OSError as error:
        raise InputError(str(file), error.strerror or error, "a file that can be written, on a disk with room") from error


def check_tree(plan: Plan, found: Profiled) -> dict[str, Any]:
    """Prove a plan again for a crew at what it costs alone now, slowed as the plan says; `complaints` is empty where it holds."""
    tenants, profile = found.crew.workload.tenants, found.reckoning(dict(plan.slowdowns)).profile
    options = enumerate_options(tenants, profile.cards, profile.at_work, found.platform)
    verdict = check(plan, tenants, options, found.platform)
    return {"ok": verdict.ok, "value": verdict.value, "bound": verdict.bound, "complaints": list(verdict.complaints)}
