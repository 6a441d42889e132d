"""Plans in files: written, and proven again; heavy to import."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cotenant.cli.options import AUTO
from cotenant.describe import Crew, Option, Plan, Platform, Tenant, cache_folder
from cotenant.describe.document import json_tree
from cotenant.describe.files import read_filed
from cotenant.plan import ALL, HEADROOM, check, crowding, enumerate_options
from cotenant.study.kept import recall
from cotenant.study.prepare import Profiled
from cotenant.trace.frame import save

CLOSE = 0.1  # a rehearsal made again differs by some hundredths

__all__ = ["check_tree", "misstated", "read_filed", "save_plan", "verdict_tree"]


def save_plan(tree: dict[str, Any], file: Path) -> None:
    """Write a plan with what it takes to check it; InputError for a file that cannot be written."""
    save(file, json.dumps(tree, indent=1, ensure_ascii=False) + "\n")


def verdict_tree(
    plan: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform,
    more: Iterable[str] = (), notes: Iterable[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """Prove a plan again for these options; `complaints`, those found or else `more`, is empty where it holds.

    `undecided` says what the proof leaves open; the `notes` are told beside a proof that holds.
    """
    found = check(plan, tenants, options, platform, ALL if plan.headroom == ALL else HEADROOM)
    complaints = list(found.complaints) or list(more)  # what does not hold may not even be shown
    return {
        "ok": not complaints, "value": found.value, "bound": found.bound, "complaints": complaints,
        "undecided": list(found.undecided), "notes": [] if complaints else [*crowding(plan), *notes],
    }  # fmt: skip


def shown(file: Path) -> dict[str, Any]:
    """Return all that a plan's file says beside the plan, for people; a bare plan says no more."""
    tree = json_tree(file)
    return tree if isinstance(tree, dict) and "plan" in tree else {}


def altered(shown: Mapping[str, Any], said: Callable[[], Mapping[str, Any]]) -> Iterator[str]:
    """Name what a file shows that its plan does not say; what it leaves out it may."""
    for key, value in json.loads(json.dumps(said())).items():
        if key in shown and shown[key] != value:
            yield f"{key}: shown otherwise than the plan has it"


def misstated(verdict: Mapping[str, Any], plan: Plan, crew: Crew) -> dict[str, Any]:
    """Add to what became of a proof what a plan states that no proof rests on: it is the crew's, and nothing slows a board's figures."""
    found = [
        f"{name}: {_said(stated)} in the plan, {_said(asked)} by the crew"
        for name, stated, asked in (("policy", plan.policy, crew.policy), ("params", plan.params, crew.params))
        if stated != asked
    ]
    if crew.platform != AUTO and plan.slowdowns:
        found.append(f"slowdowns: {_said(plan.slowdowns)} in the plan; none on a board, whose figures are what they are")
    complaints = [*verdict["complaints"], *found]
    return {**verdict, "ok": not complaints, "complaints": complaints}


def _said(value: str | Sequence[tuple[str, float]]) -> str:
    return value if isinstance(value, str) else ", ".join(f"{name[:12]}={number:g}" for name, number in value) or "none"


def check_tree(plan: Plan, found: Profiled) -> dict[str, Any]:
    """Prove a plan again for a crew at what it costs alone now, slowed as the plan says; `complaints` is empty where it holds."""
    tenants, profile = found.crew.workload.tenants, found.reckoning(dict(plan.slowdowns)).profile
    options = enumerate_options(tenants, profile.cards, profile.at_work, found.platform)
    return verdict_tree(plan, tenants, options, found.platform, _hasty(plan, found))


def _hasty(plan: Plan, found: Profiled) -> Iterator[str]:
    """Complain of slowdowns that a plan takes for less than its rehearsal found."""
    rehearsed = recall(cache_folder(), plan, found.platform)
    stated = dict(plan.slowdowns)
    for model, factor in sorted(rehearsed.slowdowns.items() if rehearsed is not None else ()):
        if stated.get(model, 1.0) < factor * (1 - CLOSE):
            yield f"slowdown of model {model[:12]}: {stated.get(model, 1.0):.3g} stated, {factor:.3g} at its rehearsal"
