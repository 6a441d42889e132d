"""Cores: which may be used, and who else is on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cotenant.backend import occupancy
from cotenant.study.doctor.finding import Finding, bad, better, good, unknown
from cotenant.study.doctor.patient import Patient, ranges

_CPUS: Final = "/sys/devices/system/cpu"
_SLIGHT, _HEAVY = 0.01, 0.1
_SHOW: Final = "ps -eo pid,cls,ni,psr,pcpu,comm --sort=-pcpu | head"


def findings(patient: Patient) -> Iterator[Finding]:
    """Say which cores are lanes, which are kept apart, and what others take of them."""
    yield _lanes(patient)
    yield _threads(patient)
    yield _offline(patient)
    yield _isolated(patient)
    yield _tickless(patient)
    yield _stolen(patient)
    yield _load(patient)


def _lanes(patient: Patient) -> Finding:
    what, gains = "cores", "every core that is not the second thread of another is a lane"
    now, online = f"{len(patient.lanes)} lanes: {ranges(patient.lanes)}", patient.lists.online
    if online is None:
        return unknown(what, gains, f"{now}; of how many is not shown")
    kept = set(online) - patient.allowed
    isolated = kept & set(patient.lists.isolated or ())
    if isolated == kept:  # these have a line of their own
        return good(what, now, gains)
    return better(what, now, f"may run on cores {ranges(kept)} as well", f"taskset -c {ranges(online)} cotenant run CREW")


def _threads(patient: Patient) -> Finding:
    what, gains = "second threads", "no other program slows a lane down from the second thread of its core"
    lanes = set(patient.lanes)
    online = patient.lists.online
    second = {sibling for core in patient.cores if core.number in lanes for sibling in core.siblings} - lanes
    second &= second if online is None else set(online)
    if not second:
        return good(what, "none", gains)
    now = f"{ranges(second)}, left out"
    if (patient.root / "sys/devices/system/cpu/smt/control").exists():
        return better(what, now, gains, f"echo off | sudo tee {_CPUS}/smt/control")
    return better(what, now, gains, _switch(second, 0))


def _offline(patient: Patient) -> Finding:
    what, gains = "offline cores", "cores that are on can be lanes"
    offline = patient.lists.offline
    if offline is None:
        return unknown(what, gains)
    second = {sibling for core in patient.cores if core.number in set(patient.lanes) for sibling in core.siblings[1:]}
    if not set(offline) - second:
        return good(what, ranges(offline), gains)
    return better(what, ranges(offline), gains, _switch(offline, 1))


def _isolated(patient: Patient) -> Finding:
    what, gains = "isolated cores", "no other program runs on the lanes"
    isolated, online = patient.lists.isolated, patient.lists.online
    if isolated is None or online is None:
        return unknown(what, gains)
    if out := set(isolated) - patient.allowed:
        told = f"may run on isolated cores {ranges(out)}, which serve only who asks for them"
        return better(what, f"{ranges(isolated)}, not used", told, f"taskset -c {ranges(online)} cotenant run CREW")
    free = _spared(patient)
    if not free or set(isolated) & set(patient.lanes):
        return good(what, ranges(isolated), gains if isolated else "one lane must be left to the system")
    return better(what, ranges(isolated), gains, _at_boot(f"isolcpus=managed_irq,domain,{ranges(free)}"))


def _tickless(patient: Patient) -> Finding:
    what, gains = "timer ticks", "a lane is not interrupted by the timer while one thread runs on it"
    if patient.lists.tickless is None:
        return unknown(what, gains, "nohz_full is not shown")
    spared = _spared(patient)
    if set(patient.lists.tickless) & set(patient.lanes) or not spared:
        return good(what, f"silent on {ranges(patient.lists.tickless)}", gains)
    cores = ranges(spared)
    return better(what, "on every lane", gains, _at_boot(f"nohz_full={cores} rcu_nocbs={cores}"))


def _stolen(patient: Patient) -> Finding:
    what, gains = "stolen time", "a hypervisor gives no CPU time of this machine to others"
    share = occupancy.stolen(patient.root)
    if share is None:
        return unknown(what, gains)
    now = f"{share:.1%} of CPU time since the start"
    if share < _SLIGHT:
        return good(what, now, gains)
    command = "virsh vcpupin DOMAIN VCPU CORE  # on the host, for each virtual CPU; in a cloud: a machine with cores of its own"
    return (better if share < _HEAVY else bad)(what, now, gains, command)


def _load(patient: Patient) -> Finding:
    what, gains = "load", "the cores are left to cotenant while it profiles and serves"
    load, lanes = occupancy.load(patient.root), max(len(patient.lanes), 1)
    if load is None:
        return unknown(what, gains)
    now = f"{load:.3g} threads in the last minute, for {lanes} lanes"
    if load < _HEAVY * lanes:
        return good(what, now, gains)
    return (better if load < lanes else bad)(what, now, gains, _SHOW)


def _spared(patient: Patient) -> tuple[int, ...]:
    """List the lanes but the first, which is left to the system."""
    return patient.lanes[1:]


def _switch(cores: set[int] | tuple[int, ...], state: int) -> str:
    numbers = " ".join(str(core) for core in sorted(cores))
    return f"for core in {numbers}; do echo {state} | sudo tee {_CPUS}/cpu$core/online; done"


def _at_boot(parameters: str) -> str:
    return f'sudo grubby --update-kernel=ALL --args="{parameters}"  # or in the boot loader\'s own file; then start again'
