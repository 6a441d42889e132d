"""Boards of which whole networks were timed: ncnn's benchmark page, spread over segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.boards import figures
from benchmarks.boards.classics import alexnet, googlenet, squeezenet_v1_1, vgg16
from benchmarks.boards.draft import FP32_BYTES, Unit
from benchmarks.boards.learned import Learned, Pair, fits, handover_ns, handovers, learned, same, settled, shape
from benchmarks.boards.mobile import efficientnet_b0, mnasnet, mobilenet_v1, mobilenet_v2, shufflenet, shufflenet_v2
from benchmarks.boards.residual import resnet18, resnet50
from benchmarks.boards.sheet import Column, Line, Network, Processor, Sheet

NETWORKS: dict[str, tuple[str, str, Callable[[], list[Unit]]]] = {
    "squeezenet": ("squeezenet", "v1.1, 227 x 227", squeezenet_v1_1),
    "mobilenet_v1": ("mobilenet", "224 x 224", mobilenet_v1),
    "mobilenet_v2": ("mobilenet_v2", "224 x 224", mobilenet_v2),
    "shufflenet": ("shufflenet", "1x, three groups, 224 x 224", shufflenet),
    "shufflenet_v2": ("shufflenet_v2", "1x, 224 x 224", shufflenet_v2),
    "mnasnet": ("mnasnet", "B1, 224 x 224", mnasnet),
    "efficientnet_b0": ("efficientnet_b0", "224 x 224", efficientnet_b0),
    "googlenet": ("googlenet", "224 x 224", googlenet),
    "resnet18": ("resnet18", "224 x 224", resnet18),
    "alexnet": ("alexnet", "227 x 227, two groups", alexnet),
    "vgg16": ("vgg16", "224 x 224", vgg16),
    "resnet50": ("resnet50", "224 x 224, as first published: planes are halved in a stage's first convolution", resnet50),
}
"""What the table calls a network, what it is, and its counts, as benchmark/*.param of Tencent/ncnn has them."""

SHAPES = ("nearest", "fitted", "flop")


class Place(NamedTuple):
    """On how many lanes of a processor, by which entry (chip, threads, powersave, gpu), times `factor`."""

    processor: str
    width: int
    entry: tuple[str, int, int, int]
    factor: float = 1.0
    provenance: str = "scaled"


class Chip(NamedTuple):
    """A board: what it is made of, by which entries it is known, whose shape each processor has, and bytes of an element as it is moved."""

    name: str
    head: str
    source: str
    processors: tuple[Processor, ...]
    places: tuple[Place, ...]
    roles: Mapping[str, str]
    capacity_bytes: int
    bytes_per_s: float
    item_bytes: int = FP32_BYTES
    fixed_ms: Mapping[Pair, float] = {}  # handovers that are not RK3399Pro's, whatever is handed over


METHOD = """
scaled     A network's ns on a processor add up to the time in ncnn_networks.csv (Tencent/ncnn, benchmark page, BSD-3-Clause): the shape is
           that of RK3399Pro's {roles}, layer by layer, times one factor for each network and place.
           Shape `{how}`{what}
{fits}
           Off by: root mean square of (fitted - measured)^2 / (fitted measured) over the segments that were measured, each network alike.
           No segment takes less than its bytes do at the memory's bandwidth; the others then make up for it.
"""
HOWS = {
    "nearest": """: where a segment of the same counts was measured on RK3399Pro (CO-UP), what it took there; else ms fitted to all
           that was measured there, from a segment's own counts (tensors: all that its layers read and write, one by one):""",
    "fitted": """: ms fitted to all that was measured on RK3399Pro (CO-UP), from a segment's own counts (tensors: all that its layers
           read and write, one by one):""",
    "flop": ": in proportion to a segment's flop. (For comparison, what was fitted on RK3399Pro:)",
}
HANDOVERS = """\
assumed    handover: fitted to RK3399Pro's, ms, the part of each MB so much shorter as this memory's bandwidth is greater:
{handovers}
"""
COUNTED = """\
counted    counts, from the published architectures as ncnn's benchmark has them, in fp32. bytes, what a segment moves: weights, input and
           output, {item_bytes} bytes an element.
--shape of make_boards.py takes another shape.
"""


def sheet(chip: Chip, folder: Path, how: str) -> Sheet:
    """Return a board whose networks take what was measured, whole."""
    known = learned(folder)
    columns = tuple(Column((place.processor, place.width), place.provenance) for place in chip.places)
    networks = tuple(_network(chip, name, known, folder, how) for name in NETWORKS)
    return Sheet(
        chip.name,
        chip.head + _method(chip, known, how),
        chip.source,
        chip.processors,
        chip.capacity_bytes,
        chip.bytes_per_s,
        columns,
        tuple(Column(pair, "assumed") for pair in _pairs(chip)),
        networks,
    )


def _method(chip: Chip, known: Learned, how: str) -> str:
    roles = ", ".join(f"{role} for {name}" for name, role in chip.roles.items())
    roles_of = [(chip.roles[a], chip.roles[b]) for a, b in _pairs(chip) if (a, b) not in chip.fixed_ms]
    said = METHOD.format(roles=roles, how=how, what=HOWS[how], fits=fits(known, sorted(set(chip.roles.values()))))
    said += HANDOVERS.format(handovers=handovers(known, list(dict.fromkeys(roles_of)))) if roles_of else ""
    return said + COUNTED.format(item_bytes=chip.item_bytes)


def _network(chip: Chip, name: str, known: Learned, folder: Path, how: str) -> Network:
    listed, what, count = NETWORKS[name]
    units = count()
    moved = [unit.bytes * chip.item_bytes // FP32_BYTES for unit in units]
    totals = [(place, figures.networks(folder, *place.entry).get(listed)) for place in chip.places]
    whole_ns = [None if ms is None else round(ms * place.factor * 1e6) for place, ms in totals]
    shapes = [shape(known, chip.roles[place.processor], units, how) for place in chip.places]
    times = [
        [None] * len(units) if ns is None else settled(ms, moved, ns, chip.bytes_per_s) for ms, ns in zip(shapes, whole_ns, strict=True)
    ]
    handed = [*(_handed(chip, unit, known) for unit in units[:-1]), ()]
    lines = tuple(
        Line(unit.name, tuple(column[index] for column in times), moved[index], unit, handover=handed[index])
        for index, unit in enumerate(units)
    )
    shown = ", ".join(f"{place.processor} x{place.width} {'not timed' if ms is None else f'{ms:g}'}" for place, ms in totals)
    return Network(name, (f"{what}. {_shared(known, units)}", f"ncnn_networks.csv, {listed}, ms: {shown}."), lines)


def _handed(chip: Chip, unit: Unit, known: Learned) -> tuple[int, ...]:
    size = unit.output_bytes * chip.item_bytes // FP32_BYTES
    return tuple(_handover_ns(chip, pair, size, known) for pair in _pairs(chip))


def _handover_ns(chip: Chip, pair: Pair, size: int, known: Learned) -> int:
    if pair in chip.fixed_ms:
        return round(chip.fixed_ms[pair] * 1e6)
    source, target = pair
    return handover_ns(known, (chip.roles[source], chip.roles[target]), size, chip.bytes_per_s)


def _pairs(chip: Chip) -> list[Pair]:
    return [(a.name, b.name) for a in chip.processors for b in chip.processors if a != b]


def _shared(known: Learned, units: Sequence[Unit]) -> str:
    """Say how many segments were measured on RK3399Pro."""
    measured = sum(any(same(unit, other) for other, _ in known.measured["big"]) for unit in units)
    return f"Measured on RK3399Pro: {measured} of {len(units)} segments."
