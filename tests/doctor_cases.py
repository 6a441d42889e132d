"""A board on which nothing is to be gained, as files; tests spoil one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from cotenant.backend.permits import Permits
from cotenant.backend.scheduling import SchedulingClass
from cotenant.study.doctor import Diagnosis, Finding, diagnose
from tests.unit.test_machine import A76, V2, cpuinfo, plant

GIB = 2**30
CORES = range(4)
CPU = "sys/devices/system/cpu"
GROUP = "sys/fs/cgroup/app"
ALL_PERMITTED = Permits(
    own=SchedulingClass.NORMAL, niceness=0, behind=SchedulingClass.IDLE, nice=True, back=True, urgent=True, huge_pages=True
)  # fmt: skip
LIMITS = "\n".join((
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max locked memory         unlimited            unlimited            bytes     ",
    "Max nice priority         {nice}               {nice}                         ",
    "Max realtime priority     {soft}               {hard}                         ",
))  # fmt: skip
MEMORY = "MemTotal: {total} kB\nMemFree: 1 kB\nMemAvailable: {available} kB\nSwapTotal: {swap} kB\nSwapFree: {free} kB"
KIB = 1024


def limits(*, soft: object = 99, hard: object = 99, nice: object = 40) -> str:
    return LIMITS.format(soft=soft, hard=hard, nice=nice)


def meminfo(*, total: int = 8 * GIB, available: int = 6 * GIB, swap: int = 0, free: int = 0) -> str:
    return MEMORY.format(total=total // KIB, available=available // KIB, swap=swap // KIB, free=free // KIB)


def capabilities(mask: int) -> str:
    return f"Name:\tpython\nCapPrm:\t{mask:016x}\nCapEff:\t{mask:016x}"


def each_core(name: str, value: object, cores: Iterable[int] = CORES) -> dict[str, object]:
    return {f"{CPU}/cpu{core}/{name}": value for core in cores}


def _clock() -> dict[str, object]:
    told = {
        "scaling_governor": "performance", "scaling_available_governors": "schedutil performance", "scaling_cur_freq": 2400000,
        "cpuinfo_min_freq": 600000, "scaling_max_freq": 2400000, "cpuinfo_max_freq": 2400000,
    }  # fmt: skip
    return {file: value for name, told_value in told.items() for file, value in each_core(f"cpufreq/{name}", told_value).items()}


BOARD: Mapping[str, object] = {
    "proc/cpuinfo": cpuinfo([A76] * 4),
    "proc/meminfo": meminfo(),
    "proc/loadavg": "0.10 0.20 0.30 1/200 4242",
    "proc/stat": "cpu  1000 0 100 9000 10 0 5 0 0 0\ncpu0 250 0 25 2250 2 0 1 0 0 0",
    "proc/self/cgroup": "0::/app",
    "proc/self/mountinfo": V2,
    "proc/self/limits": limits(),
    "proc/self/status": capabilities(0),
    "proc/sys/kernel/osrelease": "6.8.0-1010-raspi",
    "proc/sys/kernel/sched_rt_runtime_us": 950000,
    "proc/sys/kernel/sched_rt_period_us": 1000000,
    "proc/sys/vm/overcommit_memory": 0,
    "proc/device-tree/model": "A Board\0",
    f"{CPU}/online": "0-3",
    f"{CPU}/offline": "",
    f"{CPU}/present": "0-3",
    f"{CPU}/isolated": "1-3",
    f"{CPU}/nohz_full": "1-3",
    f"{CPU}/cpufreq/boost": 1,
    **_clock(),
    **each_core("thermal_throttle/core_throttle_count", 0),
    **each_core("thermal_throttle/package_throttle_count", 0),
    **{f"{CPU}/cpu{core}/topology/thread_siblings_list": core for core in CORES},
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": 45_000,
    "sys/class/thermal/thermal_zone0/trip_point_0_type": "active",
    "sys/class/thermal/thermal_zone0/trip_point_0_temp": 40_000,
    "sys/class/thermal/thermal_zone0/trip_point_1_type": "passive",
    "sys/class/thermal/thermal_zone0/trip_point_1_temp": 85_000,
    "sys/class/thermal/cooling_device0/type": "cpufreq-cpu0",
    "sys/class/thermal/cooling_device0/cur_state": 0,
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    f"{GROUP}/cpu.max": "max 100000",
    f"{GROUP}/cpu.stat": "usage_usec 5\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0",
    f"{GROUP}/cpuset.cpus.effective": "0-3",
    f"{GROUP}/memory.max": "max",
}


def board(root: Path, files: Mapping[str, object] | None = None) -> Path:
    """Plant the board with some files changed, or left out where they are None."""
    wanted = {**BOARD, **(files or {})}
    return plant(root, {name: text for name, text in wanted.items() if text is not None})


def diagnosed(root: Path, permits: Permits = ALL_PERMITTED, allowed: Iterable[int] = CORES) -> Diagnosis:
    return diagnose(root, allowed=allowed, permits=permits)


def topic(finding: Finding) -> str:
    """Name what was looked at, without which cores or which engine."""
    return finding.what.partition(" (")[0]
