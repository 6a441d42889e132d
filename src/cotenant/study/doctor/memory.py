"""Memory: pages, swap, and what processes share."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from cotenant.backend import occupancy, privileges
from cotenant.backend.kernel_file import read, read_number
from cotenant.study.doctor.finding import Finding, bad, better, good, unknown
from cotenant.study.doctor.patient import Patient, size

_LITTLE, _VERY_LITTLE = 0.1, 0.03  # of the memory
_SHARED_BYTES: Final = 256 << 20  # some fifty tensors of 1 x 3 x 640 x 640 in fp32
_STRICT: Final = 2  # vm.overcommit_memory
_HUGE: Final = "sys/kernel/mm/transparent_hugepage/enabled"
_BIGGEST: Final = "ps -eo pid,rss,comm --sort=-rss | head"


def findings(patient: Patient) -> Iterator[Finding]:
    """Say what memory there is, and how it is kept."""
    yield _huge_pages(patient)
    yield _free(patient)
    yield _swap(patient)
    yield _overcommit(patient)
    yield _locked(patient)
    yield _shared(patient)


def _huge_pages(patient: Patient) -> Finding:
    what, gains = "huge pages", "two to five per cent less CPU time for each inference"
    chosen = next((word.strip("[]") for word in read(patient.root / _HUGE).split() if word.startswith("[")), "")
    if patient.permits.huge_pages:
        return good(what, "models are moved onto them", gains)
    if chosen == "always":
        return good(what, "given by the kernel in its own time", gains)
    if not chosen:
        return unknown(what, gains, "not on request, and what the kernel does by itself is not shown")
    return better(what, f"{chosen}; not on request, as Linux 6.1 can", gains, f"echo always | sudo tee /{_HUGE}")


def _free(patient: Patient) -> Finding:
    what, gains = "free memory", "models stay in memory"
    told = occupancy.memory_bytes(patient.root)
    free_bytes, total_bytes = told.get("MemAvailable"), told.get("MemTotal")
    if free_bytes is None or not total_bytes:
        return unknown(what, gains)
    now = f"{size(free_bytes)} of {size(total_bytes)}"
    if free_bytes >= _LITTLE * total_bytes:
        return good(what, now, gains)
    return (better if free_bytes >= _VERY_LITTLE * total_bytes else bad)(what, now, gains, _BIGGEST)


def _swap(patient: Patient) -> Finding:
    what, gains = "swap", "no inference waits for its weights to come back from a disk"
    told = occupancy.memory_bytes(patient.root)
    total_bytes, free_bytes = told.get("SwapTotal"), told.get("SwapFree")
    if total_bytes is None or free_bytes is None:
        return unknown(what, gains)
    used_bytes = max(total_bytes - free_bytes, 0)
    now = f"{size(used_bytes)} of {size(total_bytes)} in use" if total_bytes else "none"
    return better(what, now, gains, "sudo swapoff -a") if used_bytes else good(what, now, gains)


def _overcommit(patient: Patient) -> Finding:
    what, gains = "overcommit", "engines may reserve more memory than they touch"
    mode = read_number(patient.root / "proc/sys/vm/overcommit_memory")
    if mode is None:
        return unknown(what, gains)
    if mode == _STRICT:
        return better(what, f"{mode}: never", gains, "sudo sysctl -w vm.overcommit_memory=0")
    return good(what, f"{mode}: permitted", gains)


def _locked(patient: Patient) -> Finding:
    what, gains = "locked memory", "nothing today: cotenant locks no memory"
    found = privileges.limit(patient.root, "Max locked memory")
    if found is None:
        return unknown(what, gains)
    return good(what, "RLIMIT_MEMLOCK " + ("unlimited" if math.isinf(found.soft) else size(found.soft)), gains)


def _shared(patient: Patient) -> Finding:
    what, gains = "shared memory", "isolated tenants get and give tensors without a copy through a pipe"
    found = occupancy.shared_memory(patient.root)
    if found is None:
        return unknown(what, gains, "there is no /dev/shm")
    now = f"{size(found.free_bytes)} of {size(found.size_bytes)} free"
    if found.free_bytes >= _SHARED_BYTES:
        return good(what, now, gains)
    command = "docker run --shm-size=1g IMAGE" if patient.contained else "sudo mount -o remount,size=1G /dev/shm"
    if found.size_bytes >= 4 * _SHARED_BYTES:
        command = "ls -lS /dev/shm | head"
    return better(what, now, gains, command)
