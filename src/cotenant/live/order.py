"""What an engine process is told to serve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cotenant.describe import Card, Option, Platform, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Name the tenant, what it is served with, and its lanes; `gentle` loads at the class of best effort.

    The options come in the order in which they were asked for: posts are numbered after them. Each further order for the same process
    has a `version` of its own.
    """

    card: Card
    platform: Platform
    options: tuple[Option, ...]
    critical: bool
    version: int = 0
    gentle: bool = False

    @property
    def is_gentle(self) -> bool:
        """Say whether it is loaded at the class of best effort: never what rank 0 waits for."""
        return self.gentle and not self.critical

    @property
    def cores(self) -> tuple[int | None, ...]:
        """Return the core of each lane, counted over all processors; None where lanes have no numbers."""
        return tuple(core for p in self.platform.processors for core in (p.cores or (None,) * p.lanes))


Post = tuple[Option, Step, int]
"""Where a session is: an option, a step of it, and a lane within the step's processor."""


def posts(options: Iterable[Option], platform: Platform) -> Iterator[Post]:
    """List where the sessions of options are, in the order in which both sides number them."""
    for option in options:
        for step in option.chain:
            for lane in range(platform.processor(step.processor).lanes):
                yield option, step, lane


def first_lanes(platform: Platform) -> dict[str, int]:
    """Return where the lanes of each processor begin, counted over all processors."""
    first, lanes = {}, 0
    for processor in platform.processors:
        first[processor.name] = lanes
        lanes += processor.lanes
    return first
