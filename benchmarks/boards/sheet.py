"""A board's file, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.boards.draft import Unit

Ns = int | None


class Line(NamedTuple):
    """A segment: ns and mW column by column, ns to hand its output over pair by pair, the bytes that it moves, its counts."""

    name: str
    ns: tuple[Ns, ...]
    bytes: int
    counts: Unit
    mw: tuple[float | None, ...] = ()
    handover: tuple[Ns, ...] = ()


class Network(NamedTuple):
    """A network, and where its figures come from, line by line."""

    name: str
    notes: tuple[str, ...]
    lines: tuple[Line, ...]


class Column(NamedTuple):
    """Where figures hold, or between which processors, and how they are known."""

    places: tuple[str, int | str]
    provenance: str


class Processor(NamedTuple):
    """A processor: its name, its microarchitecture, and how many lanes it has."""

    name: str
    kind: str
    lanes: int


class Sheet(NamedTuple):
    """All that a board's file says. `head` is its comment, without the marks."""

    name: str
    head: str
    source: str
    processors: tuple[Processor, ...]
    capacity_bytes: int
    bytes_per_s: float
    columns: tuple[Column, ...]
    pairs: tuple[Column, ...]
    networks: tuple[Network, ...]


def text(sheet: Sheet) -> str:
    return "".join(line + "\n" for line in _lines(sheet))


def _lines(sheet: Sheet) -> Iterator[str]:
    for line in sheet.head.strip().splitlines():
        yield f"# {line}".rstrip()
    yield f"source: {sheet.source}"
    yield "planned_width: null              # each network where it is fastest"
    yield from _platform(sheet)
    yield "columns:                         # of every `ns` and `mw`"
    for (processor, width), provenance in sheet.columns:
        yield f"- {{processor: {processor}, width: {width}, provenance: {provenance}}}"
    if sheet.pairs:
        yield "handovers:                       # of every `handover`: ns until the target has what the segment gave"
    for (source, target), provenance in sheet.pairs:
        yield f"- {{source: {source}, target: {target}, provenance: {provenance}}}"
    yield "networks:                        # counts: flop, and bytes of weights, inputs and outputs in fp32"
    for network in sheet.networks:
        yield f"- name: {network.name}"
        yield from (f"  # {note}" for note in network.notes)
        yield "  segments:"
        yield from (f"  - {_line(line)}" for line in network.lines)


def _platform(sheet: Sheet) -> Iterator[str]:
    yield "platform:"
    yield f"  name: {sheet.name}"
    yield "  processors:"
    for name, kind, lanes in sheet.processors:
        yield f"  - {{name: {name}, kind: {kind}, lanes: {lanes}, memory: dram, preemption: segment}}"
    yield "  memories:"
    yield f"  - {{name: dram, capacity_bytes: {sheet.capacity_bytes}, bandwidth_bytes_per_s: {sheet.bytes_per_s / 1e9:.2f}e+9}}"


def _line(line: Line) -> str:
    counts = (line.counts.flop, line.counts.weight_bytes, line.counts.input_bytes, line.counts.output_bytes)
    parts = [f"name: {line.name}", f"ns: {_listed(line.ns)}", f"bytes: {line.bytes}"]
    parts += [f"mw: {_listed(line.mw)}"] * bool(line.mw)
    parts += [f"handover: {_listed(line.handover)}"] * bool(line.handover)
    parts.append(f"counts: {_listed(counts)}")
    return f"{{{', '.join(parts)}}}"


def _listed(numbers: Sequence[float | None]) -> str:
    return f"[{', '.join('null' if number is None else f'{number:.15g}' for number in numbers)}]"
