"""How a tenant's work varies from request to request."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cotenant.describe.draws import endless
from cotenant.errors import InputError

_MAX_SPREAD = 10.0
_MAX_SEGMENT = 1_000_000
_ROUNDING = 1e-9
_EXITS = "probabilities in (0, 1] that add up to at most 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Say what is drawn with each request and hidden from policies; by default nothing varies.

    `spread` is the coefficient of variation of its work, lognormal with mean 1: sparsity, or anything else that depends on the
    input. `exits` lists (segment, probability): so often a request leaves after that segment, for good; what is missing to 1 runs
    to the end. Only a simulator honours either. InputError for what is no distribution.
    """

    spread: float = 0.0
    exits: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.spread <= _MAX_SPREAD:
            raise InputError("work.spread", self.spread, f"0 to {_MAX_SPREAD:g}")
        for index, (segment, probability) in enumerate(self.exits):
            if not 0 <= segment <= _MAX_SEGMENT:
                raise InputError("exits", segment, f"the index of a segment, 0 to {_MAX_SEGMENT}")
            if any(segment == other for other, _ in self.exits[:index]):
                raise InputError("exits", segment, "each segment once")
            if not 0 < probability <= 1:
                raise InputError(f"exits.{segment}", probability, _EXITS)
        if (total := math.fsum(probability for _, probability in self.exits)) > 1 + _ROUNDING:
            raise InputError("exits", f"{total:g} in all", _EXITS)


Hidden = tuple[float, int | None]
"""A request's work scale, and the segment after which it leaves."""


def hidden(work: Work, scales: np.random.Generator, exits: np.random.Generator) -> Iterator[Hidden]:
    """Draw what varies, request by request without an end; each of the two from a generator of its own."""
    if not work.spread and not work.exits:
        return itertools.repeat((1.0, None))
    return zip(_scales(work.spread, scales), _exits(work.exits, exits), strict=False)


def _scales(spread: float, rng: np.random.Generator) -> Iterator[float]:
    """Draw lognormal numbers of mean 1: with variance s^2 = log(1 + spread^2) of the logarithm its mean is -s^2 / 2."""
    variance = math.log1p(spread * spread)
    return (math.exp(math.sqrt(variance) * normal - variance / 2) for normal in endless(rng.standard_normal))


def _exits(exits: tuple[tuple[int, float], ...], rng: np.random.Generator) -> Iterator[int | None]:
    segments = [segment for segment, _ in exits]
    bounds = list(itertools.accumulate(probability for _, probability in exits))
    for uniform in endless(rng.random):
        yield next((segment for segment, bound in zip(segments, bounds, strict=True) if uniform < bound), None)
