"""The policies compared, with parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cotenant.errors import InputError
from cotenant.policy import policies, variants
from cotenant.registry import nearest

OURS: Final = "fewest_late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A policy with parameters, and what it is called here."""

    label: str
    policy: str
    params: tuple[tuple[str, float], ...] = ()

    @property
    def is_ours(self) -> bool:
        return self.policy.startswith(OURS)


STATIC: Final = Way(label="static_partition as_published=1", policy="static_partition", params=(("as_published", 1.0),))
"""The system of the logs beside which the simulator is set."""


def all_ways() -> tuple[Way, ...]:
    """List every registered policy and its variant with hopeless requests last, then those with parameters of interest."""
    given = (("static_partition", "as_published"), ("moca", "as_published"), (OURS, "first"))
    plain = (Way(label=name, policy=name) for name in variants(policies))
    return (*plain, *(Way(label=f"{name} {key}=1", policy=name, params=((key, 1.0),)) for name, key in given))


def chosen(asked: str | None) -> tuple[Way, ...]:
    """Return the ways asked for, and ours; all if none were."""
    ways = {way.label: way for way in all_ways()}
    labels = list(ways) if asked is None else [OURS, *(label.strip() for label in asked.split(","))]
    for label in labels:
        if label not in ways:
            raise InputError("--policies", label, nearest(label, tuple(ways)))
    return tuple(ways[label] for label in dict.fromkeys(labels))
