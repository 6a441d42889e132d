"""Make the board `moca_soc` from the figures published with MoCA: `python benchmarks/moca/make_board.py [FOLDER]`.

FOLDER holds `layers.csv` and `networks.csv` (cycles, and rows of 16 bytes); without it, `data/moca_soc` of a folder `shared` above this
repository is looked for. They are figures of the artifact of Kim et al., "MoCA: Memory-Centric, Adaptive Execution for Multi-Tenant
Deep Neural Networks", HPCA 2023 (SeahK/gemmini-rocc-tests-moca-ae, BSD-3-Clause). What they leave open is a constant below, with its
reason.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
BOARD = ROOT / "src" / "cotenant" / "describe" / "boards" / "moca_soc.yaml"

WIDTHS = (1, 2, 4, 8)
ROW_BYTES = 16  # a row of layers.csv; the artifact's DRAM moves one in a cycle, and so does a tile's port
BARRIER = 19_000  # h: resnet50, googlenet and squeezenet give 18.9, 18.0 and 19.6 thousand cycles a segment, each by itself
ADDS = {
    # Rows in one tensor of each residual add. resnet50: the published shapes (He et al., 2016, table 1, at 224 x 224, 8 bits); with them
    # the artifact's prediction of the whole network comes out to the cycle. kws_res26: eleven equal ones, from the least latency that the
    # logs hold (3,615,590 cycles) less the predictions of the layers (2,247,015): on two tiles, 4.5 cycles for a row of each tensor.
    "resnet50": (50176,) * 3 + (25088,) * 4 + (12544,) * 6 + (6272,) * 3,
    "kws_res26": (27648,) * 11,
}

HEAD = """\
# The SoC of MoCA: eight Gemmini tiles at 1 GHz (one cycle is one nanosecond) on one DRAM, and seven networks.
#
# Made by benchmarks/moca/make_board.py; do not edit. The figures are those of the artifact of Kim et al., "MoCA: Memory-Centric,
# Adaptive Execution for Multi-Tenant Deep Neural Networks", HPCA 2023: SeahK/gemmini-rocc-tests-moca-ae, BSD-3-Clause, Copyright (c)
# 2018-2022 The Regents of the University of California. No code or text of it is used.
#
# How a line of a network comes about, on w tiles, in cycles:
#   layerN   predicted_cycles_w + (measured_cycles_1 - predicted_cycles_1) / w + h where w > 1: on one tile, what was measured.
#            It moves 16 bytes for each row of min(dram_rows, total_rows).
#   addN     3 A (1 + 1 / w) + h where w > 1: three tensors of A rows through the DRAM, then through the tiles' ports. Neither their
#            times nor their places in the chain were published; they stand behind the layers.
#   rest     pooling: what is left of the total that was measured on one tile, over w. Taken to stay in the caches: no bytes.
#   h        19,000 cycles a segment, for the barrier between tiles: found in resnet50, googlenet and squeezenet one by one.
#   factor   where w > 1, brings the sum on two tiles to the time measured there (exact_on_2); it stands with each network. Without it
#            the sums are off by -7 to +9 %. Four and eight tiles are known from the artifact's predictions alone.
#   No segment takes less than its bytes do at 16 B a cycle. Gemmini computes in int8 as it comes.
# interference, s: what each co-runner costs, whoever it is: fitted (one number) to the 1,500 requests that the static scheduler served
#   in the artifact's logs, sets A and B. By network, predicted and logged slowdowns then differ by 2.1 % (A) and 5.5 % (B) in the
#   median, 9.4 % at worst; without it by 18 % and 15 %. A shared second-level cache would explain it; the logs do not prove that.
# capacity_bytes is assumed: nothing here fills it.
source: MoCA artifact (Kim et al., HPCA 2023), SeahK/gemmini-rocc-tests-moca-ae, BSD-3-Clause, FireSim figures
planned_width: 2                 # the paper's four servers have two tiles each
platform:
  name: moca_soc
  processors:
  - {name: tiles, kind: gemmini, lanes: 8, memory: dram, preemption: segment}
  memories:
  - {name: dram, capacity_bytes: 17179869184, bandwidth_bytes_per_s: 16.0e+9, interference: 0.08}
columns:                         # of every `ns`
- {processor: tiles, width: 1, provenance: measured}
- {processor: tiles, width: 2, provenance: scaled}
- {processor: tiles, width: 4, provenance: assumed}
- {processor: tiles, width: 8, provenance: assumed}
networks:
"""

Row = Mapping[str, str]


class Line(NamedTuple):
    """A segment: its name, the bytes that it moves, and its cycles at each of WIDTHS, not rounded yet."""

    name: str
    bytes: int
    cycles: tuple[float, ...]


class Network(NamedTuple):
    """A network's segments, and by what its cycles on several tiles were multiplied."""

    name: str
    factor: float
    lines: tuple[Line, ...]


def main() -> None:
    folder = found(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    if folder is None:
        sys.exit("no layers.csv and networks.csv: give the folder that holds MoCA's published figures (shared/data/moca_soc)")
    BOARD.parent.mkdir(exist_ok=True)
    BOARD.write_text(text(folder))


def found(given: Path | None) -> Path | None:
    """Return the folder of the figures: the given one, or that of a folder `shared` above this repository."""
    folders = [given] if given else [above / "shared" / "data" / "moca_soc" for above in ROOT.parents]
    return next((folder for folder in folders if (folder / "layers.csv").is_file() and (folder / "networks.csv").is_file()), None)


def text(folder: Path) -> str:
    """Return the whole file."""
    with (folder / "layers.csv").open(newline="") as file:
        layers = list(csv.DictReader(file))
    with (folder / "networks.csv").open(newline="") as file:
        totals = list(csv.DictReader(file))
    networks = (network(total, [row for row in layers if row["network"] == total["network"]]) for total in totals)
    return HEAD + "".join(line + "\n" for known, total in zip(networks, totals, strict=True) for line in written(known, total))


def network(total: Row, rows: list[Row]) -> Network:
    """Return a network whose sum on two tiles is the time that was measured there."""
    lines = chain(total, [row for row in rows if row["total_rows_16B"]])
    factor = float(total["isolated_cycles_2tile"]) / sum(line.cycles[1] for line in lines)
    return Network(total["network"], factor, tuple(settled(line, factor) for line in lines))


def chain(total: Row, rows: list[Row]) -> list[Line]:
    """List the segments as the rules at the head of the file have them, before the factor."""
    lines = [layer(row) for row in rows]
    lines += [add(index, count) for index, count in enumerate(ADDS.get(total["network"], ()), 1)]
    measured = sum(float(row["measured_cycles_1tile"]) for row in rows) + sum(6 * count for count in ADDS.get(total["network"], ()))
    left = float(total["measured_total_cycles_1tile_median"]) - measured
    return [*lines, Line("rest", 0, tuple(left / width for width in WIDTHS))]


def layer(row: Row) -> Line:
    beyond = float(row["measured_cycles_1tile"]) - float(row["predicted_cycles_1tile"])
    cycles = tuple(float(row[f"predicted_cycles_{width}tile"]) + beyond / width + barrier(width) for width in WIDTHS)
    moved = round(min(float(row["dram_rows_16B"]), float(row["total_rows_16B"])) * ROW_BYTES)
    return Line(f"layer{row['layer']}", moved, tuple(max(cycle, moved / ROW_BYTES) for cycle in cycles))


def add(index: int, rows: int) -> Line:
    return Line(f"add{index}", 3 * rows * ROW_BYTES, tuple(3 * rows * (1 + 1 / width) + barrier(width) for width in WIDTHS))


def barrier(width: int) -> int:
    return BARRIER if width > 1 else 0


def settled(line: Line, factor: float) -> Line:
    """Return a segment with the factor at several tiles, in whole cycles, none faster than its bytes can be moved."""
    cycles = (cycle * (factor if width > 1 else 1.0) for width, cycle in zip(WIDTHS, line.cycles, strict=True))
    return line._replace(cycles=tuple(max(round(cycle), math.ceil(line.bytes / ROW_BYTES)) for cycle in cycles))


def written(known: Network, total: Row) -> Iterator[str]:
    """Yield a network's lines, with where they come from above them."""
    layers = [line for line in known.lines if line.name.startswith("layer")]
    two, one = int(total["isolated_cycles_2tile"]), int(total["measured_total_cycles_1tile_median"])
    yield f"- name: {known.name}"
    yield f"  # layers.csv, {len(layers)} layers: total_rows_16B, dram_rows_16B, predicted_cycles_*tile, measured_cycles_1tile."
    yield f"  # networks.csv: isolated_cycles_2tile {two:,}, measured_total_cycles_1tile_median {one:,}; factor {known.factor:.4f}."
    yield "  precision: int8"
    yield "  segments:"
    for line in known.lines:
        assumed = "" if line in layers else ", provenance: assumed"
        yield f"  - {{name: {line.name}, bytes: {line.bytes}, ns: {[int(cycle) for cycle in line.cycles]}{assumed}}}"


if __name__ == "__main__":
    main()
