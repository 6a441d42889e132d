"""The outline of a model: what its layers hand to one another, and where its blocks end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from cotenant.describe import Counts, Cut, Layer, Model

SPAN: Final = 6
"""What is read again behind more heavy operators than that leaves a block and does not hold it together; Inception's blocks have six."""
_HEAVY: Final = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_LOOKS_UP: Final = frozenset({"Gather", "GatherElements", "GatherND"})
"""Of a table they read no more than they write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Hold a model with what its layers take from outside of it, in bytes, and which layer is the last to read each one's output.

    Outputs that nobody reads are the model's own, but for those of layers that compute constants. Before each layer, `heavy` operators have
    run, and `crossing` tensors are waited for that are no older than `SPAN` of those when they are read last: one, between blocks.
    """

    model: Model
    fed_bytes: tuple[int, ...]
    last: tuple[int, ...]
    heavy: tuple[int, ...]
    crossing: tuple[int, ...]

    @classmethod
    def of(cls, model: Model) -> Outline:
        fed_bytes = [layer.input_bytes for layer in model.layers]
        last = [len(model.layers) if layer.input_bytes else index for index, layer in enumerate(model.layers)]
        for index in {writer for writer, _ in model.edges}:
            last[index] = index
        for writer, reader in model.edges:
            fed_bytes[reader] -= model.layers[writer].output_bytes
            last[writer] = max(last[writer], reader)
        heavy = (0, *accumulate(layer.op in _HEAVY for layer in model.layers))
        crossing = [0] * (len(last) + 1)
        for index, reader in enumerate(last):
            if reader < len(last) and heavy[reader] - heavy[index + 1] <= SPAN:
                crossing[index + 1 : reader + 1] = [count + 1 for count in crossing[index + 1 : reader + 1]]
        return cls(
            model=model, fed_bytes=tuple(max(0, size) for size in fed_bytes), last=tuple(last), heavy=heavy, crossing=tuple(crossing)
        )

    def between_blocks(self, position: int) -> bool:
        return self.crossing[position] <= 1

    def joint(self, begun: int, cuts: Sequence[Cut]) -> int:
        """Return where the block ends that goes on behind `begun`: the first of the cuts, or the end, that fewest cross, not far ahead."""
        places = [*(cut.position for cut in cuts), len(self.model.layers)]
        ahead = [place for place in places if self.heavy[place] <= self.heavy[begun] + SPAN] or places[:1]
        return min(ahead, key=lambda place: (max(1, self.crossing[place]), place))

    def counts(self, start: int, stop: int) -> Counts:
        """Count layers `start` up to `stop` together: a tensor that does not leave them is neither input nor output."""
        layers = self.model.layers
        taken = {writer for writer, reader in self.model.edges if writer < start <= reader < stop}
        return Counts(
            flop=sum(layer.flop for layer in layers[start:stop]),
            weight_bytes=sum(layer.weight_bytes for layer in layers[start:stop]),
            input_bytes=sum(layers[index].output_bytes for index in taken) + sum(self.fed_bytes[start:stop]),
            output_bytes=sum(layers[index].output_bytes for index in range(start, stop) if self.last[index] >= stop),
        )

    def read(self, start: int, stop: int) -> Counts:
        """Count them with no more of their weights than they read."""
        return replace(self.counts(start, stop), weight_bytes=sum(read_bytes(layer) for layer in self.model.layers[start:stop]))


def read_bytes(layer: Layer) -> int:
    """Return how many bytes of its weights a layer reads."""
    return min(layer.weight_bytes, layer.output_bytes) if layer.op in _LOOKS_UP else layer.weight_bytes
