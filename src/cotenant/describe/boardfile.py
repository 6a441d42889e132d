"""A board's file, turned into the board that it describes."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from cotenant.describe.board import Board, Cost, Network, Provenance, Segment
from cotenant.describe.plain import yaml_tree
from cotenant.describe.platform import Platform
from cotenant.describe.tree import decode, shown, within
from cotenant.describe.variant import Precision
from cotenant.errors import InputError
from cotenant.registry import nearest

_AUTO: Final = "auto"  # this machine, which is no board, but may be named where one is
_BOARD: Final = "a board: a mapping with source, platform, columns and networks"


class _Column(Struct, kw_only=True):
    """Say where the durations in one column of every `ns` hold, and how they are known."""

    processor: str
    width: int
    provenance: Provenance


class _Segment(Struct, kw_only=True):
    """Hold one line: what it moves, and a duration for each column, null where it does not run; its own provenance goes first."""

    name: str
    ns: list[int | None]
    bytes: int = 0
    provenance: Provenance | UnsetType = UNSET


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
    planned_width: int = 1


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
            _refuse_elsewhere(column, platform)
    return Board(
        platform=platform,
        networks=tuple(_network(index, tree, keys.columns) for index, tree in enumerate(keys.networks)),
        source=keys.source,
        planned_width=keys.planned_width,
    )


def _platform(tree: Any) -> Platform:
    with within("platform"):
        platform = decode(tree, Platform)
        for memory in platform.memories:
            if memory.bandwidth_bytes_per_s is not None and memory.bandwidth_bytes_per_s <= 0:
                where = f"memories[{memory.name}].bandwidth_bytes_per_s"
                raise InputError(where, memory.bandwidth_bytes_per_s, "more than 0; left out where it is not known")
        return platform


def _refuse_elsewhere(column: _Column, platform: Platform) -> None:
    """Refuse a column of a processor or a width that the platform lacks."""
    lanes = {processor.name: processor.lanes for processor in platform.processors}
    if column.processor not in lanes:
        raise InputError("processor", column.processor, nearest(column.processor, tuple(lanes)))
    if not 1 <= column.width <= lanes[column.processor]:
        raise InputError("width", column.width, f"1 to {lanes[column.processor]}, the lanes of {column.processor}")


def _network(index: int, tree: Any, columns: list[_Column]) -> Network:
    with within(f"networks[{index}]"):
        keys = decode(tree, _Network)
        segments = tuple(_segment(at, line, columns) for at, line in enumerate(keys.segments))
        return Network(name=keys.name, segments=segments, precision=keys.precision)


def _segment(index: int, tree: Any, columns: list[_Column]) -> Segment:
    with within(f"segments[{index}]"):
        line = decode(tree, _Segment)
        if len(line.ns) != len(columns):
            raise InputError("ns", shown(line.ns), f"{len(columns)} durations, one for each of columns")
        found = ((column, duration_ns) for column, duration_ns in zip(columns, line.ns, strict=True) if duration_ns is not None)
        return Segment(name=line.name, costs=tuple(_cost(line, column, duration_ns) for column, duration_ns in found))


def _cost(line: _Segment, column: _Column, duration_ns: int) -> Cost:
    return Cost(
        processor=column.processor,
        width=column.width,
        duration_ns=duration_ns,
        memory_bytes=line.bytes,
        provenance=column.provenance if isinstance(line.provenance, UnsetType) else line.provenance,
    )
