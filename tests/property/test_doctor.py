"""Whatever the kernel's files hold, a diagnosis comes out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.backend.kernel_file import numbers, whole
from cotenant.backend.permits import Permits
from cotenant.backend.scheduling import SchedulingClass
from cotenant.study.doctor import Verdict
from cotenant.study.doctor.patient import ranges
from tests.doctor_cases import BOARD, CORES, diagnosed
from tests.unit.test_machine import V1, V2

FOLDER = object()
JOBS = "sys/fs/cgroup/cpu,cpuacct/jobs"
NAMES = sorted((
    *BOARD, f"{JOBS}/cpu.rt_runtime_us", f"{JOBS}/cpu.cfs_quota_us", f"{JOBS}/cpu.cfs_period_us", f"{JOBS}/cpu.stat",
    "sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "sys/devices/platform/soc/soc:firmware/get_throttled",
    "sys/devices/system/cpu/intel_pstate/no_turbo", "sys/devices/system/cpu/smt/control", "sys/devices/cpu_atom/cpus", ".dockerenv",
))  # fmt: skip
V1_MOUNTS, V1_GROUPS = f"{V2}\n{V1}", "4:cpu,cpuacct:/jobs\n5:memory:/jobs\n0::/app"
ODD = (
    "", "0", "-1", "1", "max", "unlimited", "nan", "inf", "1e999", "9" * 30, "9" * 5000, "-" + "9" * 5000, "0-99999999999", "3-1", "(null)",
    "0::/../..", "a b - cgroup2 c rw", "36 25 0:31 / /sys\0fs rw - cgroup2 c rw", "processor: 99999999999999999999", "MemTotal: 0 kB",
    f"MemTotal: {'9' * 400} kB\nMemAvailable: 1 kB", f"cpu {'9' * 400} 0 0 0 0 0 0 0", "cpu 0 0 0 0 0 0 0 0", "Max realtime priority x",
    V1_MOUNTS, V1_GROUPS, "0 0", "100000 0", "-5 100000", f"{2**63} 1", "nr_periods x",
    "nr_periods 5\nnr_throttled -3", "0x10", "[", "[]",
)  # fmt: skip
TEXTS = st.one_of(st.none(), st.just(FOLDER), st.sampled_from(ODD), st.text(max_size=40), st.binary(max_size=40))
FILES = st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=16)
PERMITS = st.builds(
    Permits,
    own=st.sampled_from(SchedulingClass), niceness=st.integers(-20, 19), behind=st.sampled_from(SchedulingClass), nice=st.booleans(),
    back=st.booleans(), urgent=st.booleans(), huge_pages=st.booleans(),
)  # fmt: skip


def planted(root: Path, changes: Mapping[str, object]) -> Path:
    for name, text in {**BOARD, **changes}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is FOLDER:
            path.mkdir()
        elif text is not None:
            path.write_bytes(text if isinstance(text, bytes) else str(text).encode())
    return root


@given(changes=FILES, permits=PERMITS, allowed=st.sets(st.integers(0, 6), max_size=4))
def test_no_content_of_any_file_makes_a_diagnosis_fail(changes: Mapping[str, object], permits: Permits, allowed: set[int]) -> None:
    with TemporaryDirectory() as folder:
        found = diagnosed(planted(Path(folder), changes), permits, allowed or CORES)
    assert json.loads(json.dumps(found.tree, allow_nan=False)) == found.tree
    assert found.preemption.endswith(".")
    for finding in found.findings:
        assert finding.now, finding
        assert finding.gains, finding
        assert "\n" not in finding.what + finding.now + finding.command, finding
        assert bool(finding.command) == (finding.verdict in (Verdict.COULD_BE_BETTER, Verdict.BAD)), finding


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize(
    "kept",
    [{}, {"proc/self/cgroup": V1_GROUPS}, {"proc/self/cgroup": V1_GROUPS, "proc/self/mountinfo": V1_MOUNTS}],
    ids=["every file", "but the groups", "but the mounts"],
)
def test_nor_does_the_same_odd_content_of_every_file(tmp_path: Path, text: str, kept: Mapping[str, object]) -> None:
    assert diagnosed(planted(tmp_path, {**dict.fromkeys(NAMES, text), **kept})).findings


@given(cores=st.sets(st.integers(0, 300)))
def test_cores_written_as_ranges_are_read_back(cores: set[int]) -> None:
    assert numbers(ranges(cores)) == tuple(sorted(cores))


@given(number=st.integers())
def test_a_number_is_read_where_64_bits_hold_it(number: int) -> None:
    assert whole(f" {number} ") == (number if abs(number) < 2**64 else None)
