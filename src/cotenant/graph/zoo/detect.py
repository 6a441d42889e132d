"""Detectors: YOLOv8n."""

from __future__ import annotations

from typing import Final

import numpy as np

from cotenant.graph.zoo.sketch import CENTRED, POINT, Sketch, Spread, Value, Window, same

CLASSES: Final = 80
BINS: Final = 16
"""Distances from a cell to a side of its box are distributions over so many bins (Li et al., 2020)."""
BOX_CHANNELS: Final = 64
PEAKED: Final = Spread(0.0, 3.0)
"""Trained distributions over the bins have one clear peak."""


def yolov8n(s: Sketch, x: Value) -> tuple[Value, ...]:
    """Draw YOLOv8n (Ultralytics, 2023): 3,157,200 parameters, 3,151,904 with batch normalisation folded.

    The outputs are distances [1, 4, cells], from a cell to the sides of its box (left, top, right, bottom; in strides of
    8, 16 and 32 pixels), and scores [1, 80, cells]. Adding the cells' centres has no parameters and is left to the
    caller, as is usual where int8 is wanted: one scale for boxes from 0 to 320 pixels would round them to 2.5 pixels.
    """
    x = _block(s, _block(s, x, 16, same(3, 2)), 32, same(3, 2))
    x = _block(s, _c2f(s, x, 32, 1), 64, same(3, 2))
    fine = _c2f(s, x, 64, 2)
    middle = _c2f(s, _block(s, fine, 128, same(3, 2)), 128, 2)
    coarse = _pyramid(s, _c2f(s, _block(s, middle, 256, same(3, 2)), 256, 1))
    joined = _c2f(s, s.concat(s.double(coarse), middle), 128, 1, added=False)
    first = _c2f(s, s.concat(s.double(joined), fine), 64, 1, added=False)
    second = _c2f(s, s.concat(_block(s, first, 64, same(3, 2)), joined), 128, 1, added=False)
    third = _c2f(s, s.concat(_block(s, second, 128, same(3, 2)), coarse), 256, 1, added=False)
    return _distances(s, (first, second, third)), _scores(s, (first, second, third))


def _block(s: Sketch, x: Value, out: int, window: Window = POINT) -> Value:
    return s.silu(s.conv(x, out, window))


def _c2f(s: Sketch, x: Value, out: int, repeat: int, *, added: bool = True) -> Value:
    parts = list(s.halves(_block(s, x, out)))
    for _ in range(repeat):
        y = _block(s, _block(s, parts[-1], out // 2, same(3)), out // 2, same(3))
        parts.append(s.sum(parts[-1], y) if added else y)
    return _block(s, s.concat(*parts), out)


def _pyramid(s: Sketch, x: Value) -> Value:
    parts = [_block(s, x, x.channels // 2)]
    for _ in range(3):
        parts.append(s.max_pool(parts[-1], same(5)))
    return _block(s, s.concat(*parts), x.channels)


def _head(s: Sketch, levels: tuple[Value, ...], width: int, out: int, spread: Spread) -> Value:
    flat = []
    for x in levels:
        y = s.conv(_block(s, _block(s, x, width, same(3)), width, same(3)), out, POINT, spread)
        flat.append(s.reshape(y, out, y.array.shape[2] * y.array.shape[3]))
    return s.concat(*flat, axis=2)


def _scores(s: Sketch, levels: tuple[Value, ...]) -> Value:
    return s.sigmoid(_head(s, levels, CLASSES, CLASSES, CENTRED))


def _distances(s: Sketch, levels: tuple[Value, ...]) -> Value:
    bins = s.reshape(_head(s, levels, BOX_CHANNELS, 4 * BINS, PEAKED), 4, BINS, _cells(levels))
    likely = s.softmax(s.transpose(bins, 0, 2, 1, 3), 1)
    return s.reshape(_expectation(s, likely), 4, _cells(levels))


def _expectation(s: Sketch, likely: Value) -> Value:
    bins = np.arange(BINS, dtype=np.float32)
    array = np.einsum("nbkc,b->nkc", likely.array, bins)[:, None]
    return s.add("Conv", [likely.name, s.weight(bins.reshape(1, BINS, 1, 1))], array, **POINT.attributes())


def _cells(levels: tuple[Value, ...]) -> int:
    return sum(x.array.shape[2] * x.array.shape[3] for x in levels)
