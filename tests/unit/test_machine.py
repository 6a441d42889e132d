from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from cotenant.backend import cgroup, scheduling
from cotenant.backend.cpuinfo import microarchitecture, parse
from cotenant.backend.kernel_file import numbers, read, read_number
from cotenant.backend.machine import discover
from cotenant.describe import Platform, Preemption

GIB = 2**30
XEON = "vendor_id: GenuineIntel\ncpu family: 6\nmodel: 143\nmodel name: Intel(R) Xeon(R)\nflags: fpu amx_bf16"
CORE_I = XEON.replace("143", "183")
A55 = "CPU implementer: 0x41\nCPU part: 0xd05\nFeatures: fp asimd"
A76 = "CPU implementer: 0x41\nCPU part: 0xd0b\nFeatures: fp asimd"
V2 = "36 25 0:31 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw"
V1 = (
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
)


def plant(root: Path, files: Mapping[str, object]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def cpuinfo(stanzas: list[str]) -> str:
    return "\n\n".join(f"processor\t: {index}\n{stanza}" for index, stanza in enumerate(stanzas))


def machine(root: Path, stanzas: list[str], memory_gib: int = 8, **per_core: Sequence[object]) -> Path:
    """Plant a machine; `per_core` gives a file of each core, its path's slashes written as two underscores."""
    files: dict[str, object] = {
        "proc/cpuinfo": cpuinfo(stanzas),
        "proc/meminfo": f"MemTotal:  {memory_gib * GIB // 1024} kB\nMemFree: 1 kB",
    }
    for name, values in per_core.items():
        files |= {f"sys/devices/system/cpu/cpu{core}/{name.replace('__', '/')}": value for core, value in enumerate(values)}
    return plant(root, files)


def lanes(platform: Platform) -> dict[str, tuple[int, ...]]:
    return {processor.name: processor.cores for processor in platform.processors}


def kinds(platform: Platform) -> list[str]:
    return [processor.kind for processor in platform.processors]


def test_equal_cores_are_one_processor(tmp_path: Path) -> None:
    platform = discover(machine(tmp_path, [XEON] * 3), allowed=range(3))
    assert platform.name == "Intel(R) Xeon(R)"
    assert lanes(platform) == {"cpu": (0, 1, 2)}
    assert kinds(platform) == ["intel-6-143"]
    assert [(m.name, m.capacity_bytes, m.bandwidth_bytes_per_s) for m in platform.memories] == [("dram", 8 * GIB, None)]


def test_this_machine_has_the_cores_that_the_caller_may_use() -> None:
    platform = discover()
    assert platform.lanes >= 1
    if hasattr(os, "sched_getaffinity"):
        assert {core for p in platform.processors for core in p.cores} <= os.sched_getaffinity(0)
    assert platform.fingerprint == discover().fingerprint


def test_a_big_and_a_little_cluster_are_told_apart_though_big_cores_differ_by_a_few_per_cent(tmp_path: Path) -> None:
    root = machine(
        tmp_path, [A55] * 4 + [A76] * 4,
        cpu_capacity=[530] * 4 + [1012, 1012, 1024, 1024],
        cpufreq__cpuinfo_max_freq=[1800000] * 4 + [2304000, 2304000, 2352000, 2352000],
    )  # fmt: skip
    plant(root, {"proc/device-tree/model": "Orange Pi 5\0"})
    platform = discover(root, allowed=range(8))
    assert platform.name == "Orange Pi 5"
    assert {name: set(cores) for name, cores in lanes(platform).items()} == {"cpu-big": {4, 5, 6, 7}, "cpu-little": {0, 1, 2, 3}}
    assert kinds(platform) == ["cortex-a76", "cortex-a55"]


def test_three_clusters_of_which_two_are_of_one_kind_have_three_names_and_kinds(tmp_path: Path) -> None:
    khz = [1800000, 2400000, 3000000]
    platform = discover(machine(tmp_path, [A55, A76, A76], cpufreq__cpuinfo_max_freq=khz), allowed=range(3))
    assert lanes(platform) == {"cpu-big": (2,), "cpu-middle": (1,), "cpu-little": (0,)}
    assert kinds(platform) == ["cortex-a76-3000000", "cortex-a76-2400000", "cortex-a55"]


def test_more_clusters_are_numbered(tmp_path: Path) -> None:
    khz = [4000000, 3000000, 2000000, 1000000]
    platform = discover(machine(tmp_path, [XEON] * 4, cpufreq__cpuinfo_max_freq=khz), allowed=range(4))
    assert lanes(platform) == {"cpu-0": (0,), "cpu-1": (1,), "cpu-2": (2,), "cpu-3": (3,)}


def test_threads_of_one_physical_core_are_one_lane_and_hybrid_cores_are_two_kinds(tmp_path: Path) -> None:
    root = machine(
        tmp_path, [CORE_I] * 6,
        topology__thread_siblings_list=["0-1", "0-1", "2-3", "2,3", "4", "5"],
        cpufreq__cpuinfo_max_freq=[5800000, 5800000, 5500000, 5500000, 4300000, 4300000],
    )  # fmt: skip
    plant(root, {"sys/devices/cpu_core/cpus": "0-3", "sys/devices/cpu_atom/cpus": "4-5"})
    assert lanes(discover(root, allowed=range(6))) == {"cpu-big": (0, 2), "cpu-little": (4, 5)}
    assert kinds(discover(root, allowed=range(6))) == ["intel-6-183-core", "intel-6-183-atom"]
    assert lanes(discover(root, allowed={1, 2, 3})) == {"cpu": (1, 2)}


def test_only_permitted_cores_are_lanes_and_the_fingerprint_does_not_care(tmp_path: Path) -> None:
    root = machine(tmp_path, [A55] * 4 + [A76] * 2)
    whole, part = discover(root, allowed=range(6)), discover(root, allowed={1, 3})
    assert lanes(part) == {"cpu": (1, 3)}
    assert kinds(part) == ["cortex-a55"]
    assert part.fingerprint == whole.fingerprint


def test_another_model_flag_or_frequency_is_another_fingerprint(tmp_path: Path) -> None:
    made = [
        machine(tmp_path / "a", [XEON] * 2),
        machine(tmp_path / "b", [XEON.replace("Xeon", "Atom")] * 2),
        machine(tmp_path / "c", [XEON.replace("amx_bf16", "avx2")] * 2),
        machine(tmp_path / "d", [XEON] * 2, cpufreq__cpuinfo_max_freq=[3000000] * 2),
        machine(tmp_path / "e", [XEON] * 2, memory_gib=16),
    ]
    assert len({discover(root, allowed=range(2)).fingerprint for root in made}) == len(made)


def test_a_container_that_renumbers_cpuinfo_still_gets_its_cores(tmp_path: Path) -> None:
    platform = discover(machine(tmp_path, [XEON] * 2), allowed={6, 9})
    assert lanes(platform) == {"cpu": (6, 9)}
    assert kinds(platform) == ["intel-6-143"]


def test_without_any_file_of_the_kernel_there_is_still_a_platform(tmp_path: Path) -> None:
    platform = discover(tmp_path, allowed={0})
    assert lanes(platform) == {"cpu": (0,)}
    assert platform.processors[0].kind
    assert platform.memories[0].capacity_bytes > 0


def test_where_no_class_yields_to_another_only_segments_can_be_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    root = machine(tmp_path, [XEON])
    if scheduling.permitted() is not scheduling.SchedulingClass.NORMAL:
        assert discover(root, allowed={0}).processors[0].preemption is Preemption.CLASS
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "setpriority", refuse)
    assert discover(root, allowed={0}).processors[0].preemption is Preemption.SEGMENT


@pytest.mark.parametrize(("quota", "expected"), [(50_000, 1), (100_000, 1), (199_999, 1), (250_000, 2), (900_000, 4)])
def test_a_quota_is_rounded_down_but_leaves_a_lane(tmp_path: Path, quota: int, expected: int) -> None:
    root = machine(tmp_path, [XEON] * 4)
    plant(root, {"proc/self/mountinfo": V2, "proc/self/cgroup": "0::/app", "sys/fs/cgroup/app/cpu.max": f"{quota} 100000"})
    assert discover(root, allowed=range(4)).processors[0].cores == tuple(range(expected))


def test_a_quota_leaves_the_fastest_cores(tmp_path: Path) -> None:
    root = machine(tmp_path, [A55] * 2 + [A76] * 2, cpu_capacity=[400, 400, 1024, 1024])
    plant(root, {"proc/self/mountinfo": V2, "proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "300000 100000"})
    assert lanes(discover(root, allowed=range(4))) == {"cpu-big": (2, 3), "cpu-little": (0,)}
    assert lanes(discover(root, allowed={0, 1, 3})) == {"cpu-big": (3,), "cpu-little": (0, 1)}


def test_the_strictest_group_on_the_way_up_decides_in_version_2(tmp_path: Path) -> None:
    root = plant(tmp_path, {
        "proc/self/mountinfo": V2,
        "proc/self/cgroup": "0::/a/b/c",
        "sys/fs/cgroup/a/cpu.max": "150000 50000",
        "sys/fs/cgroup/a/b/cpu.max": "120000 60000",
        "sys/fs/cgroup/a/b/c/cpu.max": "max 100000",
        "sys/fs/cgroup/a/memory.max": 3 * GIB,
        "sys/fs/cgroup/a/b/memory.max": "max",
        "sys/fs/cgroup/a/b/c/memory.max": 5 * GIB,
        "sys/fs/cgroup/other/cpu.max": "1 100000",
    })  # fmt: skip
    assert cgroup.cpus(root) == 2.0
    assert cgroup.memory_bytes(root) == 3 * GIB


def test_version_1_counts_quota_over_period_and_its_own_memory_limit(tmp_path: Path) -> None:
    root = machine(tmp_path, [XEON] * 8)
    plant(root, {
        "proc/self/mountinfo": V1,
        "proc/self/cgroup": "5:memory:/jobs\n4:cpu,cpuacct:/jobs/one\n0::/",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": -1,
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": 100000,
        "sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us": 60000,
        "sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us": 10000,
        "sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_quota_us": 30000,
        "sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_period_us": 10000,
        "sys/fs/cgroup/memory/memory.limit_in_bytes": 9223372036854771712,
        "sys/fs/cgroup/memory/jobs/memory.limit_in_bytes": 2 * GIB,
    })  # fmt: skip
    assert cgroup.cpus(root) == 3.0
    platform = discover(root, allowed=range(8))
    assert platform.lanes == 3
    assert platform.memories[0].capacity_bytes == 2 * GIB


def test_a_limit_beyond_the_memory_there_is_does_not_add_any(tmp_path: Path) -> None:
    root = machine(tmp_path, [XEON])
    plant(root, {"proc/self/mountinfo": V2, "proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": 64 * GIB})
    assert discover(root, allowed={0}).memories[0].capacity_bytes == 8 * GIB


@pytest.mark.parametrize("top", ["/docker/abc", "/"])
def test_a_group_mounted_as_the_root_of_a_container_is_found(tmp_path: Path, top: str) -> None:
    group = "/docker/abc" if top != "/" else "/../../outside"
    root = plant(tmp_path, {
        "proc/self/mountinfo": f"36 25 0:31 {top} /sys/fs/cgroup rw shared:9 - cgroup2 cgroup rw",
        "proc/self/cgroup": f"0::{group}",
        "sys/fs/cgroup/cpu.max": "150000 100000",
    })  # fmt: skip
    assert cgroup.cpus(root) == 1.5


@pytest.mark.parametrize("text", ["", "max 100000", "-1 100000", "100000", "x y", "100000 0"])
def test_what_is_no_quota_limits_nothing(tmp_path: Path, text: str) -> None:
    plant(tmp_path, {"proc/self/mountinfo": V2, "proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": text})
    assert cgroup.cpus(tmp_path) is None


def test_without_groups_nothing_is_limited(tmp_path: Path) -> None:
    assert cgroup.cpus(tmp_path) is None
    assert cgroup.memory_bytes(tmp_path) is None


@pytest.mark.parametrize(
    ("stanza", "expected"),
    [
        ({"vendor_id": "AuthenticAMD", "cpu family": "25", "model": "97"}, "amd-25-97"),
        ({"CPU implementer": "0x41", "CPU part": "0xd0b"}, "cortex-a76"),
        ({"CPU implementer": "0x51", "CPU part": "0xd0b"}, "arm-0x51-0xd0b"),
        ({"uarch": "sifive,u74-mc"}, "sifive,u74-mc"),
    ],
)
def test_a_microarchitecture_is_named_by_what_the_kernel_says(stanza: dict[str, str], expected: str) -> None:
    assert microarchitecture(stanza) == expected


def test_what_is_no_processor_in_cpuinfo_is_passed_over() -> None:
    found = parse(f"processor\t: 0\n{A55}\n\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi\n\nProcessor: ARMv7")
    assert list(found) == [0]
    assert found[0]["CPU part"] == "0xd05"


def test_files_that_cannot_be_read_are_empty(tmp_path: Path) -> None:
    assert not read(tmp_path / "missing")
    assert read_number(tmp_path) is None
    assert numbers("0-2,8") == (0, 1, 2, 8)
    assert numbers("none") == numbers("") == ()
