"""A crew file, turned into the crew that it describes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from cotenant.describe.crew import Crew, Objective
from cotenant.describe.document import file_at
from cotenant.describe.plain import yaml_tree
from cotenant.describe.requestlog import logged
from cotenant.describe.tenant import Tenant
from cotenant.describe.tenantfile import tenant_of
from cotenant.describe.tree import decode, finite, shown, within
from cotenant.describe.workload import Workload
from cotenant.errors import InputError
from cotenant.units import MAX_NS, NS_PER_S, duration_ns

_CREW: Final = "a mapping with tenants, as `cotenant init` writes it"
_SECONDS: Final = f"a number of seconds or a duration such as 20s; more than 0, at most {MAX_NS // NS_PER_S}"
_LOG: Final = "an existing CSV file of requests, with columns such as tenant and arrival_ms"
_POLICY: Final = "a name, or a name with parameters, such as {name: dysta, eta: 0.02}"
_BOARD: Final = "auto, the name of a board, or an existing YAML file that describes one"


class _Keys(Struct, kw_only=True):
    """Hold what a crew may say; what has several forms is read further on."""

    tenants: list[Any]
    platform: str = "auto"
    seconds: Any = UNSET
    seed: int = 0
    requests: str | UnsetType = UNSET
    policy: Any = "rank_edf"
    objective: Objective = Objective.PROPORTIONAL


def crew_at(path: Path) -> Crew:
    """Read a crew; relative paths in it start from its own folder. InputError says what is wrong, and where."""
    tree = yaml_tree(path)
    if not isinstance(tree, dict):
        raise InputError(shown(path), "empty" if tree is None else shown(tree), _CREW)
    folder = Path(os.path.abspath(path.parent))  # noqa: PTH100  a link stays a link
    with within(""):
        return _crew(decode(tree, _Keys), folder)


def _crew(keys: _Keys, folder: Path) -> Crew:
    policy, params = _policy(keys.policy)
    return Crew(
        workload=Workload(
            tenants=_tenants(keys, folder),
            horizon_ns=_horizon_ns(keys.seconds),
            seed=keys.seed,
        ),
        platform=_platform(keys.platform, folder),
        policy=policy,
        params=params,
        objective=keys.objective,
    )


def _tenants(keys: _Keys, folder: Path) -> tuple[Tenant, ...]:
    tenants = tuple(_tenant(index, tree, folder) for index, tree in enumerate(keys.tenants))
    return tenants if isinstance(keys.requests, UnsetType) else logged(tenants, file_at(keys.requests, folder, "requests", _LOG))


def _tenant(index: int, tree: Any, folder: Path) -> Tenant:
    with within(f"tenants[{index}]"):
        return tenant_of(tree, folder)


def _platform(text: str, folder: Path) -> str:
    if not text.strip():
        raise InputError("platform", repr(text), _BOARD)
    return str(file_at(text, folder, "platform", _BOARD)) if text.endswith((".yaml", ".yml")) else text


def _horizon_ns(seconds: Any) -> int | None:
    match seconds:
        case _ if seconds is UNSET:
            return None
        case str():
            return duration_ns(seconds, "seconds")
        case int() | float() if not isinstance(seconds, bool) and 0 < seconds <= MAX_NS / NS_PER_S:
            return round(seconds * NS_PER_S)
        case _:
            raise InputError("seconds", seconds, _SECONDS)


def _policy(value: Any) -> tuple[str, tuple[tuple[str, float], ...]]:
    """Read `NAME`, `{name: NAME, PARAMETER: NUMBER}` or `{NAME: {PARAMETER: NUMBER}}`."""
    if isinstance(value, str) and value.strip():
        return value, ()
    if not isinstance(value, dict) or not value:
        raise InputError("policy", value, _POLICY)
    params = dict(value)
    name = params.pop("name", None)
    if name is None and len(params) == 1:
        name, params = params.popitem()
    if not isinstance(name, str) or not name.strip() or not isinstance(params, dict):
        raise InputError("policy", value, _POLICY)
    return name, _params(name, params)


def _params(name: str, params: dict[Any, Any]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((shown(key), finite(value, f"policy.{shown(name)}.{shown(key)}")) for key, value in params.items()))
