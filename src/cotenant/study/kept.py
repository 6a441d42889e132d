"""Rehearsals that were made before, in the store."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import msgspec

from cotenant.backend import engines
from cotenant.cost.opening import open_store
from cotenant.describe import Plan, Platform
from cotenant.describe.files import digest_of
from cotenant.profile import STORE
from cotenant.study.rounds import OTHERS_MAX

TRIES = 3
"""A rehearsal that others disturbed is made so often, a start of the crew at a time; the calmest counts, for a day."""
DAY_S = 86400.0

Slowdowns = Mapping[str, float]
"""What an inference takes at work over what it takes alone, by the model's digest."""


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what a rehearsal found, the share of the CPU that others took from it, how often it was made, and when last (Unix time)."""

    slowdowns: dict[str, float]
    others: float
    at_s: float
    tries: int = 1

    def __post_init__(self) -> None:
        if not all(0 < factor < math.inf for factor in self.slowdowns.values()):
            raise ValueError("a slowdown is a positive number")

    def settled(self, now_s: float) -> bool:
        """Say whether making it again is not worth it."""
        return self.others <= OTHERS_MAX or (self.tries >= TRIES and abs(now_s - self.at_s) < DAY_S)


def calmer(before: Rehearsed | None, now: Rehearsed) -> Rehearsed:
    """Return the one that others disturbed less, with the tries of both."""
    if before is None:
        return now
    best = min(before, now, key=lambda rehearsed: rehearsed.others)
    return msgspec.structs.replace(best, tries=before.tries + now.tries, at_s=now.at_s)


def recall(folder: Path, plan: Plan, platform: Platform) -> Rehearsed | None:
    """Return the rehearsal of a plan's options for its crew; None if there was none, or it is damaged."""
    with open_store(folder / STORE, lambda _: None) as store:
        content = store.fact(_name(plan, platform))
    try:
        return None if content is None else msgspec.json.decode(content, type=Rehearsed)
    except (msgspec.DecodeError, ValueError):
        return None


def keep(folder: Path, plan: Plan, platform: Platform, rehearsed: Rehearsed) -> None:
    """Keep a rehearsal in place of an earlier one."""
    with open_store(folder / STORE, lambda _: None) as store:
        store.put_fact(_name(plan, platform), msgspec.json.encode(rehearsed))


def _name(plan: Plan, platform: Platform) -> str:
    """Name a rehearsal by all that it depends on, but not by the costs that it corrects, nor by what of the memory is free."""
    options = [share.option for share in plan.shares]
    used = sorted((o.tenant, o.name, o.artifact.model, engines.get(o.artifact.engine).version) for o in options)
    return f"rehearsal {digest_of((plan.crew, platform.fingerprint, platform.processors, tuple(used)))}"
