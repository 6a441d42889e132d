"""What this process is privileged to ask of the kernel."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from cotenant.backend.kernel_file import read, read_number, whole

_CAP_SYS_NICE = 23  # linux/capability.h
_MOUNT_POINT = 4  # man 5 proc_pid_mountinfo
_HOSTS = "/etc/hosts"  # Docker, Podman and Kubernetes each mount one of their own
_CONTAINER_FILES = (".dockerenv", "run/.containerenv")
_DEFAULT_PERIOD_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Hold a resource limit: `soft` holds now, and the process may raise it to `hard`; infinite where there is none."""

    soft: float
    hard: float


def limit(root: Path, name: str) -> Limit | None:
    """Read a limit of this process by the kernel's name of it, such as `Max locked memory`; None where it is not shown."""
    for line in read(root / "proc/self/limits").splitlines():
        words = line.removeprefix(name).split()
        if line.startswith(name) and len(words) >= 2:
            soft, hard = _amount(words[0]), _amount(words[1])
            return None if soft is None or hard is None else Limit(soft=soft, hard=hard)
    return None


def may_schedule(root: Path) -> bool | None:
    """Say whether this process holds CAP_SYS_NICE; None where the kernel does not tell."""
    told = re.search(r"^CapEff:\s*([0-9a-fA-F]{1,16})$", read(root / "proc/self/status"), re.MULTILINE)
    return None if told is None else bool(int(told[1], 16) >> _CAP_SYS_NICE & 1)


def realtime_share(root: Path) -> float | None:
    """Return the part in [0, 1] of a core that real-time threads may take together, 1 without a limit; None if not shown."""
    runtime_us = read_number(root / "proc/sys/kernel/sched_rt_runtime_us")
    period_us = read_number(root / "proc/sys/kernel/sched_rt_period_us") or _DEFAULT_PERIOD_US
    if runtime_us is None or period_us < 0:
        return None
    return 1.0 if runtime_us < 0 else min(1.0, runtime_us / period_us)


def contained(root: Path) -> bool:
    """Say whether this looks like the inside of a container, where limits are set from outside."""
    mounts = (line.split(" ")[_MOUNT_POINT : _MOUNT_POINT + 1] for line in read(root / "proc/self/mountinfo").splitlines())
    return [_HOSTS] in mounts or any((root / name).exists() for name in _CONTAINER_FILES)


def kernel(root: Path) -> tuple[int, int] | None:
    """Return the kernel's version, (6, 8) for 6.8.0-45-generic; None where it is not shown."""
    told = re.match(r"(\d{1,4})\.(\d{1,4})", read(root / "proc/sys/kernel/osrelease"))
    return None if told is None else (int(told[1]), int(told[2]))


def _amount(text: str) -> float | None:
    return math.inf if text == "unlimited" else whole(text)
