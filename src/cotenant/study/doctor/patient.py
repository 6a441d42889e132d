"""The machine that is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cotenant.backend.corelists import CoreLists
from cotenant.backend.cpuinfo import Core
from cotenant.backend.permits import Permits
from cotenant.describe import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Hold what several findings look at; `root` is where the kernel's files are, `allowed` the cores that may be used."""

    root: Path
    platform: Platform
    allowed: frozenset[int]
    cores: tuple[Core, ...]
    lists: CoreLists
    permits: Permits
    contained: bool

    @property
    def lanes(self) -> tuple[int, ...]:
        """List the cores that are lanes, in ascending order."""
        return tuple(sorted(core for processor in self.platform.processors for core in processor.cores))

    def shown(self, file: Path) -> str:
        """Write a file's path as a command on the machine itself needs it."""
        return f"/{file.relative_to(self.root)}"


def ranges(cores: Iterable[int]) -> str:
    """Write cores as the kernel does: 0-2,8; `none` for none."""
    parts: list[list[int]] = []
    for core in sorted(set(cores)):
        if parts and core == parts[-1][1] + 1:
            parts[-1][1] = core
        else:
            parts.append([core, core])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in parts) or "none"


def size(amount_bytes: float) -> str:
    """Write bytes in the greatest unit of which there is one."""
    for unit, least in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if amount_bytes >= least:
            return f"{amount_bytes / least:.3g} {unit}"
    return f"{amount_bytes:.0f} bytes"
