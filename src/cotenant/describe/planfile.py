"""A plan in a file, with what it takes to check it again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec

from cotenant.describe.document import json_tree
from cotenant.describe.plan import Plan
from cotenant.describe.tree import decode, join, shown
from cotenant.errors import InputError
from cotenant.registry import nearest

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Price:
    unit: str = ""
    used: float = 0.0
    capacity: float = 0.0
    price: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    option: str = ""
    rate_per_s: float = 0.0
    latency_ms: float = 0.0
    fidelity: float | None = None
    judged: str = ""
    figures: tuple[str, ...] = ()
    off: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tenant:
    rank: int = 0
    rate_per_s: float = 0.0
    solo_rate_per_s: float = 0.0
    p: float = 0.0
    cost: float = 0.0
    options: tuple[_Use, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Printed:
    """Name what `plan --json` prints for people beside what is filed; a number without end is null there."""

    maximised: str = ""
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    seconds: float = 0.0
    prices: dict[str, Any] = field(default_factory=dict)
    tenants: dict[str, Any] = field(default_factory=dict)
    explanation: str = ""
    changes: tuple[str, ...] = ()


def filed_tree(filed: Filed) -> dict[str, Any]:
    """Return what `read_filed` reads back, as plain values."""
    tree = msgspec.to_builtins(filed)
    assert isinstance(tree, dict)
    return tree


def read_filed(path: Path) -> Filed:
    """Read what `plan --json` printed, or a bare plan; InputError for a damaged one, and for a key that neither has, wherever it is."""
    tree = json_tree(path)
    if not isinstance(tree, dict):
        raise InputError(shown(path), shown(tree), _ALLOWED)
    try:
        if "plan" not in tree:
            return Filed(plan=decode(tree, Plan))
        filed, printed = ({field.name for field in fields(one)} for one in (Filed, _Printed))
        _refuse_unknown({key: value for key, value in tree.items() if key not in filed}, (*sorted(filed), *sorted(printed)))
        return decode({key: value for key, value in tree.items() if key in filed}, Filed)
    except InputError as error:
        raise InputError(f"{shown(path)}: {error.path}", shown(error.value), error.allowed) from error


def _refuse_unknown(printed: dict[str, Any], known: tuple[str, ...]) -> None:
    """Refuse what no plan prints: a dictionary's values are read one by one, since a key of theirs is a name."""
    for key in printed:
        if key not in known:
            raise InputError(shown(key), "unknown key", nearest(shown(key), known))
    told = decode(printed, _Printed)
    for name, price in told.prices.items():
        decode(price, _Price, join("prices", shown(name)))
    for name, tenant in told.tenants.items():
        decode(tenant, _Tenant, join("tenants", shown(name)))


def write_plan(plan: Plan) -> str:
    """Write a bare plan as JSON, where an infinite number is `Infinity`; the same plan, the same text."""
    return json.dumps(msgspec.to_builtins(plan), indent=1, ensure_ascii=False) + "\n"
