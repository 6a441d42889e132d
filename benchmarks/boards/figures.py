"""The published figures: tables of a folder that is not part of this repository."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FILES = ("rk3399pro_armcl_layers.csv", "rk3399pro_armcl_transfers.csv", "khadas_vim3_armcl_ops.csv", "ncnn_networks.csv")
SOURCE = "CO-UP"  # of the two sources of layers, see rk3399pro.py

Row = Mapping[str, str]
Pair = tuple[str, str]


class Layer(NamedTuple):
    """What a layer takes on a component, and what the board draws meanwhile; None where that is not published."""

    ms: float
    power_mw: float | None


class Operator(NamedTuple):
    """An operator of a graph: who reads its output, us on each component, and the bytes of its output."""

    number: int
    successors: tuple[int, ...]
    us: tuple[float, ...]
    output_bytes: int


def found(given: Path | None) -> Path | None:
    """Return the folder of the figures: the given one, or that of a folder `shared` above this repository."""
    folders = [given] if given else [above / "shared" / "data" / "boards" for above in ROOT.parents]
    return next((folder for folder in folders if all((folder / name).is_file() for name in FILES)), None)


def layers(folder: Path) -> dict[tuple[str, str], list[Layer]]:
    """Map (network, component) to its layers in order."""
    rows = [row for row in _rows(folder, FILES[0]) if row["source"] == SOURCE]
    listed: dict[tuple[str, str], dict[int, Layer]] = {}
    for row in rows:
        power_mw = float(row["power_mw"]) if row["power_mw"] else None
        listed.setdefault((row["network"], row["component"]), {})[int(row["layer"])] = Layer(float(row["ms"]), power_mw)
    return {key: [found[index] for index in range(len(found))] for key, found in listed.items()}


def transfers(folder: Path) -> dict[str, dict[int, dict[Pair, float]]]:
    """Map each network, layer and pair of components to the ms of handing the layer's output over."""
    listed: dict[str, dict[int, dict[Pair, float]]] = {}
    for row in _rows(folder, FILES[1]):
        pairs = listed.setdefault(row["network"], {}).setdefault(int(row["after_layer"]), {})
        pairs[row["from"], row["to"]] = float(row["ms"])
    return listed


def operators(folder: Path) -> dict[str, list[Operator]]:
    """Map each network to its operators, in an order in which nobody reads what is not written yet."""
    listed: dict[str, list[Operator]] = {}
    for row in _rows(folder, FILES[2]):
        successors = tuple(int(number) for number in row["successors"].split())
        written = int(float(row["output_bytes"].split(",")[0] or 0))
        us = (float(row["big_us"]), float(row["little_us"]), float(row["gpu_us"]))
        listed.setdefault(row["network"], []).append(Operator(int(row["op"]), successors, us, written))
    return listed


def networks(folder: Path, chip: str, threads: int, powersave: int, gpu: int) -> dict[str, float]:
    """Map each network to its ms on a chip, by one entry of ncnn's benchmark page."""
    entry = (chip, str(threads), str(powersave), str(gpu))
    rows = _rows(folder, FILES[3])
    return {row["network"]: float(row["ms"]) for row in rows if (row["chip"], row["threads"], row["powersave"], row["gpu"]) == entry}


def _rows(folder: Path, name: str) -> Iterator[Row]:
    with (folder / name).open(newline="") as file:
        yield from csv.DictReader(file)
