"""A board's file, turned into the board that it describes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType, field

from cotenant.describe.board import Board, refuse_elsewhere, refuse_stranger
from cotenant.describe.network import Cost, Counts, Handover, Network, Provenance, Segment
from cotenant.describe.plain import yaml_tree
from cotenant.describe.platform import Platform
from cotenant.describe.tree import decode, shown, within
from cotenant.describe.variant import Precision
from cotenant.errors import InputError
from cotenant.registry import nearest

_COUNTS: Final = ("flop", "weight_bytes", "input_bytes", "output_bytes")
_AUTO: Final = "auto"  # this machine, which is no board, but may be named where one is
_BOARD: Final = "a board: a mapping with source, platform, columns and networks"


class _Column(Struct, kw_only=True):
    """Say where the durations in one column of every `ns` hold, and how they are known."""

    processor: str
    width: int
    provenance: Provenance


class _Pair(Struct, kw_only=True):
    """Say between which processors the durations in one column of every `handover` are, and how they are known."""

    source: str
    target: str
    provenance: Provenance


class _Segment(Struct, kw_only=True):
    """Hold one line: what it moves, and a duration for each column, null where it does not run; its own provenance goes first.

    `mw` is what the board draws, column by column; `handover` has ns for each of `handovers`, null where nothing is handed over;
    `counts` are flop, and bytes of weights, inputs and outputs.
    """

    name: str
    ns: list[int | None]
    bytes: int = 0
    provenance: Provenance | UnsetType = UNSET
    mw: list[float | None] = field(default_factory=list)
    handover: list[int | None] = field(default_factory=list)
    counts: tuple[int, int, int, int] | None = None


class _Network(Struct, kw_only=True):
    name: str
    segments: list[Any]
    precision: Precision = Precision.FP32


class _Keys(Struct, kw_only=True):
    """Hold what a board may say; what is checked on its own is read further on."""

    source: str
    platform: Any
    columns: list[_Column]
    networks: list[Any]
    handovers: list[_Pair] = field(default_factory=list)
    planned_width: int | None = 1


def boards() -> tuple[str, ...]:
    """List the boards that are shipped, in alphabetical order."""
    folder = files("cotenant.describe") / "boards"
    names = (file.name for file in folder.iterdir()) if folder.is_dir() else ()
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def board(name: str, path: str = "platform") -> Board:
    """Read a shipped board; InputError at `path` names the nearest known one."""
    if name not in boards():
        raise InputError(path, shown(name), f"{nearest(name, (_AUTO, *boards()))}; or the file of a board, such as board.yaml")
    with as_file(files("cotenant.describe") / "boards" / f"{name}.yaml") as file:
        return read_board(file)


def read_board(path: Path) -> Board:
    """Read a board with its networks; InputError says what is wrong, and where."""
    tree = yaml_tree(path)
    if not isinstance(tree, dict):
        raise InputError(shown(path), "empty" if tree is None else shown(tree), _BOARD)
    try:
        return _board(decode(tree, _Keys))
    except InputError as error:
        raise InputError(f"{shown(path)}: {error.path}", shown(error.value), error.allowed) from error


def _board(keys: _Keys) -> Board:
    platform = _platform(keys.platform)
    for index, column in enumerate(keys.columns):
        with within(f"columns[{index}]"):
            refuse_elsewhere((column.processor, column.width), platform)
    for index, pair in enumerate(keys.handovers):
        for end in (pair.source, pair.target):
            refuse_stranger(f"handovers[{index}]", end, platform)
    return Board(
        platform=platform,
        networks=tuple(_network(index, tree, keys) for index, tree in enumerate(keys.networks)),
        source=keys.source,
        planned_width=keys.planned_width,
    )


def _platform(tree: Any) -> Platform:
    with within("platform"):
        platform = decode(tree, Platform)
        for processor in platform.processors:
            if processor.reserved or processor.part_of:
                raise InputError(f"processors[{processor.name}].reserved", processor.reserved, "left out; a tenant's `cores` reserve lanes")
            if processor.stalled:
                raise InputError(f"processors[{processor.name}].stalled", processor.stalled, "left out; a plan foretells it")
        for memory in platform.memories:
            if memory.bandwidth_bytes_per_s is not None and memory.bandwidth_bytes_per_s <= 0:
                where = f"memories[{memory.name}].bandwidth_bytes_per_s"
                raise InputError(where, memory.bandwidth_bytes_per_s, "more than 0; left out where it is not known")
        return platform


def _network(index: int, tree: Any, keys: _Keys) -> Network:
    with within(f"networks[{index}]"):
        found = decode(tree, _Network)
        segments = tuple(_segment(at, line, keys) for at, line in enumerate(found.segments))
        return Network(name=found.name, segments=segments, precision=found.precision)


def _segment(index: int, tree: Any, keys: _Keys) -> Segment:
    with within(f"segments[{index}]"):
        line = decode(tree, _Segment)
        _refuse_other_length("ns", line.ns, len(keys.columns), "durations, one for each of columns")
        _refuse_other_length("mw", line.mw or keys.columns, len(keys.columns), "figures, one for each of columns")
        _refuse_other_length("handover", line.handover or keys.handovers, len(keys.handovers), "durations, one for each of handovers")
        return Segment(
            name=line.name,
            costs=tuple(_costs(line, keys.columns)),
            counts=None if line.counts is None else Counts(**dict(zip(_COUNTS, line.counts, strict=True))),
            handovers=tuple(_handovers(line, keys.handovers)),
        )


def _refuse_other_length(path: str, given: Sequence[object], length: int, what: str) -> None:
    if len(given) != length:
        raise InputError(path, shown(list(given)), f"{length} {what}")


def _costs(line: _Segment, columns: Sequence[_Column]) -> Iterator[Cost]:
    powers = line.mw or [None] * len(columns)
    for column, duration_ns, power_mw in zip(columns, line.ns, powers, strict=True):
        if duration_ns is not None:
            yield Cost(
                processor=column.processor,
                width=column.width,
                duration_ns=duration_ns,
                memory_bytes=line.bytes,
                provenance=column.provenance if isinstance(line.provenance, UnsetType) else line.provenance,
                power_w=None if power_mw is None else power_mw / 1000,
            )


def _handovers(line: _Segment, pairs: Sequence[_Pair]) -> Iterator[Handover]:
    for pair, duration_ns in zip(pairs, line.handover, strict=bool(line.handover)):
        if duration_ns is not None:
            yield Handover(source=pair.source, target=pair.target, duration_ns=duration_ns, provenance=pair.provenance)
