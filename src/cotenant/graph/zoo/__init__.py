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
WEIGHING: Final = 16
"""Inputs over which weights are normalised, unless an architecture says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Say which module draws a network, what its input is called, and the side or length of its input."""

    module: str
    input: str = "images"
    size: int = 224
    outputs: tuple[str, ...] = ("logits",)
    weighing: int = WEIGHING

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
    "unet": Architecture(module="segment", size=96, outputs=("mask",), weighing=8),
    "vgg16": Architecture(module="classify", weighing=8),
    "yolov8n": Architecture(module="detect", size=320, outputs=("distances", "scores")),
}


def names() -> tuple[str, ...]:
    """List the architectures in alphabetical order."""
    return tuple(ARCHITECTURES)


def samples(name: str, count: int, seed: int) -> dict[str, NDArray[np.generic]]:
    """Draw inputs by name, samples along the first axis, which is the model's batch: `[i : i + 1]` is one request.

    The same seed gives the same samples; none of them is among those over which the weights were normalised.
    """
    architecture = _architecture(name)
    return {architecture.input: architecture.draw_inputs(count, np.random.default_rng([seed, *name.encode()]))}


def make(name: str, folder: Path) -> Path:
    """Draw an architecture once and return its file under `folder`; InputError for an unknown name or a full disk."""
    architecture = _architecture(name)
    path = folder / "zoo" / f"{name}-{VERSION}.onnx"
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(_draw(name, architecture), path)
        except OSError as error:
            raise InputError(str(path.parent), error.strerror, f"a folder with room for {name}; COTENANT_CACHE names another") from error
    return path


def _architecture(name: str) -> Architecture:
    if name not in ARCHITECTURES:
        raise InputError("zoo", name, nearest(name, names()))
    return ARCHITECTURES[name]


def _draw(name: str, architecture: Architecture) -> bytes:
    from cotenant.graph.zoo.sketch import Sketch, Value  # onnx takes half a second to import

    rng = np.random.default_rng(list(name.encode()))
    array = architecture.draw_inputs(architecture.weighing, rng)
    sketch = Sketch(rng=rng)
    draw = getattr(import_module(f"{__name__}.{architecture.module}"), name)
    outputs = draw(sketch, Value(architecture.input, array))
    model = sketch.model(name, (architecture.input, array), dict(zip(architecture.outputs, outputs, strict=True)))
    return cast("bytes", model.SerializeToString())


def _write(content: bytes, path: Path) -> None:
    """Write a file all at once: whoever finds it finds all of it."""
    handle, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(draft).replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()
