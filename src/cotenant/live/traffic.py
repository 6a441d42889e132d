"""Traffic: the bytes that a segment moves through its memory."""

from __future__ import annotations

from cotenant.describe import Card, Option, Step
from cotenant.describe.variant import ITEM


def moved_bytes(card: Card | None, option: Option, step: Step) -> float:
    """Return what a step moves: as its option says, else its part, by time, of what was counted of the whole network.

    Counted are weights, inputs and outputs of every layer, once each. 0 where nothing is known.
    """
    if step.memory_bytes > 0 or card is None:
        return float(step.memory_bytes)
    whole = sum(layer.weight_bytes + layer.input_bytes + layer.output_bytes for layer in card.model.layers)
    alone_ns = sum(other.duration_ns for other in option.chain)
    return whole * ITEM[option.artifact.precision] * step.duration_ns / alone_ns if alone_ns > 0 else 0.0
