"""Segmenters: U-Net."""

from __future__ import annotations

from typing import Final

from cotenant.graph.zoo.sketch import CENTRED, POINT, Sketch, Value, Window, same

CLASSES: Final = 2
WIDTHS: Final = (64, 128, 256, 512, 1024)


def unet(s: Sketch, x: Value) -> tuple[Value, ...]:
    """Draw U-Net (Ronneberger et al., 2015), padded so that sizes are kept: 31.0 million parameters."""
    skips = []
    for width in WIDTHS[:-1]:
        x = _twice(s, x, width)
        skips.append(x)
        x = s.max_pool(x, Window(2, 2))
    x = _twice(s, x, WIDTHS[-1])
    for skip in reversed(skips):
        x = _twice(s, s.concat(skip, s.widen(x, skip.channels, 2)), skip.channels)
    return (s.conv(x, CLASSES, POINT, CENTRED),)


def _twice(s: Sketch, x: Value, width: int) -> Value:
    for _ in range(2):
        x = s.relu(s.conv(x, width, same(3)))
    return x
