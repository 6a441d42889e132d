"""Networks that a board does not list, estimated from their counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cotenant.cost.opening import open_store
from cotenant.cost.regression import PlaceFit, Regression, fitted
from cotenant.describe import (
    FIDELITY_FLOOR,
    Board,
    Cost,
    Counts,
    Cut,
    Layer,
    Measure,
    Model,
    Network,
    Place,
    Platform,
    Segment,
    Source,
    Tenant,
    cache_folder,
)
from cotenant.describe.reserved import network_for, parts_of
from cotenant.errors import InputError
from cotenant.plan.words import listed
from cotenant.profile.known import prepared
from cotenant.profile.profile import STORE
from cotenant.registry import nearest
from cotenant.study.boarded import refuse_precision
from cotenant.study.footing import notes

SEGMENTS: Final = 24
"""At most, in a network."""
PIECES: Final = 8
"""About so many at least, where there are cuts: no shipped board lists a network in fewer segments."""
REACH: Final = (0.25, 2.0)
"""How long a piece is, in the board's typical segments. So a network that a board and the zoo both have comes to the same time, by the same
rule, whether cut there or here: within 6 % in the mean, over five boards and five networks."""
SPAN: Final = 6
"""What is read again behind more heavy operators than that leaves a block and does not hold it together; Inception's blocks have six."""
SLACK: Final = 1.5
"""The longest segment over the shortest, where pieces allow it; the last one may be twice as long as the shortest."""

_HEAVY: Final = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_LOOKS_UP: Final = frozenset({"Gather", "GatherElements", "GatherND"})
"""Of a table they read no more than they write."""
_NO_BASIS: Final = {
    **dict.fromkeys(("If", "Loop", "Scan", "SequenceMap"), "what it runs depends on data"),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), "its steps wait for one another"),
    **dict.fromkeys(
        ("ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"),
        "it computes in integers, and the figures are of fp32",
    ),
    **dict.fromkeys(
        ("Attention", "DeformConv", "Det", "DFT", "NonMaxSuppression", "STFT", "SVMClassifier", "SVMRegressor"), "its flop are not counted"
    ),
    **dict.fromkeys(("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"), "its flop are not counted"),
}
"""Operators whose time does not follow from their counts, and why."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Hold each tenant's network on a board, in the tenants' order, which of them are `estimated`, and notes on those.

    `off` pairs each place of the board with how far sums of networks that were left out of the fit are off there, in the median.
    """

    networks: tuple[tuple[str, Network], ...]
    estimated: tuple[str, ...] = ()
    off: tuple[tuple[Place, float], ...] = ()
    notes: tuple[str, ...] = ()

    def network(self, tenant: str) -> Network:
        """Return a tenant's network; KeyError for a stranger."""
        return dict(self.networks)[tenant]


def networks_for(tenants: Sequence[Tenant], board: Board, folder: Path | None = None) -> Estimates:
    """Return each tenant's network: `board:NAME` from the board's figures, any other model estimated from its counts.

    Models are kept in `folder`, the cache by default. InputError, at the tenant, for a model that cannot be used or estimated, and for one
    that the board knows in no precision allowed.
    """
    estimates = _networks(tenants, board, folder)
    for index, tenant in enumerate(tenants):
        refuse_precision(f"tenants[{index}].allow", tenant, estimates.network(tenant.name), board)
    return replace(estimates, notes=(*estimates.notes, *_left_aside(tenants, board)))


def divided(found: Estimates, tenants: Sequence[Tenant], platform: Platform) -> Estimates:
    """Return the networks as each tenant may run them on a platform of which lanes are reserved."""
    return replace(
        found,
        networks=tuple((tenant.name, network_for(found.network(tenant.name), tenant, platform)) for tenant in tenants),
        off=tuple(((part.name, width), off) for (processor, width), off in found.off for part in parts_of(platform, processor)),
    )


def _networks(tenants: Sequence[Tenant], board: Board, folder: Path | None) -> Estimates:
    paths = {tenant.name: f"tenants[{index}].model" for index, tenant in enumerate(tenants)}
    found = {t.name: _listed(t.source.model, board, paths[t.name]) for t in tenants if t.source.is_board}
    others = [t for t in tenants if not t.source.is_board]
    if not others:
        return Estimates(networks=tuple(found.items()))
    regression = _regression(others[0].source.model, board, paths[others[0].name])
    read = {t.name: _model(t.source, folder or cache_folder(), paths[t.name]) for t in others}
    models = _told_apart(read, {network.name for network in found.values()})
    made: dict[str, Network] = {}
    for tenant, model in models.items():
        found[tenant] = made.get(model.digest) or estimated(model, regression, paths[tenant])
        made[model.digest] = found[tenant]
    return Estimates(
        networks=tuple((t.name, found[t.name]) for t in tenants),
        estimated=tuple(models),
        off=tuple((fit.place, fit.deviation.networks_median) for fit in regression.places),
        notes=tuple(notes(models, regression)),
    )


def estimated(model: Model, regression: Regression, path: str = "model") -> Network:
    """Return a model as a network of the regression's board, in at most `SEGMENTS` that are about equally long.

    What is predicted are pieces about as long as the segments that the board lists, since a rule holds for what it was fitted to; a segment
    is one or more of them. InputError, at `path`, for an operator of which nothing can be told.
    """
    _refuse_unknown(model, path)
    outline, places = _Outline.of(model), regression.places
    times = np.mean([_times(model, fit) for fit in places], axis=0)
    piece = min(1.0, float(times.sum()) / PIECES)
    ends = _ends(outline, times, model.cuts, *(piece * reach for reach in REACH))
    pieces = {stop: _costs(outline.read(start, stop), places) for start, stop in pairwise((0, *ends))}
    if len(pieces) > SEGMENTS:
        times = np.zeros(len(model.layers))
        times[[stop - 1 for stop in pieces]] = [_length(costs, places) for costs in pieces.values()]
        least = float(times.sum()) / SEGMENTS
        ends = _ends(outline, times, [cut for cut in model.cuts if cut.position in pieces], least, SLACK * least)
    live = {cut.position: cut.live_bytes for cut in model.cuts}
    segments = (
        Segment(
            name=f"layers {start} to {stop - 1}",
            costs=_summed([costs for end, costs in pieces.items() if start < end <= stop]),
            counts=outline.counts(start, stop),
            handovers=tuple(pair.predict(live[stop]) for pair in regression.pairs) if stop in live else (),
        )
        for start, stop in pairwise((0, *ends))
    )
    return Network(name=model.name, segments=tuple(segments), precision=regression.precision)


def _listed(name: str, board: Board, path: str) -> Network:
    plain = name.removeprefix("board:")
    if plain not in board.names:
        raise InputError(path, name, f"a network of {board.platform.name}; {nearest(plain, board.names)}")
    return board.network(plain)


def _left_aside(tenants: Sequence[Tenant], board: Board) -> Iterator[str]:
    """Say once which keys of a crew change nothing on a board."""
    users: dict[str, list[str]] = {}
    for tenant in tenants:
        for key in _idle_keys(tenant):
            users.setdefault(key, []).append(tenant.name)
    if users:
        named = listed([f"{key} ({', '.join(names)})" for key, names in users.items()])
        yield f"left aside on {board.platform.name}: {named}; its figures judge no answers, and its networks have shapes of their own"


def _idle_keys(tenant: Tenant) -> Iterator[str]:
    source = tenant.source
    said = {
        "fidelity": tenant.fidelity_floor != FIDELITY_FLOOR or tenant.fidelity_measure is not Measure.CENTRED,
        "accuracy": tenant.accuracy_floor is not None, "samples": source.samples is not None, "labels": source.labels is not None,
        "shapes": source.is_board and bool(source.shapes), "isolated": tenant.isolated, "standby": tenant.standby,
        "memory": tenant.memory_bytes is not None,
    }  # fmt: skip
    yield from (key for key, is_said in said.items() if is_said)


def _regression(model: str, board: Board, path: str) -> Regression:
    try:
        return fitted(board)
    except InputError as error:
        raise InputError(path, f"{model} cannot be estimated on {error.path}: {error.value}", error.allowed) from error


def _model(source: Source, folder: Path, path: str) -> Model:
    """Read a model, named after its file or its place in the zoo."""
    name = source.model.removeprefix("zoo:") if source.is_zoo else Path(source.model).stem
    with open_store(folder / STORE, lambda _: None) as store:
        return prepared(store, source, name, folder, path)[0]


def _told_apart(models: Mapping[str, Model], taken: Iterable[str]) -> dict[str, Model]:
    """Give models that differ names that differ, from each other and from what is taken."""
    digests = dict.fromkeys(taken, "")
    told = {}
    for tenant, model in models.items():
        name = model.name if digests.setdefault(model.name, model.digest) == model.digest else f"{model.name} {model.digest[:8]}"
        told[tenant] = replace(model, name=name)
    return told


def _refuse_unknown(model: Model, path: str) -> None:
    if not model.layers:
        raise InputError(path, f"{model.name} computes nothing", "a model with an operator")
    for layer in model.layers:
        reason = _NO_BASIS.get(layer.op) or ("" if layer.output_bytes else "the size of what it writes is not known")
        if reason:
            told = f"the time of {layer.op} ({layer.name}) in {model.name} cannot be told from counts: {reason}"
            raise InputError(path, told, "a model without it, or a network of the board itself, as board:NAME")


def _times(model: Model, fit: PlaceFit) -> Floats:
    """Say how long each layer takes at a place, in the board's typical segments; what has no weights runs along with its neighbour."""
    fixed_ns = fit.rule.parts[0]
    return np.array([max(0.0, fit.rule.predict(_alone(layer)) - fixed_ns) / fit.typical_ns for layer in model.layers])


def _alone(layer: Layer) -> Counts:
    if not layer.weight_bytes:
        return Counts(flop=layer.flop, weight_bytes=0, input_bytes=0, output_bytes=0)
    return Counts(flop=layer.flop, weight_bytes=_read_bytes(layer), input_bytes=layer.input_bytes, output_bytes=layer.output_bytes)


def _read_bytes(layer: Layer) -> int:
    """Return how many bytes of its weights a layer reads."""
    return min(layer.weight_bytes, layer.output_bytes) if layer.op in _LOOKS_UP else layer.weight_bytes


def _ends(outline: _Outline, times: Floats, cuts: Sequence[Cut], least: float, most: float) -> list[int]:
    """Choose where parts end, none of which takes less than `least`: between blocks, and where least is handed over within `most`."""
    until = np.concatenate([[0.0], np.cumsum(times)])
    cuts = [cut for cut in cuts if until[-1] - until[cut.position] >= least]
    ends = [0]
    while until[-1] - until[ends[-1]] > most:
        behind = [cut for cut in cuts if cut.position > ends[-1] and until[cut.position] - until[ends[-1]] >= least]
        near = [cut for cut in behind if until[cut.position] - until[ends[-1]] <= most and outline.between_blocks(cut.position)]
        ends.append(min(near, key=lambda cut: (cut.live_bytes, cut.position)).position if near else outline.joint(ends[-1], behind))
    return [*ends[1:], len(times)] if ends[-1] < len(times) else ends[1:]


def _costs(counts: Counts, places: Sequence[PlaceFit]) -> tuple[Cost, ...]:
    return tuple(fit.predict(counts) for fit in places)


def _length(costs: Sequence[Cost], places: Sequence[PlaceFit]) -> float:
    """Say how long it is, in the board's typical segments, over all places."""
    return sum(cost.duration_ns / fit.typical_ns for cost, fit in zip(costs, places, strict=True))


def _summed(pieces: Sequence[tuple[Cost, ...]]) -> tuple[Cost, ...]:
    """Add up pieces, place by place."""
    return tuple(
        replace(costs[0], duration_ns=sum(cost.duration_ns for cost in costs), memory_bytes=sum(cost.memory_bytes for cost in costs))
        for costs in zip(*pieces, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outline:
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
    def of(cls, model: Model) -> _Outline:
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
        return replace(self.counts(start, stop), weight_bytes=sum(_read_bytes(layer) for layer in self.model.layers[start:stop]))
