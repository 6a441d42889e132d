"""Policies by name: with other parameters, or with hopeless requests last."""

from __future__ import annotations

import math
from dataclasses import replace

from cotenant.errors import InputError
from cotenant.policy.interface import Policy
from cotenant.registry import Registry, nearest

LATE_LAST = "/late-last"
"""After a policy's name: whoever cannot be in time any more goes after all who can."""

Params = tuple[tuple[str, float], ...]


def named(policies: Registry[Policy], name: str, path: str | None = None, params: Params = ()) -> Policy:
    """Return the policy of this name, with `params` instead of its own; InputError names the nearest known one.

    `NAME:PARAMETER=NUMBER`, for as many as are wanted, sets parameters too, and `/late-last` at the end sets `late_last`.
    """
    base, *settings = name.removesuffix(LATE_LAST).split(":")
    policy = policies.get(base, path)
    given = (*params, *(_setting(one, name, path or "policy") for one in settings))
    own = zip((key for key, _ in policy.params), values(policy, base, given), strict=True)
    return replace(policy, params=tuple(own), late_last=policy.late_last or name.endswith(LATE_LAST))


def base_of(name: str) -> str:
    """Return the bare name of a policy that is named with parameters or late last."""
    return name.removesuffix(LATE_LAST).split(":")[0]


def values(policy: Policy, name: str, params: Params) -> tuple[float, ...]:
    """Return a policy's parameters by position, as given or by default; InputError for one that it does not have."""
    known = dict(policy.params)
    for key, _ in params:
        if key not in known:
            raise InputError(f"policy.{name}.{key}", "unknown parameter", nearest(key, tuple(known)))
    given = dict(params)
    return tuple(given.get(key, default) for key, default in policy.params)


def variants(policies: Registry[Policy]) -> tuple[str, ...]:
    """List every policy, and with late last every one that is not so already."""
    names = policies.names()
    return tuple(name for base in names for name in ((base,) if policies.get(base).late_last else (base, base + LATE_LAST)))


def _setting(text: str, name: str, path: str) -> tuple[str, float]:
    key, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(path, name, "NAME, or NAME:PARAMETER=NUMBER, as in edf or moca:as_published=1")
    return key.strip(), value
