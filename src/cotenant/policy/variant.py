"""Policies by name, and each with hopeless requests last."""

from __future__ import annotations

from dataclasses import replace

from cotenant.policy.interface import Policy
from cotenant.registry import Registry

LATE_LAST = "/late-last"
"""After a policy's name: whoever cannot be in time any more goes after all who can."""


def named(policies: Registry[Policy], name: str, path: str | None = None) -> Policy:
    """Return the policy of this name, `NAME/late-last` for one with `late_last`; InputError names the nearest known one."""
    if name.endswith(LATE_LAST):
        return replace(policies.get(name.removesuffix(LATE_LAST), path), late_last=True)
    return policies.get(name, path)


def variants(policies: Registry[Policy]) -> tuple[str, ...]:
    """List every policy, and with late last every one that is not so already."""
    names = policies.names()
    return tuple(name for base in names for name in ((base,) if policies.get(base).late_last else (base, base + LATE_LAST)))
