"""The boards that ncnn's benchmark page knows."""

from __future__ import annotations

from benchmarks.boards.ncnn import Chip, Place
from benchmarks.boards.sheet import Processor

MADE = """\

Made by benchmarks/boards/make_boards.py; do not edit. Nobody published figures of layers here; whole networks were timed, by ncnn.
"""

RK3588_ENTRY = "Rockchip RK3588 (Cortex-A76 2.4GHz x 4 + Cortex-A55 1.8GHz x 4)"
KIRIN_ENTRY = "Kirin 970 (Cortex-A73 2.4GHz x 4 + Cortex-A53 1.8GHz x 4)"
RK3399_ENTRY = "Rockchip RK3399 (Cortex-A72 1.8GHz x 2 + Cortex-A53 1.5GHz x 4)"
ORIN_ENTRY = "NVIDIA Jetson Orin Nano"
RPI4_ENTRY = "Raspberry Pi 4 Model B Broadcom BCM2711B0, Cortex-A72 (ARMv8) (1.8GHz x 4)"

DLA_OVER_GPU = 3.6564 / 1.95913
"""GoogLeNet on a Jetson AGX Xavier, ms (HaX-CoNN's artifact, ismetdagli/HaX-CoNN, output_expected/transition_results.json, mean_time)."""
FROM_DLA_MS, FROM_GPU_MS = 0.055, 0.030
"""Means over the nine places of the transition_cost in that file, from the DLA and from the GPU."""

SAME_ROLES = {"big": "big", "little": "little", "gpu": "gpu"}
GIB = 1 << 30
USABLE = 0.6  # of a memory's peak; what a program gets of it is assumed

RK3588S = Chip(
    name="rk3588s",
    head="Rockchip RK3588S (Orange Pi 5): four Cortex-A76, four Cortex-A55 and a Mali-G610 on one DRAM; twelve networks.\n"
    + MADE
    + f"""\

entry      {RK3588_ENTRY}: the one entry with all of big, little and gpu, at 4 threads
           and at 1 (powersave 2, 1; gpu). The S has the same processors. The entries of other RK3588 boards, with other versions of ncnn,
           are up to twice as fast (OrangePi5: squeezenet 3.66 ms on big, for 7.6 here); the GPU of ROC-RK3588S-PC took less than a
           millisecond for ResNets, so that entry cannot be right. efficientnet_b0 was not timed on the gpu.
           ncnn keeps and computes in fp16 here, on all processors. The NPU has no figures and is left out.
assumed    capacity_bytes: 8 GB, a usual size of that board. Bandwidth: 0.6 of what LPDDR4X-4266 of 64 bits has at its peak (34.1 GB/s).
""",
    source="Tencent/ncnn benchmark page, BSD-3-Clause (RK3588); shapes from CO-UP-Profiling on RK3399Pro",
    processors=(Processor("big", "cortex-a76", 4), Processor("little", "cortex-a55", 4), Processor("gpu", "mali-g610", 1)),
    places=(
        Place("big", 4, (RK3588_ENTRY, 4, 2, -1)),
        Place("big", 1, (RK3588_ENTRY, 1, 2, -1)),
        Place("little", 4, (RK3588_ENTRY, 4, 1, -1)),
        Place("little", 1, (RK3588_ENTRY, 1, 1, -1)),
        Place("gpu", 1, (RK3588_ENTRY, 1, 2, 0)),
    ),
    roles=SAME_ROLES,
    capacity_bytes=8 * GIB,
    bytes_per_s=USABLE * 34.1e9,
    item_bytes=2,
)

KIRIN970 = Chip(
    name="kirin970",
    head="HiSilicon Kirin 970 (HiKey 970): four Cortex-A73, four Cortex-A53 and a Mali-G72 on one DRAM; twelve networks.\n"
    + MADE
    + f"""\

entry      {KIRIN_ENTRY}: big at 4 threads and at 1, and gpu.
assumed    little: not timed there. {RK3399_ENTRY} at 4 threads and at 1
           (powersave 1), times 1.5 / 1.8, the ratio of the clocks of the same core.
           capacity_bytes: 6 GB, that board's. Bandwidth: 0.6 of what LPDDR4X-3732 of 64 bits has at its peak (29.9 GB/s).
           bytes are those of fp32; on the gpu ncnn keeps fp16, so that there they are twice what it moves.
           The NPU has no figures and is left out.
""",
    source="Tencent/ncnn benchmark page, BSD-3-Clause (Kirin 970, RK3399); shapes from CO-UP-Profiling on RK3399Pro",
    processors=(Processor("big", "cortex-a73", 4), Processor("little", "cortex-a53", 4), Processor("gpu", "mali-g72", 1)),
    places=(
        Place("big", 4, (KIRIN_ENTRY, 4, 2, -1)),
        Place("big", 1, (KIRIN_ENTRY, 1, 2, -1)),
        Place("little", 4, (RK3399_ENTRY, 4, 1, -1), 1.5 / 1.8, "assumed"),
        Place("little", 1, (RK3399_ENTRY, 1, 1, -1), 1.5 / 1.8, "assumed"),
        Place("gpu", 1, (KIRIN_ENTRY, 1, 2, 0)),
    ),
    roles=SAME_ROLES,
    capacity_bytes=6 * GIB,
    bytes_per_s=USABLE * 29.9e9,
)

RPI4 = Chip(
    name="rpi4",
    head="Raspberry Pi 4 Model B (BCM2711): four Cortex-A72; twelve networks.\n"
    + MADE
    + f"""\

entry      {RPI4_ENTRY}, at 4 threads and at 1.
assumed    capacity_bytes: 4 GB, a usual size. Bandwidth: 0.6 of what LPDDR4-3200 of 32 bits has at its peak (12.8 GB/s).
""",
    source="Tencent/ncnn benchmark page, BSD-3-Clause (Raspberry Pi 4); shapes from CO-UP-Profiling on RK3399Pro",
    processors=(Processor("cpu", "cortex-a72", 4),),
    places=(Place("cpu", 4, (RPI4_ENTRY, 4, 0, -1)), Place("cpu", 1, (RPI4_ENTRY, 1, 0, -1))),
    roles={"cpu": "big"},
    capacity_bytes=4 * GIB,
    bytes_per_s=USABLE * 12.8e9,
)

JETSON_ORIN = Chip(
    name="jetson_orin",
    head="NVIDIA Jetson Orin: six Cortex-A78AE, an Ampere GPU, and a DLA that is assumed, on one DRAM; twelve networks.\n"
    + MADE
    + f"""\

entry      {ORIN_ENTRY}: cpu at 6 threads and at 1, gpu at 1 thread. ncnn keeps and computes in fp16 here. It uses Vulkan;
           TensorRT, which is usual on this board, is likely much faster.
assumed    dla: the Orin Nano has none, its bigger sisters do. HaX-CoNN's layer times (Dagli and Belviranli, PPoPP 2024) on an AGX Orin
           were not to be had; its artifact (ismetdagli/HaX-CoNN) has GoogLeNet on an AGX Xavier, by its README in fp16 with TensorRT:
           {DLA_OVER_GPU:.3f} times as long on the DLA as on the GPU. Every segment of every network is taken to be so. What a real DLA does
           better or worse than that, or cannot do at all, is not here.
           handover between gpu and dla: {FROM_GPU_MS:g} and {FROM_DLA_MS:g} ms, that artifact's means, whatever is handed over; between
           cpu and dla as between cpu and gpu, which is likely far too long where a GPU reads what the CPU wrote.
           capacity_bytes: 8 GB. Bandwidth: 0.6 of what that board's LPDDR5 of 128 bits has at its peak (68 GB/s).
""",
    source="Tencent/ncnn benchmark page, BSD-3-Clause (Jetson Orin Nano); DLA assumed; shapes from CO-UP-Profiling on RK3399Pro",
    processors=(Processor("cpu", "cortex-a78ae", 6), Processor("gpu", "nvidia-ampere", 1), Processor("dla", "nvidia-dla", 1)),
    places=(
        Place("cpu", 6, (ORIN_ENTRY, 6, 0, -1)),
        Place("cpu", 1, (ORIN_ENTRY, 1, 0, -1)),
        Place("gpu", 1, (ORIN_ENTRY, 1, 0, 0)),
        Place("dla", 1, (ORIN_ENTRY, 1, 0, 0), DLA_OVER_GPU, "assumed"),
    ),
    roles={"cpu": "big", "gpu": "gpu", "dla": "gpu"},
    capacity_bytes=8 * GIB,
    bytes_per_s=USABLE * 68e9,
    item_bytes=2,
    fixed_ms={("gpu", "dla"): FROM_GPU_MS, ("dla", "gpu"): FROM_DLA_MS},
)
