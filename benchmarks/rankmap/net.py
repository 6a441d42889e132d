"""Learning the weights of the estimator: its forward pass again, with gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cotenant.search.estimator import LAYERS, PLACE_FEATURES, TENANT_FEATURES, forward

Array = NDArray[np.float64]
Weights = dict[str, Array]

PLACE_WIDTH, TENANT_WIDTH = 48, 96
BATCH: Final = 512
RATE: Final = 3e-3
DECAY_1, DECAY_2, TINY = 0.9, 0.999, 1e-8
"""As in Adam (Kingma and Ba, 2015)."""

GENTLE: Final = 0.1
"""What the last matrix begins with, of that: about the same P for everybody, where the slope is steepest."""

LEAST_P: Final = 1e-3
"""Below it the root of P is no longer steep."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lessons:
    """Hold tenants in their mixes, all with as many processors; shapes as `features` has them, `most` and `p` one for each tenant."""

    places: Array
    tenants: Array
    most: Array
    p: Array

    def __len__(self) -> int:
        return len(self.p)

    def at(self, rows: NDArray[np.intp]) -> Lessons:
        return Lessons(places=self.places[rows], tenants=self.tenants[rows], most=self.most[rows], p=self.p[rows])


def learnt(groups: Sequence[Lessons], rng: np.random.Generator, epochs: int) -> Weights:
    """Return weights of least squared error in the root of P, which counts small P more than the error itself would.

    Inputs are learnt from standardised; that is then written into the first matrices. The rate falls to nothing as a cosine does.
    """
    scale = _scale(groups)
    inputs = [_standardised(group, scale) for group in groups]
    weights = _begun(rng)
    steps = epochs * sum(-(-len(group) // BATCH) for group in inputs)
    moments: tuple[Weights, Weights] = ({k: v * 0 for k, v in weights.items()}, {k: v * 0 for k, v in weights.items()})
    for step, batch in enumerate(_batches(inputs, rng, epochs)):
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
        _adam(weights, gradient(weights, batch), moments, step + 1, rate)
    return _folded(weights, scale)


def _begun(rng: np.random.Generator) -> Weights:
    """Draw weights of the variance that keeps a rectified layer's (He et al., 2015)."""
    inputs = (PLACE_FEATURES, PLACE_WIDTH, 2 * PLACE_WIDTH + TENANT_FEATURES, TENANT_WIDTH)
    outputs = (PLACE_WIDTH, PLACE_WIDTH, TENANT_WIDTH, 1)
    weights = {}
    for layer, wide, narrow in zip(LAYERS, inputs, outputs, strict=True):
        weights[f"{layer}.w"] = rng.normal(size=(wide, narrow)) * np.sqrt(2 / wide)
        weights[f"{layer}.b"] = np.zeros(narrow)
    weights[f"{LAYERS[-1]}.w"] *= GENTLE
    return weights


def _batches(groups: Sequence[Lessons], rng: np.random.Generator, epochs: int) -> Iterator[Lessons]:
    """Yield every group in parts of a batch, in an order that is drawn anew each time."""
    for _ in range(epochs):
        parts = [(at, rows) for at, group in enumerate(groups) for rows in _parts(rng.permutation(len(group)))]
        for turn in rng.permutation(len(parts)):
            at, rows = parts[turn]
            yield groups[at].at(rows)


def _parts(rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    return [rows[begin : begin + BATCH] for begin in range(0, len(rows), BATCH)]


def loss(weights: Mapping[str, Array], of: Lessons) -> float:
    """Return the mean squared error of the root of P."""
    p = forward(weights, of.places, of.tenants, of.most)
    return float(((np.sqrt(p + LEAST_P) - np.sqrt(of.p + LEAST_P)) ** 2).mean())


def gradient(weights: Mapping[str, Array], of: Lessons) -> Weights:
    """Return the gradient of `loss`."""
    hidden = np.maximum(of.places @ weights["place1.w"] + weights["place1.b"], 0.0)
    places = np.maximum(hidden @ weights["place2.w"] + weights["place2.b"], 0.0)
    joined = np.concatenate([places.sum(axis=1), places.max(axis=1), of.tenants], axis=1)
    last = np.maximum(joined @ weights["tenant1.w"] + weights["tenant1.b"], 0.0)
    part = 1 / (1 + np.exp(-(last @ weights["tenant2.w"] + weights["tenant2.b"])[:, 0]))
    p = of.most * part
    root = np.sqrt(p + LEAST_P)
    by_out = ((root - np.sqrt(of.p + LEAST_P)) / root * p * (1 - part) / len(p))[:, None]
    by_last = by_out @ weights["tenant2.w"].T * (last > 0)
    by_joined = by_last @ weights["tenant1.w"].T
    by_places = _spread(places, by_joined) * (places > 0)
    by_hidden = by_places @ weights["place2.w"].T * (hidden > 0)
    found = {"tenant2": (last, by_out), "tenant1": (joined, by_last), "place2": (hidden, by_places), "place1": (of.places, by_hidden)}
    return {f"{name}.{kind}": value for name, pair in found.items() for kind, value in zip("wb", _of_layer(*pair), strict=True)}


def _spread(places: Array, by_joined: Array) -> Array:
    """Return the gradient by each processor's outputs, which count by their sum and by their greatest."""
    width = places.shape[2]
    by = np.repeat(by_joined[:, None, :width], places.shape[1], axis=1)
    greatest = places.argmax(axis=1)[:, None, :]
    np.put_along_axis(by, greatest, np.take_along_axis(by, greatest, axis=1) + by_joined[:, None, width : 2 * width], axis=1)
    return by


def _of_layer(inputs: Array, by: Array) -> tuple[Array, Array]:
    flat = by.reshape(-1, by.shape[-1])
    return inputs.reshape(-1, inputs.shape[-1]).T @ flat, flat.sum(axis=0)


def _adam(weights: Weights, by: Weights, moments: tuple[Weights, Weights], step: int, rate: float) -> None:
    """Take one step, in place."""
    for name, slope in by.items():
        first, second = (moment[name] for moment in moments)
        first += (1 - DECAY_1) * (slope - first)
        second += (1 - DECAY_2) * (slope**2 - second)
        weights[name] -= rate * (first / (1 - DECAY_1**step)) / (np.sqrt(second / (1 - DECAY_2**step)) + TINY)


Scale = tuple[Array, Array, Array, Array]


def _scale(groups: Sequence[Lessons]) -> Scale:
    """Return mean and spread of the inputs: of places, then of tenants; 1 for the spread of what never changes."""
    places = np.concatenate([group.places.reshape(-1, PLACE_FEATURES) for group in groups])
    tenants = np.concatenate([group.tenants for group in groups])
    spreads = [np.where(some.std(axis=0) > 0, some.std(axis=0), 1.0) for some in (places, tenants)]
    return places.mean(axis=0), spreads[0], tenants.mean(axis=0), spreads[1]


def _standardised(of: Lessons, scale: Scale) -> Lessons:
    return Lessons(places=(of.places - scale[0]) / scale[1], tenants=(of.tenants - scale[2]) / scale[3], most=of.most, p=of.p)


def _folded(weights: Weights, scale: Scale) -> Weights:
    """Return weights for inputs as they are."""
    folded = dict(weights)
    folded["place1.w"] = weights["place1.w"] / scale[1][:, None]
    folded["place1.b"] = weights["place1.b"] - scale[0] @ folded["place1.w"]
    own = slice(2 * PLACE_WIDTH, None)
    joined = weights["tenant1.w"].copy()
    joined[own] /= scale[3][:, None]
    folded["tenant1.w"], folded["tenant1.b"] = joined, weights["tenant1.b"] - scale[2] @ joined[own]
    return folded
