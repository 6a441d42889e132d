"""What a policy is asked, and what it may see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NEVER_NS = 1 << 62
"""The due time of a request without a deadline."""

READY, RUNNING = 0, 1
"""The states of a candidate."""


class Candidate(NamedTuple):
    """The head of a queue, or what runs: numbers only. Tenant, option and processor are indices.

    `remaining_ns` is the expected time of the stages that are left, `segment_ns` that of the next one; `earned` and
    `late` are 0 or 1; `due_ns` is NEVER_NS without a deadline.
    """

    tenant: int
    option: int
    stage: int
    request: int
    processor: int
    state: int
    rank: int
    weight: float
    arrival_ns: int
    due_ns: int
    earned: int
    late: int
    remaining_ns: int
    segment_ns: int
    waited_ns: int


class Scene(NamedTuple):
    """What all candidates share: the instant, the free lanes of each processor, the policy's own parameters."""

    now_ns: int
    lanes_free: Sequence[int]
    params: Sequence[float]


Order = Callable[[Candidate, Scene], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Say who goes next: `order` gives the least number to whoever goes first.

    Equal numbers are settled by rank, then by who is furthest behind its promise, then by arrival, then by request.
    `preempts` lets a better candidate interrupt what runs, where the processor can. `params` are (name, default) pairs,
    read by position in `scene.params`.
    """

    order: Order
    preempts: bool = True
    params: tuple[tuple[str, float], ...] = ()
