"""Random weights that behave as trained ones do.

A ReLU network of independent normal weights is no model of a trained one: either its outputs hardly depend on the
input, or it is chaotic, so that rounding grows from layer to layer, and no reduced precision keeps its answers. Trained
networks are neither, because training sums multiples of each layer's own inputs into its weights: filters look where
inputs vary, and rounding errors, which lie elsewhere, are averaged away. So weights here are random sums of inputs
(data-dependent initialisation, Kraehenbuehl et al., 2016), each direction in which inputs vary weighed alike down to a
threshold, plus noise of full rank; then every channel is given its mean and variance (LSUV, Mishkin and Matas, 2016).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from cotenant.graph.zoo.operators import Floats

PATCHES: Final = 128
ALIGNED: Final = 0.7
"""Share of a weight that is made of inputs, in [0, 1]; the rest is noise of full rank."""
THRESHOLD: Final = 0.08
"""Share of the inputs' variance below which a direction counts as noise."""
LEAST_STD: Final = 1e-6


def draw(rng: np.random.Generator, *shape: int) -> Floats:
    """Draw normal weights of unit variance."""
    return rng.standard_normal(shape, dtype=np.float32)


def matrix(rng: np.random.Generator, rows: Floats, out: int) -> Floats:
    """Draw [out, k] weights out of [p, k] inputs.

    A normal matrix times (X Xt + t I)^-1 X: along a principal axis of variance v, weights vary as sqrt(v) / (v + t).
    """
    rows = rows[rng.permutation(len(rows))[:PATCHES]]
    centred = rows - rows.mean(0)
    powers = centred @ centred.T
    powers += np.float32(THRESHOLD) * np.trace(powers) * np.eye(len(rows), dtype=np.float32)
    mixed: Floats = (draw(rng, out, len(rows)) @ np.linalg.inv(powers)) @ centred
    mixed *= ALIGNED / (np.sqrt((mixed**2).mean()) + LEAST_STD)
    noise = draw(rng, *mixed.shape)
    noise *= 1 - ALIGNED
    mixed += noise
    return mixed


def filters(rng: np.random.Generator, x: Floats, out: int, kernel: int) -> Floats:
    """Draw [out, c, k, k] filters out of patches of [n, c, h, w] inputs."""
    patches = _patches(rng, x, kernel)
    drawn = matrix(rng, patches.reshape(PATCHES, -1), out)
    return drawn.reshape(out, -1, kernel, kernel)


def depthwise(rng: np.random.Generator, x: Floats, kernel: int) -> Floats:
    """Draw [c, 1, k, k] filters, each out of patches of its own channel of [n, c, h, w]."""
    patches = _patches(rng, x, kernel)
    mixed = np.einsum("pc,pchw->chw", draw(rng, *patches.shape[:2]), patches - patches.mean(0))
    mixed /= np.sqrt((mixed**2).mean((1, 2), keepdims=True)) + LEAST_STD
    drawn: Floats = ALIGNED * mixed[:, None] + (1 - ALIGNED) * draw(rng, len(mixed), 1, kernel, kernel)
    return drawn


def _patches(rng: np.random.Generator, x: Floats, kernel: int) -> Floats:
    margin = kernel // 2
    x = np.pad(x, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    corners = rng.integers(0, (len(x), x.shape[2] - kernel + 1, x.shape[3] - kernel + 1), (PATCHES, 3))
    return np.stack([x[i, :, row : row + kernel, column : column + kernel] for i, row, column in corners])


def moments(drawn: Floats, axis: int, mean: float, std: float) -> tuple[Floats, Floats]:
    """Return the scale and the shift that give every index of an axis this mean and standard deviation."""
    others = tuple(a for a in range(drawn.ndim) if a != axis % drawn.ndim)
    scale = std / np.maximum(drawn.std(others), LEAST_STD)
    return scale.astype(np.float32), (mean - drawn.mean(others) * scale).astype(np.float32)
