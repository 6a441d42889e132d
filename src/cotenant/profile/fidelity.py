"""What is left of the answers, compared with fp32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Array, Measure

ALIKE: Final = 0.01
"""Two engines that differ by more in fp32, relative to the answers, do not compute the same."""

Outputs = Sequence[Mapping[str, Array]]
"""The outputs by name of one run after the other."""


def fidelity(answers: Outputs, exact: Outputs, measure: Measure = Measure.CENTRED) -> float | None:
    """Return the worst output's fidelity in [0, 1]; None for fewer than two samples, or none at all.

    Both hold one entry for each sample, in the same order; `exact` are the answers in fp32.
    """
    if len(exact) < 2:
        return None
    compare = agreement if measure is Measure.TOP1 else centred
    return min(compare(_stacked(answers, name), _stacked(exact, name)) for name in exact[0])


def centred(y: Array, y32: Array) -> float:
    """Return 1 - |y - y32| / |y32 - mean of y32 over the samples, element by element|, clipped to [0, 1].

    Samples are on the first axis; norms are over all samples and elements. What is no number counts as wholly wrong.
    Integers, booleans and text have no distance: the share of elements that agree. Outputs that do not vary with the
    input tell nothing apart: 1 if they are equal, else 0.
    """
    if y.shape != y32.shape:
        return 0.0
    if not np.issubdtype(y32.dtype, np.floating):
        return float(np.mean(y == y32)) if y.size else 1.0
    if bool((y32 == y32[:1]).all()):
        return 1.0 if np.array_equal(y, y32) else 0.0
    exact = y32.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        error = _norm(y.astype(np.float64) - exact)
        signal = _norm(exact - exact.mean(axis=0))
    if not (np.isfinite(error) and np.isfinite(signal)):
        return 1.0 if np.array_equal(y, y32) else 0.0
    return float(np.clip(1 - error / signal, 0, 1))


def agreement(y: Array, y32: Array) -> float:
    """Return the share, in [0, 1], of samples whose greatest elements lie in the same places along the last axis."""
    if y.shape != y32.shape:
        return 0.0
    if y.ndim < 2 or not y.size:
        return centred(y, y32)
    usable = ~np.isnan(y).any(axis=-1) if np.issubdtype(y.dtype, np.floating) else True
    return float(np.mean((y.argmax(axis=-1) == y32.argmax(axis=-1)) & usable))


def accuracy(answers: Outputs, labels: NDArray[np.int64]) -> float | None:
    """Return the share of samples whose first output is greatest at the label; None without samples."""
    if not answers:
        return None
    name = next(iter(answers[0]))
    guesses = _stacked(answers, name).reshape(len(answers), -1).argmax(axis=1)
    return float(np.mean(guesses == labels))


def alike(answers: Outputs, exact: Outputs) -> bool:
    """Say whether all outputs are the same but for rounding: within ALIKE of their norm, or of their number if they are integers."""
    return all(_apart(_stacked(answers, name), _stacked(exact, name)) <= ALIKE for name in exact[0])


def _apart(y: Array, y32: Array) -> float:
    if y.shape != y32.shape:
        return 1.0
    if not np.issubdtype(y32.dtype, np.floating):
        return 1 - centred(y, y32)
    if np.array_equal(y, y32, equal_nan=True):
        return 0.0
    exact = y32.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        apart = _norm(y.astype(np.float64) - exact) / _norm(exact) if _norm(exact) else 1.0
    return apart if np.isfinite(apart) else 1.0


def _stacked(answers: Outputs, name: str) -> Array:
    stacked: Array = np.stack([answer[name] for answer in answers])
    return stacked


def _norm(array: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.sum(np.square(array))))
