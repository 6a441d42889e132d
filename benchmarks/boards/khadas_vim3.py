"""The board `khadas_vim3`: graphs of operators that were timed, cut into chains of segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import fsum
from pathlib import Path

from benchmarks.boards.draft import Unit
from benchmarks.boards.figures import Operator, operators
from benchmarks.boards.inception import Step, counted, inception_resnet_v2, inception_v1, inception_v3, inception_v4
from benchmarks.boards.learned import Learned, handover_ns, handovers, learned
from benchmarks.boards.sheet import Column, Line, Network, Processor, Sheet

NETWORKS: dict[str, tuple[str, int, Callable[[], list[Step]]]] = {
    "inception_v1": ("InceptionV1", 224, inception_v1),
    "inception_v3": ("InceptionV3", 299, inception_v3),
    "inception_v4": ("InceptionV4", 299, inception_v4),
    "inception_resnet_v2": ("InceptionResnetV2", 299, inception_resnet_v2),
}
"""What the table calls a network, the side of its input, and its operators."""

PROCESSORS = (Processor("big", "cortex-a73", 4), Processor("little", "cortex-a53", 2), Processor("gpu", "mali-g52", 1))
PAIRS = tuple((a.name, b.name) for a in PROCESSORS for b in PROCESSORS if a != b)
LEAST_US = 1000.0  # of a segment, on big: what ends sooner goes on with its successor, since handing over takes as long

CAPACITY_BYTES = 4 << 30
BYTES_PER_S = 0.6 * 12.9e9  # LPDDR4X-3216, 32 bits: 12.9 GB/s at the peak; what a program gets of it is assumed

HEAD = """\
Khadas VIM3 (Amlogic A311D): four Cortex-A73, two Cortex-A53 and a Mali-G52 on one DRAM; four Inceptions, cut into chains.

Made by benchmarks/boards/make_boards.py; do not edit. The figures are those of AnissL93/Hetero-Scheduling (figures only), operator by
operator, ARM Compute Library in fp32.

measured   ns on big (all four cores), little (both), gpu: sums over the operators of a segment. A graph is cut behind an operator where
           that operator's output is all that is still needed; a segment that would take less than {least_us:g} us on big goes on to the
           next cut. So branches that stand side by side are here one behind the other. On the gpu, {unseen} operators of
           Inception-ResNet-v2 (the last of each block) have 0 us in the table, and so they have here.
assumed    handover: the bytes are known, the times are those of RK3399Pro (CO-UP), fitted to what was measured there, ms, the part of each
           MB so much longer as this memory's bandwidth is less:
{handovers}
           capacity_bytes (4 GB is a usual size) and bandwidth: 0.6 of what LPDDR4X-3216 of 32 bits has at its peak.
counted    counts, from the published architectures; what each operator writes there is what the table says. bytes are weights, input and
           output of a segment in fp32, each once.
The NPU has no figures and is left out.
"""
SOURCE = "AnissL93/Hetero-Scheduling, ARM Compute Library on Khadas VIM3; handovers from CO-UP-Profiling on RK3399Pro"


def sheet(folder: Path) -> Sheet:
    """Return the board; its times are as they were published."""
    known, graphs = learned(folder), operators(folder)
    unseen = sum(operator.us[-1] == 0 for graph in graphs.values() for operator in graph)
    columns = tuple(Column((one.name, one.lanes), "measured") for one in PROCESSORS)
    networks = tuple(_network(name, graphs[listed], known) for name, (listed, _, _) in NETWORKS.items())
    head = HEAD.format(least_us=LEAST_US, unseen=unseen, handovers=handovers(known, PAIRS))
    pairs = tuple(Column(pair, "assumed") for pair in PAIRS)
    return Sheet("khadas_vim3", head, SOURCE, PROCESSORS, CAPACITY_BYTES, BYTES_PER_S, columns, pairs, networks)


def _network(name: str, graph: Sequence[Operator], known: Learned) -> Network:
    listed, side, steps = NETWORKS[name]
    units = {unit.name: unit for unit in counted(side, steps(), graph)}
    chain = segments(graph)
    lines: list[Line] = []
    entry = units[str(graph[0].number)].input_bytes
    for part in chain:
        lines.append(_line(part, [units[str(operator.number)] for operator in part], entry, known if part is not chain[-1] else None))
        entry = lines[-1].counts.output_bytes
    notes = (f"{side} x {side}.", f"khadas_vim3_armcl_ops.csv, {listed}: {len(graph)} operators in {len(chain)} segments.")
    return Network(name, notes, tuple(lines))


def _line(part: Sequence[Operator], units: Sequence[Unit], entry: int, known: Learned | None) -> Line:
    """Return a segment; `known` says what handing its output over takes, None behind the last."""
    first, last = part[0].number, part[-1].number
    weights, touched = sum(unit.weight_bytes for unit in units), sum(unit.touched_bytes for unit in units)
    name = f"ops{first}-{last}" if first < last else f"op{first}"
    total = Unit(name, sum(unit.flop for unit in units), weights, entry, units[-1].output_bytes, touched)
    ns = tuple(round(fsum(us) * 1000) for us in zip(*(operator.us for operator in part), strict=True))
    handed = tuple(handover_ns(known, pair, total.output_bytes, BYTES_PER_S) for pair in PAIRS) if known else ()
    return Line(name, ns, total.bytes, total, handover=handed)


def segments(graph: Sequence[Operator]) -> list[list[Operator]]:
    """Cut a graph where one tensor alone is still needed, and not so often that a segment is short."""
    found: list[list[Operator]] = []
    for part in _parts(graph):
        if found and _us(found[-1]) < LEAST_US:
            found[-1] += part
        else:
            found.append(part)
    if len(found) > 1 and _us(found[-1]) < LEAST_US:
        short = found.pop()
        found[-1] += short
    return found


def _us(part: Sequence[Operator]) -> float:
    return fsum(operator.us[0] for operator in part)


def _parts(graph: Sequence[Operator]) -> Iterator[list[Operator]]:
    """Yield what stands between places where nothing is needed but the last output."""
    part: list[Operator] = []
    furthest = 0
    for operator in graph:
        part.append(operator)
        if furthest <= operator.number:
            yield part
            part = []
        furthest = max(furthest, *operator.successors, 0)
    if part:
        yield part
