"""Scheduling classes: who may go before whom."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from cotenant.backend import cgroup, privileges
from cotenant.backend.scheduling import SchedulingClass
from cotenant.live.allowance import SHARE
from cotenant.study.doctor.finding import Finding, bad, better, good, unknown
from cotenant.study.doctor.patient import Patient

REALTIME: Final = "Max realtime priority"
NICE: Final = "Max nice priority"
_NORMAL_NICE: Final = 20  # RLIMIT_NICE counts from 20 (niceness 0) upward to 40 (niceness -20)
_LIMITS: Final = "/etc/security/limits.d/90-cotenant.conf"
_NET: Final = "sudo sysctl -w kernel.sched_rt_period_us=1000000 kernel.sched_rt_runtime_us=950000"
_YIELDS: Final = "rank 0 would no longer give way to other programs"
_UNFILTERED: Final = "docker run --security-opt seccomp=unconfined IMAGE"


def findings(patient: Patient) -> Iterator[Finding]:
    """Say which classes are permitted, and what stands in the way of those that are not."""
    yield _own(patient)
    yield _idle(patient)
    yield _nice(patient)
    yield _back(patient)
    yield _fifo(patient)
    yield _privileges(patient)
    yield _share(patient)
    yield _group(patient)


def grant_realtime(patient: Patient) -> str:
    """Return the command that permits SCHED_FIFO, by what stands in its way."""
    group = cgroup.realtime_us(patient.root)
    if group is not None and not group.allowed:
        return f"echo 950000 | sudo tee {patient.shown(group.file)}"
    if _is_privileged(patient):
        return _lift_filter(patient, "RestrictRealtime=no")
    return _grant(patient, REALTIME, 1, "ulimit -r 1", "rtprio 1", "rtprio=1")


def _own(patient: Patient) -> Finding:
    what, gains = "own class", "rank 0 runs in the class in which cotenant was started"
    own, niceness = patient.permits.own, patient.permits.niceness
    if own is SchedulingClass.IDLE:
        return bad(what, "SCHED_IDLE", _YIELDS, "sudo chrt --other -p 0 $$  # of the shell that starts cotenant")
    if niceness > 0:
        return bad(what, f"nice {niceness}", _YIELDS, "sudo renice -n 0 -p $$  # of the shell that starts cotenant")
    return good(what, "real-time" if own is SchedulingClass.REALTIME else f"normal, nice {niceness}", gains)


def _idle(patient: Patient) -> Finding:
    what, gains = "SCHED_IDLE", "ranks below 0 give way to rank 0 within microseconds"
    match patient.permits.behind:
        case SchedulingClass.IDLE:
            return good(what, "permitted", gains)
        case SchedulingClass.NICE:
            return better(what, "refused", f"{gains}; nice 19 leaves them a small share", _lift_filter(patient, "SystemCallFilter="))
        case _:
            return bad(what, "refused", f"{gains}; now rank 0 waits for segments", _lift_filter(patient, "SystemCallFilter="))


def _nice(patient: Patient) -> Finding:
    what, gains = "nice 19", "stands in where SCHED_IDLE is refused"
    if patient.permits.nice:
        return good(what, "permitted", gains)
    if patient.permits.behind is SchedulingClass.IDLE:
        return good(what, "refused", "not needed: SCHED_IDLE is permitted")
    return bad(what, "refused", gains, _lift_filter(patient, "SystemCallFilter="))


def _back(patient: Patient) -> Finding:
    what, gains = "way back", "a thread that was put behind can come forward again when ranks change"
    if patient.permits.back:
        return good(what, "permitted", gains)
    if patient.permits.behind is SchedulingClass.NORMAL:
        return good(what, "not needed", "no thread can be put behind")
    told = "refused: a lane needs a thread for each class"
    return better(what, told, gains, _grant(patient, NICE, _NORMAL_NICE, "ulimit -e 20", "nice 0", "nice=20"))


def _fifo(patient: Patient) -> Finding:
    what, gains = "SCHED_FIFO", "rank 0 waits for no other thread; its slowest requests gain about 4 ms"
    if patient.permits.urgent:
        return good(what, "permitted", gains)
    return better(what, f"refused: {_reason(patient)}", gains, grant_realtime(patient))


def _reason(patient: Patient) -> str:
    group = cgroup.realtime_us(patient.root)
    if group is not None and not group.allowed:
        return "the control group has no real-time share"
    if _is_privileged(patient):
        return "by a filter, for there is the privilege"
    return "no CAP_SYS_NICE, and no RLIMIT_RTPRIO"


def _privileges(patient: Patient) -> Finding:
    what, gains = "privileges", "either gives SCHED_FIFO; CAP_SYS_NICE the way back as well"
    capable, realtime = privileges.may_schedule(patient.root), privileges.limit(patient.root, REALTIME)
    if capable is None and realtime is None:
        return unknown(what, gains)
    held = {True: "held", False: "not held", None: "unknown"}[capable]
    now = f"CAP_SYS_NICE {held}, RLIMIT_RTPRIO {_told(realtime)}"
    if _is_privileged(patient) or patient.permits.urgent:
        return good(what, now, gains)
    return better(what, now, gains, _grant(patient, REALTIME, 1, "ulimit -r 1", "rtprio 1", "rtprio=1"))


def _share(patient: Patient) -> Finding:
    what, gains = "real-time throttling", f"real-time threads get their share; cotenant takes {SHARE:.0%} of a core at most"
    share = privileges.realtime_share(patient.root)
    if share is None:
        return unknown(what, gains)
    if share >= 1:
        return better(what, "none", "a thread of rank 0 that never ends would not keep its core for ever", _NET)
    if share >= SHARE:
        return good(what, f"above {share:.0%} of each core", gains)
    return (better if share else bad)(what, f"above {share:.0%} of each core", f"rank 0 is not stopped below {SHARE:.0%}", _NET)


def _group(patient: Patient) -> Finding:
    what, gains = "real-time group", "a control group of version 1 without a share forbids SCHED_FIFO"
    found = cgroup.realtime_us(patient.root)
    if found is None and not cgroup.shown(patient.root):
        return unknown(what, gains)
    if found is None:
        return good(what, "no share is set", gains)
    now = f"{found.allowed / 1000:g} ms of each period"
    return good(what, now, gains) if found.allowed else better(what, now, gains, grant_realtime(patient))


def _told(limit: privileges.Limit | None) -> str:
    if limit is None:
        return "unknown"
    return "unlimited" if math.isinf(limit.soft) else f"{limit.soft:.0f}"


def _is_privileged(patient: Patient) -> bool:
    realtime = privileges.limit(patient.root, REALTIME)
    return bool(privileges.may_schedule(patient.root)) or (realtime is not None and realtime.soft >= 1)


def _grant(patient: Patient, limit: str, least: int, shell: str, item: str, docker: str) -> str:
    found = privileges.limit(patient.root, limit)
    if found is not None and found.hard >= least:
        return shell
    if patient.contained:
        return f"docker run --cap-add SYS_NICE --ulimit {docker} IMAGE"
    return f'echo "$USER - {item}" | sudo tee -a {_LIMITS}  # then log in again'


def _lift_filter(patient: Patient, setting: str) -> str:
    return _UNFILTERED if patient.contained else f"sudo systemctl edit UNIT  # in [Service]: {setting}"
