"""Control groups: what is left to this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cotenant.backend import cgroup, occupancy
from cotenant.study.doctor.finding import Finding, bad, better, good, unknown
from cotenant.study.doctor.patient import Patient, ranges, size

_OFTEN: Final = 0.01
_MS_NS: Final = 1e6


def findings(patient: Patient) -> Iterator[Finding]:
    """Say what the control groups hold back."""
    yield _quota(patient)
    yield _throttled(patient)
    yield _cpuset(patient)
    yield _memory(patient)


def _quota(patient: Patient) -> Finding:
    what, found = "CPU quota", cgroup.quota(patient.root)
    if found is None:
        gains = "no lane is stopped by a quota"
        return good(what, "none", gains) if cgroup.shown(patient.root) else unknown(what, gains)
    usable = len({min(core.siblings) for core in patient.cores if core.number in patient.allowed})
    whole, left = max(1, int(found.allowed)), found.allowed % 1
    now = f"{found.allowed:.4g} CPUs{f', {left:.2g} too little for a lane' if left else ''}"
    command = _more_cpus(patient, found, max(usable, 1))
    if found.allowed < 1:
        return bad(what, now, "the only lane is not stopped in the midst of every period", command)
    if whole < usable:
        return better(what, now, f"{usable - whole} more lanes", command)
    return good(what, now, "no lane is stopped by a quota")


def _more_cpus(patient: Patient, found: cgroup.Limited, cpus: int) -> str:
    if patient.contained:
        return f"docker update --cpus {cpus} CONTAINER"
    return f"echo {found.releasing} | sudo tee {patient.shown(found.file)}"


def _throttled(patient: Patient) -> Finding:
    what, gains = "throttled periods", "a quota that is used up stops every lane until the next period"
    found, limit = cgroup.throttled(patient.root), cgroup.quota(patient.root)
    if found is None:
        return unknown(what, gains)
    now = f"{found.throttled} of {found.periods}, {found.throttled_ns / _MS_NS:.0f} ms in all"
    if found.throttled <= 0 or limit is None:
        return good(what, now, gains)
    command = _more_cpus(patient, limit, int(limit.allowed) + 1)
    return (bad if found.throttled > _OFTEN * found.periods else better)(what, now, gains, command)


def _cpuset(patient: Patient) -> Finding:
    what, gains = "cpuset", "every core of the machine may be used"
    found, online = cgroup.cpuset(patient.root), patient.lists.online
    if not found or online is None:
        return unknown(what, gains)
    kept = set(online) - set(found)
    if not kept:
        return good(what, ranges(found), gains)
    command = f"docker update --cpuset-cpus {ranges(online)} CONTAINER"
    if not patient.contained:
        command = f"sudo systemctl set-property UNIT AllowedCPUs={ranges(online)}"
    return better(what, ranges(found), f"cores {ranges(kept)} as well", command)


def _memory(patient: Patient) -> Finding:
    what, found = "memory limit", cgroup.memory(patient.root)
    total_bytes = occupancy.memory_bytes(patient.root).get("MemTotal")
    if found is None:
        gains = "models are limited by the machine's memory alone"
        return good(what, "none", gains) if cgroup.shown(patient.root, "memory") else unknown(what, gains)
    if total_bytes is None:
        return unknown(what, "more memory for models", f"{size(found.allowed)} of a memory that is not shown")
    if found.allowed >= total_bytes:
        return good(what, f"none below the {size(total_bytes)} of the machine", "models are limited by the machine's memory alone")
    gains = f"{size(total_bytes - found.allowed)} more for models"
    command = f"echo {found.releasing} | sudo tee {patient.shown(found.file)}"
    return better(what, size(found.allowed), gains, f"docker update --memory {total_bytes} CONTAINER" if patient.contained else command)
