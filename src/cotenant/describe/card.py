"""What is known of a tenant's network before it is timed."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.describe.model import Model
from cotenant.describe.variant import Precision, Variant

OUTPUTS = "cotenant.outputs"
"""Under this key, a segment's metadata has the names of the whole network's outputs, as a JSON list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmented:
    """Name the files of a network that an engine runs in segments, in one precision.

    `parts` has for each segment what it takes over what the whole takes in one segment; they add up to what cutting costs.
    """

    precision: Precision
    engine: str
    files: tuple[str, ...]
    parts: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Join a tenant with its model, the file of each precision, and the variants whose fidelity is known.

    `files` pairs a precision with the path of the ONNX file to load for it: fp32 and bf16 share one, int8 has its own. `segments` has
    what may be left between segments.
    """

    tenant: str
    model: Model
    files: tuple[tuple[Precision, str], ...]
    variants: tuple[Variant, ...]
    segments: tuple[Segmented, ...] = ()

    def cut(self, precision: Precision, engine: str) -> Segmented | None:
        """Return the segments of a variant; None if it runs whole."""
        return next((one for one in self.segments if (one.precision, one.engine) == (precision, engine)), None)

    def file(self, precision: Precision) -> str:
        """Return the path of the file for a precision; KeyError if there is none."""
        return dict(self.files)[precision]
