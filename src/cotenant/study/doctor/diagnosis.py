"""All findings of a machine, and how it will preempt."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cotenant.backend import privileges
from cotenant.backend.corelists import core_lists
from cotenant.backend.cpuinfo import read_cores
from cotenant.backend.machine import discover
from cotenant.backend.permits import Permits, tried
from cotenant.backend.scheduling import SchedulingClass
from cotenant.describe import Preemption
from cotenant.study.doctor import classes, clocks, cores, engines, groups, memory
from cotenant.study.doctor.finding import Finding, Verdict
from cotenant.study.doctor.patient import Patient

_SECTIONS = (classes, clocks, groups, cores, memory, engines)
_ROOT = Path("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Hold what was found of a machine; `preemption` says in a sentence how rank 0 will interrupt the rest."""

    machine: str
    preemption: str
    findings: tuple[Finding, ...]

    @property
    def tally(self) -> str:
        """Count in a line what could be better."""
        counts = Counter(finding.verdict for finding in self.findings)
        improvable = counts[Verdict.COULD_BE_BETTER] + counts[Verdict.BAD]
        total, bad, unknown = len(self.findings), counts[Verdict.BAD], counts[Verdict.UNKNOWN]
        return f"{improvable} of {total} findings could be better, {bad} of them bad; {unknown} unknown"

    @property
    def commands(self) -> dict[str, tuple[str, ...]]:
        """Map each command to what it would make better, in the order of the findings."""
        wanted = dict.fromkeys(finding.command for finding in self.findings if finding.command)
        return {command: tuple(f.what for f in self.findings if f.command == command) for command in wanted}

    @property
    def tree(self) -> dict[str, Any]:
        """Return what `doctor --json` prints."""
        found = [{"what": f.what, "now": f.now, "verdict": f.verdict.value, "gains": f.gains, "command": f.command} for f in self.findings]
        return {"machine": self.machine, "preemption": self.preemption, "findings": found}


def diagnose(root: Path = _ROOT, allowed: Iterable[int] | None = None, permits: Permits | None = None) -> Diagnosis:
    """Look at everything under `root`, as the calling thread may use it; change nothing, and raise for no content of any file."""
    patient = _patient(root, frozenset(_affinity() if allowed is None else allowed), permits or tried())
    return Diagnosis(
        machine=" ".join(patient.platform.name.split()),
        preemption=preemption(patient),
        findings=tuple(finding for section in _SECTIONS for finding in section.findings(patient)),
    )


def preemption(patient: Patient) -> str:
    """Say how rank 0 interrupts the rest here, as the platform was discovered."""
    if not any(processor.preemption is Preemption.CLASS for processor in patient.platform.processors):
        return "No class gives way to another here, so ranks are asked between segments, and rank 0 waits for the one that runs."
    behind = "at nice 19" if patient.permits.behind is SchedulingClass.NICE else "under SCHED_IDLE"
    urgent = (
        "under SCHED_FIFO where its demand is known and fits, else at normal priority"
        if patient.permits.urgent
        else "at normal priority (SCHED_FIFO is refused)"
    )
    return f"The operating system preempts by class: rank 0 runs {urgent}, and interrupts all other ranks, which run {behind}."


def _patient(root: Path, allowed: frozenset[int], permits: Permits) -> Patient:
    return Patient(
        root=root,
        platform=discover(root, allowed),
        allowed=allowed,
        cores=read_cores(root, also=allowed),
        lists=core_lists(root),
        permits=permits,
        contained=privileges.contained(root),
    )


def _affinity() -> Iterable[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return range(os.cpu_count() or 1)
