"""Cores, as Linux tells them apart."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cotenant.backend.kernel_file import numbers, read, read_number, whole

_X86_VENDORS = {"GenuineIntel": "intel", "AuthenticAMD": "amd"}
_ARM = "0x41"
# Linux, arch/arm64/include/asm/cputype.h
_ARM_PARTS = {
    "0xd03": "cortex-a53", "0xd04": "cortex-a35", "0xd05": "cortex-a55", "0xd07": "cortex-a57", "0xd08": "cortex-a72",
    "0xd09": "cortex-a73", "0xd0a": "cortex-a75", "0xd0b": "cortex-a76", "0xd0c": "neoverse-n1", "0xd0d": "cortex-a77",
    "0xd40": "neoverse-v1", "0xd41": "cortex-a78", "0xd42": "cortex-a78ae", "0xd44": "cortex-x1", "0xd46": "cortex-a510",
    "0xd47": "cortex-a710", "0xd48": "cortex-x2", "0xd49": "neoverse-n2", "0xd4d": "cortex-a715", "0xd4e": "cortex-x3",
    "0xd4f": "neoverse-v2",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """Hold one logical CPU: `kind` names its microarchitecture, `siblings` share its physical core, itself included.

    `capacity` (Linux's, 1024 for the fastest) and `max_khz` are 0 where unknown.
    """

    number: int
    kind: str
    model: str = ""
    flags: frozenset[str] = frozenset()
    capacity: int = 0
    max_khz: int = 0
    siblings: tuple[int, ...] = ()

    @property
    def peak(self) -> int:
        return self.max_khz or self.capacity


def read_cores(root: Path, also: Iterable[int] = ()) -> tuple[Core, ...]:
    """Read every core, and those in `also`: a container's /proc/cpuinfo may hide or renumber them."""
    stanzas = parse(read(root / "proc/cpuinfo"))
    found = set(stanzas) | set(also) or set(range(os.cpu_count() or 1))
    default = next(iter(stanzas.values()), {})
    return tuple(_core(root, number, stanzas.get(number, default)) for number in sorted(found))


def parse(text: str) -> dict[int, Mapping[str, str]]:
    """Split the text of /proc/cpuinfo into one mapping for each numbered processor."""
    stanzas = ([line.partition(":") for line in stanza.splitlines()] for stanza in text.split("\n\n"))
    fields = ({key.strip(): value.strip() for key, _, value in stanza} for stanza in stanzas)
    numbered = ((whole(stanza.get("processor", "")), stanza) for stanza in fields)
    return {index: stanza for index, stanza in numbered if index is not None and index >= 0}


def _core(root: Path, number: int, stanza: Mapping[str, str]) -> Core:
    folder = root / f"sys/devices/system/cpu/cpu{number}"
    siblings = numbers(read(folder / "topology/thread_siblings_list"))
    return Core(
        number=number,
        kind=microarchitecture(stanza) + _hybrid(root, number),
        model=stanza.get("model name") or stanza.get("Model", ""),
        flags=frozenset((stanza.get("flags") or stanza.get("Features", "")).split()),
        capacity=read_number(folder / "cpu_capacity") or 0,
        max_khz=read_number(folder / "cpufreq/cpuinfo_max_freq") or 0,
        siblings=siblings if number in siblings else (number,),
    )


def microarchitecture(stanza: Mapping[str, str]) -> str:
    """Name it: `intel-6-207` (vendor, family, model), `cortex-a76`, `arm-0x51-0x804` (implementer, part)."""
    if vendor := stanza.get("vendor_id"):
        return "-".join((_X86_VENDORS.get(vendor, vendor.lower()), stanza.get("cpu family", "0"), stanza.get("model", "0")))
    if part := stanza.get("CPU part"):
        implementer = stanza.get("CPU implementer", "0x0")
        known = _ARM_PARTS.get(part) if implementer == _ARM else None
        return known or f"arm-{implementer}-{part}"
    return stanza.get("uarch") or platform.machine() or "unknown"


def _hybrid(root: Path, number: int) -> str:
    """Tell Intel's two kinds of core apart, which share family and model."""
    for kind in ("core", "atom"):
        if number in numbers(read(root / f"sys/devices/cpu_{kind}/cpus")):
            return f"-{kind}"
    return ""
