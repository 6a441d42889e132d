"""A plan in a file, with what it takes to check it again."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from cotenant.describe.document import json_tree
from cotenant.describe.plan import Plan
from cotenant.describe.tree import decode, shown
from cotenant.errors import InputError

_ALLOWED = "a plan as `cotenant plan` writes it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Hold a plan with the crew file and the platform that it was made for, both as they were given.

    `visits`, `power_w` and `priority` are what the plan was asked for beside them; the names are empty in files that hold a bare plan.
    """

    plan: Plan
    crew_file: str = ""
    platform_name: str = ""
    visits: int = 1
    power_w: float | None = None
    priority: str = "static"


def filed_tree(filed: Filed) -> dict[str, Any]:
    """Return what `read_filed` reads back, as plain values."""
    tree = msgspec.to_builtins(filed)
    assert isinstance(tree, dict)
    return tree


def read_filed(path: Path) -> Filed:
    """Read what `plan --json` printed, or a bare plan; InputError for a damaged one."""
    tree = json_tree(path)
    if not isinstance(tree, dict):
        raise InputError(shown(path), shown(tree), _ALLOWED)
    try:
        if "plan" not in tree:
            return Filed(plan=decode(tree, Plan))
        known = {field.name for field in fields(Filed)}
        return decode({key: value for key, value in tree.items() if key in known}, Filed)
    except InputError as error:
        raise InputError(f"{shown(path)}: {error.path}", shown(error.value), error.allowed) from error


def write_plan(plan: Plan) -> str:
    """Write a bare plan as JSON, where an infinite number is `Infinity`; the same plan, the same text."""
    return json.dumps(msgspec.to_builtins(plan), indent=1, ensure_ascii=False) + "\n"
