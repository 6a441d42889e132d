"""The time of an unseen layer, from its counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Board, Cost, Counts, Handover, Place, Precision, Provenance, Segment
from cotenant.errors import InputError

Floats = NDArray[np.float64]

FEWEST_SEGMENTS: Final = 12
"""Two for each part of a rule."""
FEWEST_NETWORKS: Final = 2
"""One is left out, and another tells its time."""
SUMS: Final = 0.5
"""What a network's sum counts in a fit, over what its segments do together. Of many boards only sums were timed."""
LINEAR: Final = 0.2
"""From this relative error on, an error counts linearly and no more as its square: a few odd layers do not bend the rest (Huber, 1964)."""
ROUNDS: Final = 30
"""At most, of reweighted least squares; five to fifteen settle it."""
_SETTLED: Final = 1e-7
_LEAST: Final = 1e-3  # of a known duration: what a prediction weighs as at least, so that none weighs all


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """Hold how far predictions are off for networks that had no part in them, as |predicted / known - 1|.

    `median` and `p90` are over segments. `networks` pairs each network with its sum's predicted / known - 1, with the sign.
    """

    median: float
    p90: float
    networks: tuple[tuple[str, float], ...]

    @property
    def networks_median(self) -> float:
        """Return the median over networks of how far their sums are off."""
        return float(np.median([abs(off) for _, off in self.networks]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Hold what a duration is made of, in ns; no part is less than 0, so that more to do never takes less time.

    `parts` are: once; for each flop; for each byte of weights; for each byte of inputs and outputs; for flop to the power 3/4, since large
    layers compute more in a second; for the root of flop times bytes, the rounded corner of a roofline.
    """

    parts: tuple[float, ...]

    def predict(self, counts: Counts) -> int:
        """Return a duration in ns, 1 at least."""
        return max(1, round(float(_features([counts])[0] @ np.array(self.parts))))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFit:
    """Hold what segments take at a place, and how well that is known.

    `provenance` says how most of the time that it was fitted to is known: where it is not measured, `deviation` tells of sums at the most.
    `typical_ns` is the median duration of a segment, in the median network; `traffic` is bytes moved over bytes counted; `power_w` is
    the median draw, None where nobody measured it.
    """

    place: Place
    rule: Rule
    deviation: Deviation
    provenance: Provenance
    typical_ns: float
    traffic: float = 0.0
    power_w: float | None = None

    def predict(self, counts: Counts) -> Cost:
        """Return what a segment of these counts takes here."""
        processor, width = self.place
        return Cost(
            processor=processor, width=width, duration_ns=self.rule.predict(counts), memory_bytes=round(self.traffic * _bytes(counts)),
            provenance=Provenance.ASSUMED, power_w=self.power_w,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFit:
    """Hold what handing over takes from one processor to another, and how well that is known."""

    source: str
    target: str
    fixed_ns: float
    ns_per_byte: float
    deviation: Deviation

    def predict(self, live_bytes: int) -> Handover:
        """Return what handing over so many bytes takes."""
        duration_ns = round(self.fixed_ns + self.ns_per_byte * live_bytes)
        return Handover(source=self.source, target=self.target, duration_ns=duration_ns, provenance=Provenance.ASSUMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """Hold what a board's figures tell of layers that it does not list; `refused` pairs the other places with the reason."""

    board: str
    precision: Precision
    places: tuple[PlaceFit, ...]
    pairs: tuple[PairFit, ...] = ()
    refused: tuple[tuple[Place, str], ...] = ()

    def at(self, place: Place) -> PlaceFit:
        """Return the fit of a place; InputError, with the reason, where there is none."""
        for fit in self.places:
            if fit.place == place:
                return fit
        known = ", ".join(shown(fit.place) for fit in self.places)
        raise InputError(shown(place), dict(self.refused).get(place, f"{self.board} has no figures of it"), f"one of {known}")


def fitted(board: Board, precision: Precision = Precision.FP32) -> Regression:
    """Fit durations, traffic, power and handovers of one precision to a board's segments, each place and each pair by itself.

    Every `deviation` is found by leaving out one whole network after the other. InputError for a board that has no counts, or no place with
    enough segments.
    """
    known = [(n.name, s, s.counts) for n in board.networks if n.precision is precision for s in n.segments if s.counts is not None]
    if not known:
        found = f"no counts of its {precision.value} networks, from which other networks' times could be told"
        raise InputError(board.platform.name, found, "networks of the board itself, as board:NAME, or a board whose segments have counts")
    at = {place: _at(known, place) for place in dict.fromkeys(cost.place for _, segment, _ in known for cost in segment.costs)}
    refused = {place: reason for place, lines in at.items() if (reason := _too_few([name for name, _, _ in lines]))}
    if len(refused) == len(at):
        told = "; ".join(f"{shown(place)} has {reason}" for place, reason in refused.items())
        raise InputError(board.platform.name, told, "networks of the board itself, as board:NAME")
    pairs = dict.fromkeys((one.source, one.target) for _, segment, _ in known for one in segment.handovers)
    between = {pair: _between(known, *pair) for pair in pairs}
    return Regression(
        board=board.platform.name,
        precision=precision,
        places=tuple(_place_fit(place, lines, board.provenance[place]) for place, lines in at.items() if place not in refused),
        pairs=tuple(_pair_fit(*pair, lines) for pair, lines in between.items() if not _too_few([name for name, _, _ in lines])),
        refused=tuple(refused.items()),
    )


def shown(place: Place) -> str:
    """Write a place as people read it."""
    return f"{place[0]} x{place[1]}"


_Known = Sequence[tuple[str, Segment, Counts]]
"""A network's name, a segment of it, and what it counts."""
_Line = tuple[str, Counts, Cost]
_Passed = tuple[str, int, int]  # a network's name, bytes, ns


def _at(known: _Known, place: Place) -> list[_Line]:
    return [(name, counts, cost) for name, segment, counts in known for cost in segment.costs if cost.place == place]


def _between(known: _Known, source: str, target: str) -> list[_Passed]:
    found = ((name, counts.output_bytes, segment.handover_ns(source, target)) for name, segment, counts in known)
    return [(name, size, duration_ns) for name, size, duration_ns in found if duration_ns is not None]


def _too_few(names: Sequence[str]) -> str:
    """Say why there can be no fit; nothing where there can."""
    if len(names) >= FEWEST_SEGMENTS and len(set(names)) >= FEWEST_NETWORKS:
        return ""
    return f"figures of {len(names)} segments in {len(set(names))} networks, and {FEWEST_SEGMENTS} in {FEWEST_NETWORKS} are needed"


def _place_fit(place: Place, lines: Sequence[_Line], provenance: Provenance) -> PlaceFit:
    samples = _Samples(
        names=np.array([name for name, _, _ in lines]),
        features=_features(counts for _, counts, _ in lines),
        known=np.array([float(cost.duration_ns) for _, _, cost in lines]),
    )
    powers = [cost.power_w for _, _, cost in lines if cost.power_w is not None]
    return PlaceFit(
        place=place,
        rule=Rule(parts=tuple(map(float, samples.fit()))),
        deviation=samples.deviation(),
        provenance=provenance,
        typical_ns=samples.typical(),
        traffic=float(np.median([cost.memory_bytes / max(1, _bytes(counts)) for _, counts, cost in lines])),
        power_w=float(np.median(powers)) if powers else None,
    )


def _pair_fit(source: str, target: str, lines: Sequence[_Passed]) -> PairFit:
    samples = _Samples(
        names=np.array([name for name, _, _ in lines]),
        features=np.array([(1.0, size) for _, size, _ in lines]),
        known=np.array([max(1.0, duration_ns) for _, _, duration_ns in lines]),
    )
    fixed_ns, ns_per_byte = map(float, samples.fit())
    return PairFit(source=source, target=target, fixed_ns=fixed_ns, ns_per_byte=ns_per_byte, deviation=samples.deviation())


def _bytes(counts: Counts) -> int:
    return counts.weight_bytes + counts.input_bytes + counts.output_bytes


def _features(counts: Iterable[Counts]) -> Floats:
    """Return a row for each, with a column for each part of a `Rule`."""
    rows = [(1, c.flop, c.weight_bytes, c.input_bytes + c.output_bytes, c.flop**0.75, (c.flop * _bytes(c)) ** 0.5) for c in counts]
    return np.array(rows, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Samples:
    """Hold what is known: for each row the network that it is of, what it is made of, and a duration in ns."""

    names: NDArray[np.str_]
    features: Floats
    known: Floats

    def where(self, chosen: NDArray[np.bool_]) -> _Samples:
        return _Samples(names=self.names[chosen], features=self.features[chosen], known=self.known[chosen])

    def fit(self) -> Floats:
        """Return the coefficients that make relative errors least, over the segments of each network and over the networks' sums."""
        of = [self.names == name for name in np.unique(self.names)]
        sums = np.array([self.features[rows].sum(axis=0) for rows in of])
        counting = np.concatenate([(1.0 / np.array(of).sum(axis=1)) @ np.array(of), np.full(len(of), SUMS)])
        totals = np.array([self.known[rows].sum() for rows in of])
        return _least(np.concatenate([self.features, sums]), np.concatenate([self.known, totals]), counting)

    def typical(self) -> float:
        """Return the median over networks of their median."""
        return float(np.median([np.median(self.known[self.names == name]) for name in np.unique(self.names)]))

    def deviation(self) -> Deviation:
        """Predict every network from the others alone."""
        predicted = np.zeros_like(self.known)
        names = [str(name) for name in dict.fromkeys(self.names)]
        for name in names:
            left_out = self.names == name
            predicted[left_out] = self.features[left_out] @ self.where(~left_out).fit()
        off = np.abs(predicted / self.known - 1)
        sums = [(name, predicted[self.names == name].sum() / self.known[self.names == name].sum() - 1) for name in names]
        return Deviation(
            median=float(np.median(off)), p90=float(np.quantile(off, 0.9)), networks=tuple((name, float(sum_)) for name, sum_ in sums)
        )


def _least(features: Floats, known: Floats, counting: Floats) -> Floats:
    """Return the coefficients, 0 or more, that make relative errors least, each `counting` so much.

    By least squares, reweighed round by round. It settles where p / t - 1 - log(p / t) is least in the mean, p predicted and t known: half
    the square of a small relative error, and convex (Itakura and Saito, 1968).
    """
    largest = np.where((peak := features.max(axis=0)) > 0, peak, 1.0)
    scaled = features / largest
    predicted, before = known, np.zeros(features.shape[1])
    for _ in range(ROUNDS):
        weights = np.sqrt(counting / (predicted * known * np.maximum(1.0, np.abs(np.log(predicted / known)) / LINEAR)))
        found = _nonnegative(scaled * weights[:, None], known * weights)
        if np.abs(found - before).max() <= _SETTLED * found.max():
            break
        predicted, before = np.maximum(scaled @ found, _LEAST * known), found
    return found / largest


def _nonnegative(matrix: Floats, target: Floats) -> Floats:
    """Return the x >= 0 that makes |matrix x - target| least (Lawson and Hanson, 1974, chapter 23)."""
    found, free = np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1], dtype=np.bool_)
    least = 1e-12 * np.abs(matrix.T @ target).max()
    for _ in range(3 * matrix.shape[1]):
        pull = np.where(free, -np.inf, matrix.T @ (target - matrix @ found))
        if pull.max() <= least:
            break
        free[pull.argmax()] = True
        found = _feasible(matrix, target, found, free)
    return found


def _feasible(matrix: Floats, target: Floats, found: Floats, free: NDArray[np.bool_]) -> Floats:
    """Go to the least squares over the free coefficients, up to where some turn negative; bind those at 0, and go on."""
    while free.any():
        aim = np.zeros_like(found)
        aim[free] = np.linalg.lstsq(matrix[:, free], target, rcond=None)[0]
        below = free & (aim <= 0)
        if not below.any():
            return aim
        step = (found[below] / (found[below] - aim[below])).min()
        found = found + step * (aim - found)
        free &= found > 1e-15 * found.max()
    return np.zeros_like(found)
