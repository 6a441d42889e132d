"""The board `rk3399pro`, layer by layer as CO-UP measured it, and what its figures say of other chips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.boards.classics import alexnet, googlenet, squeezenet_v1_0
from benchmarks.boards.draft import Unit
from benchmarks.boards.figures import Layer, Pair, layers, transfers
from benchmarks.boards.mobile import mobilenet_v1
from benchmarks.boards.residual import resnet50_slim, yolov3
from benchmarks.boards.sheet import Column, Line, Network, Processor, Sheet

NETWORKS: dict[str, tuple[str, str, Callable[[], list[Unit]]]] = {
    "alexnet": ("Alex", "227 x 227, two groups", alexnet),
    "googlenet": ("Google", "224 x 224, poolings with what stands before them, the classifier with 5b", googlenet),
    "mobilenet_v1": ("MobileV1", "224 x 224, 1001 classes, the classifier with conv13", lambda: mobilenet_v1(1001)),
    "resnet50": ("ResV1_50", "224 x 224, TensorFlow-Slim's variant: 3.5 GMAC, not 3.9, as planes are halved earlier", resnet50_slim),
    "squeezenet": ("SqueezeV1", "v1.0, 224 x 224", squeezenet_v1_0),
    "yolov3": ("YOLOv3", "608 x 608, a segment for each convolution, with the add or upsampling behind it", yolov3),
}
"""What the figures call a network, what it is, and its counts; the units are those of the ARM Compute Library's examples."""

COMPONENTS = {"big": "B", "little": "L", "gpu": "G", "npu": "N"}
PROCESSORS = (
    Processor("big", "cortex-a72", 2),
    Processor("little", "cortex-a53", 4),
    Processor("gpu", "mali-t860", 1),
    Processor("npu", "rk3399pro-npu", 1),
)
MEASURED: tuple[tuple[str, str], ...] = tuple((a, b) for a in ("big", "little", "gpu") for b in ("big", "little", "gpu") if a != b)
THROUGH_NPU: tuple[tuple[str, str], ...] = tuple(pair for name in ("big", "little", "gpu") for pair in ((name, "npu"), ("npu", name)))

CAPACITY_BYTES = 4 << 30
BYTES_PER_S = 0.6 * 14.9e9  # LPDDR3-1866, 64 bits: 14.9 GB/s at the peak; what a program gets of it is assumed

HEAD = """\
Rockchip RK3399Pro: two Cortex-A72, four Cortex-A53, a Mali-T860 and an NPU on one DRAM; six networks, layer by layer.

Made by benchmarks/boards/make_boards.py; do not edit. The figures are those of Aghapour et al., CO-UP:
Ehsan-aghapour/CO-UP-Profiling (figures only), ARM Compute Library in fp32, all at top frequency.

measured   ns and mw of every layer on big (both cores at once), little (all four), gpu, and npu where there are figures; mw is the whole
           board's.
           CO-UP's are taken, and LW-GA's of the same board are not: there the LITTLE cluster looks throttled for GoogLeNet, MobileNet,
           ResNet-50 and SqueezeNet (1.8 to 2.3 times as slow), though both agree on AlexNet. LW-GA's big and gpu are within 14 % of
           CO-UP's, but a fifth faster for MobileNet.
           npu has figures for mobilenet_v1 and yolov3 alone, in the vendor's own quantisation: what is left of the network's answers was
           not published. Its mw lack four layers of yolov3.
           handover between big, little and gpu: the least over the settings that were tried. Behind a detection (yolov3 conv58, conv66)
           nothing is handed on, and what was timed there is next to nothing.
assumed    handover from and to npu: nothing was published. As long as the longest that was measured behind that layer, all of which have
           a CPU at one end; between gpu and npu by way of the better CPU cluster.
           capacity_bytes (4 GB is the usual board) and bandwidth: 0.6 of what LPDDR3-1866 of 64 bits has at its peak.
counted    counts, from the published architectures in the library's own units; bytes are weights, input and output in fp32, each once.
"""
SOURCE = "CO-UP-Profiling (Aghapour et al.), Ehsan-aghapour/CO-UP-Profiling, ARM Compute Library on RK3399Pro"


def sheet(folder: Path) -> Sheet:
    """Return the board; its times and its handovers but those of the NPU are as they were published."""
    known, handed = layers(folder), transfers(folder)
    pairs = tuple(Column(pair, "measured") for pair in MEASURED) + tuple(Column(pair, "assumed") for pair in THROUGH_NPU)
    columns = tuple(Column((one.name, one.lanes), "measured") for one in PROCESSORS)
    networks = tuple(_network(name, known, handed[NETWORKS[name][0]]) for name in NETWORKS)
    return Sheet("rk3399pro", HEAD, SOURCE, PROCESSORS, CAPACITY_BYTES, BYTES_PER_S, columns, pairs, networks)


def _network(name: str, known: dict[tuple[str, str], list[Layer]], handed: dict[int, dict[Pair, float]]) -> Network:
    published, what, count = NETWORKS[name]
    chains = [known.get((published, component)) for component in COMPONENTS.values()]
    with_npu = chains[-1] is not None
    lines = []
    for index, unit in enumerate(count()):
        at = [None if chain is None else chain[index] for chain in chains]
        ns = tuple(None if one is None else round(one.ms * 1e6) for one in at)
        mw = tuple(None if one is None else one.power_mw for one in at)
        lines.append(Line(unit.name, ns, unit.bytes, unit, mw, _handover(handed.get(index), with_npu=with_npu)))
    notes = (f"{what}.", f"rk3399pro_armcl_layers.csv and _transfers.csv, CO-UP {published}, {len(lines)} layers.")
    return Network(name, notes, tuple(lines))


def _handover(ms: dict[Pair, float] | None, *, with_npu: bool) -> tuple[int | None, ...]:
    """Return ns for each pair of processors; nothing behind the last layer."""
    if ms is None:
        return ()
    found: dict[tuple[str, str], float] = {(a, b): ms[COMPONENTS[a], COMPONENTS[b]] for a, b in MEASURED}
    if with_npu:
        worst = max(found.values())
        for cpu in ("big", "little"):
            found[cpu, "npu"] = found["npu", cpu] = worst
        found["gpu", "npu"] = worst + min(found["gpu", "big"], found["gpu", "little"])
        found["npu", "gpu"] = worst + min(found["big", "gpu"], found["little", "gpu"])
    return tuple(round(found[pair] * 1e6) if pair in found else None for pair in MEASURED + THROUGH_NPU)
