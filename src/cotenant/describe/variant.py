"""A model in one precision, and what is left of its answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Precision(str, Enum):
    """Name the arithmetic that an engine is pinned to."""

    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"


ITEM = {Precision.FP32: 1.0, Precision.BF16: 0.5, Precision.INT8: 0.25}
"""What a weight or an activation takes, of what fp32 takes."""


class Judged(str, Enum):
    """Say on which inputs a fidelity was measured."""

    EXACT = "exact"
    SAMPLES = "samples"
    GENERATED = "generated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Hold the fidelity to fp32, in [0, 1], of one (model, precision, engine); None where it is unknown.

    `accuracy` is top-1 on the user's labels, in [0, 1], or None; `shared` says that one loaded copy serves all lanes, else each
    lane needs its own.
    """

    model: str
    precision: Precision
    engine: str
    fidelity: float | None
    accuracy: float | None = None
    judged: Judged = Judged.UNKNOWN
    shared: bool = True
