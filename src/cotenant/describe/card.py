"""What is known of a tenant's network before it is timed."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.describe.model import Model
from cotenant.describe.variant import Precision, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Join a tenant with its model, the file of each precision, and the variants whose fidelity is known.

    `files` pairs a precision with the path of the ONNX file to load for it: fp32 and bf16 share one, int8 has its own.
    """

    tenant: str
    model: Model
    files: tuple[tuple[Precision, str], ...]
    variants: tuple[Variant, ...]

    def file(self, precision: Precision) -> str:
        """Return the path of the file for a precision; KeyError if there is none."""
        return dict(self.files)[precision]
