"""Legal places to split a network, with what must be handed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cotenant.describe import Cut

Names = Sequence[Iterable[str]]


def cuts(reads: Names, writes: Names, inputs: Iterable[str], sizes_bytes: Mapping[str, int]) -> tuple[Cut, ...]:
    """List the cuts before each layer but the first.

    `reads` and `writes` name the tensors of each layer in topological order, constants left out. Handed over is what was
    given or written before the cut and is read after it; outputs of the network written before it are answers already.
    Where a tensor without a size (a sequence, a map, a shape that depends on data) would be handed over, no cut is legal.
    """
    last = {name: position for position, names in enumerate(reads) for name in names}
    live = dict.fromkeys(name for name in inputs if name in last)
    found = []
    for position in range(1, len(reads)):
        live |= dict.fromkeys(name for name in writes[position - 1] if name in last)
        live = {name: None for name in live if last[name] >= position}
        if all(name in sizes_bytes for name in live):
            found.append(Cut(position=position, tensors=tuple(live), live_bytes=sum(sizes_bytes[name] for name in live)))
    return tuple(found)


def edges(reads: Names, writes: Names) -> tuple[tuple[int, int], ...]:
    """Pair each layer with those that read what it writes, in order."""
    writer = {name: index for index, names in enumerate(writes) for name in names}
    pairs = {(writer[name], index) for index, names in enumerate(reads) for name in names if name in writer}
    return tuple(sorted(pairs))
