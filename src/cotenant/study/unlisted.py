"""A network that a board does not list: cut into segments, and timed by its counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cotenant.cost.regression import PlaceFit, Regression
from cotenant.describe import Cost, Counts, Cut, Layer, Model, Network, Segment
from cotenant.errors import InputError
from cotenant.study.outline import Outline, read_bytes

SEGMENTS: Final = 24
"""At most, in a network."""
PIECES: Final = 8
"""About so many at least, where there are cuts: no shipped board lists a network in fewer segments."""
REACH: Final = (0.25, 2.0)
"""How long a piece is, in the board's typical segments. So a network that a board and the zoo both have comes to the same time, by the same
rule, whether cut there or here: within 6 % in the mean, over five boards and five networks."""
SLACK: Final = 1.5
"""The longest segment over the shortest, where pieces allow it; the last one may be twice as long as the shortest."""

_NO_BASIS: Final = {
    **dict.fromkeys(("If", "Loop", "Scan", "SequenceMap"), "what it runs depends on data"),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), "its steps wait for one another"),
    **dict.fromkeys(
        ("ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"),
        "it computes in integers, and the figures are of fp32",
    ),
    **dict.fromkeys(
        ("Attention", "DeformConv", "Det", "DFT", "NonMaxSuppression", "STFT", "SVMClassifier", "SVMRegressor"), "its flop are not counted"
    ),
    **dict.fromkeys(("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"), "its flop are not counted"),
}
"""Operators whose time does not follow from their counts, and why."""

Floats = NDArray[np.float64]


def estimated(model: Model, regression: Regression, path: str = "model") -> Network:
    """Return a model as a network of the regression's board, in at most `SEGMENTS` that are about equally long.

    What is predicted are pieces about as long as the segments that the board lists, since a rule holds for what it was fitted to; a segment
    is one or more of them. InputError, at `path`, for an operator of which nothing can be told.
    """
    _refuse_unknown(model, path)
    outline, places = Outline.of(model), regression.places
    times = np.mean([_times(model, fit) for fit in places], axis=0)
    piece = min(1.0, float(times.sum()) / PIECES)
    ends = _ends(outline, times, model.cuts, *(piece * reach for reach in REACH))
    pieces = {stop: _costs(outline.read(start, stop), places) for start, stop in pairwise((0, *ends))}
    if len(pieces) > SEGMENTS:
        times = np.zeros(len(model.layers))
        times[[stop - 1 for stop in pieces]] = [_length(costs, places) for costs in pieces.values()]
        least = float(times.sum()) / SEGMENTS
        ends = _ends(outline, times, [cut for cut in model.cuts if cut.position in pieces], least, SLACK * least)
    live = {cut.position: cut.live_bytes for cut in model.cuts}
    segments = (
        Segment(
            name=f"layers {start} to {stop - 1}",
            costs=_summed([costs for end, costs in pieces.items() if start < end <= stop]),
            counts=outline.counts(start, stop),
            handovers=tuple(pair.predict(live[stop]) for pair in regression.pairs) if stop in live else (),
        )
        for start, stop in pairwise((0, *ends))
    )
    return Network(name=model.name, segments=tuple(segments), precision=regression.precision)


def _refuse_unknown(model: Model, path: str) -> None:
    if not model.layers:
        raise InputError(path, f"{model.name} computes nothing", "a model with an operator")
    for layer in model.layers:
        reason = _NO_BASIS.get(layer.op) or ("" if layer.output_bytes else "the size of what it writes is not known")
        if reason:
            told = f"the time of {layer.op} ({layer.name}) in {model.name} cannot be told from counts: {reason}"
            raise InputError(path, told, "a model without it, or a network of the board itself, as board:NAME")


def _times(model: Model, fit: PlaceFit) -> Floats:
    """Say how long each layer takes at a place, in the board's typical segments; what has no weights runs along with its neighbour."""
    fixed_ns = fit.rule.parts[0]
    return np.array([max(0.0, fit.rule.predict(_alone(layer)) - fixed_ns) / fit.typical_ns for layer in model.layers])


def _alone(layer: Layer) -> Counts:
    if not layer.weight_bytes:
        return Counts(flop=layer.flop, weight_bytes=0, input_bytes=0, output_bytes=0)
    return Counts(flop=layer.flop, weight_bytes=read_bytes(layer), input_bytes=layer.input_bytes, output_bytes=layer.output_bytes)


def _ends(outline: Outline, times: Floats, cuts: Sequence[Cut], least: float, most: float) -> list[int]:
    """Choose where parts end, none of which takes less than `least`: between blocks, and where least is handed over within `most`."""
    until = np.concatenate([[0.0], np.cumsum(times)])
    cuts = [cut for cut in cuts if until[-1] - until[cut.position] >= least]
    ends = [0]
    while until[-1] - until[ends[-1]] > most:
        behind = [cut for cut in cuts if cut.position > ends[-1] and until[cut.position] - until[ends[-1]] >= least]
        near = [cut for cut in behind if until[cut.position] - until[ends[-1]] <= most and outline.between_blocks(cut.position)]
        ends.append(min(near, key=lambda cut: (cut.live_bytes, cut.position)).position if near else outline.joint(ends[-1], behind))
    return [*ends[1:], len(times)] if ends[-1] < len(times) else ends[1:]


def _costs(counts: Counts, places: Sequence[PlaceFit]) -> tuple[Cost, ...]:
    return tuple(fit.predict(counts) for fit in places)


def _length(costs: Sequence[Cost], places: Sequence[PlaceFit]) -> float:
    """Say how long it is, in the board's typical segments, over all places."""
    return sum(cost.duration_ns / fit.typical_ns for cost, fit in zip(costs, places, strict=True))


def _summed(pieces: Sequence[tuple[Cost, ...]]) -> tuple[Cost, ...]:
    """Add up pieces, place by place."""
    return tuple(
        replace(costs[0], duration_ns=sum(cost.duration_ns for cost in costs), memory_bytes=sum(cost.memory_bytes for cost in costs))
        for costs in zip(*pieces, strict=True)
    )
