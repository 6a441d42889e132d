"""Eight architectures with weights that behave as trained ones do."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from cotenant.errors import InputError
from cotenant.graph.zoo import inputs
from cotenant.registry import nearest

VERSION: Final = 1
"""Part of a file's name: raise it whenever weights or architectures change."""
CALIBRATING: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Say which module draws a network, what its input is called, and the side or length of its input."""

    module: str
    input: str = "images"
    size: int = 224
    outputs: tuple[str, ...] = ("logits",)

    def draw_inputs(self, count: int, rng: np.random.Generator) -> NDArray[np.generic]:
        """Draw inputs, samples along the first axis."""
        draw: Callable[[int, int, np.random.Generator], NDArray[np.generic]] = inputs.tokens if self.input == "tokens" else inputs.images
        return draw(count, self.size, rng)


ARCHITECTURES: Final = {
    "alexnet": Architecture(module="classify"),
    "encoder": Architecture(module="text", input="tokens", size=128, outputs=("hidden",)),
    "mobilenetv2": Architecture(module="classify"),
    "resnet50": Architecture(module="classify"),
    "squeezenet": Architecture(module="classify"),
    "unet": Architecture(module="segment", size=96),
    "vgg16": Architecture(module="classify"),
    "yolov8n": Architecture(module="detect", size=320, outputs=("distances", "scores")),
}


def names() -> tuple[str, ...]:
    """List the architectures in alphabetical order."""
    return tuple(ARCHITECTURES)
