"""Each finding says what is, what would be gained, and by which command."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cotenant.backend import Engine, occupancy
from cotenant.backend.occupancy import Space
from cotenant.backend.permits import Permits, tried
from cotenant.backend.scheduling import SchedulingClass
from cotenant.cli.app import _end
from cotenant.cli.screen import WIDE
from cotenant.registry import Registry
from cotenant.study.doctor import Finding, Verdict, diagnose
from cotenant.study.doctor.engines import of_engines, of_extras
from cotenant.study.doctor.patient import ranges, size
from tests.doctor_cases import ALL_PERMITTED, CPU, GIB, GROUP, board, capabilities, diagnosed, each_core, limits, meminfo, topic
from tests.unit.test_machine import V1, V2, plant

Captured = pytest.CaptureFixture[str]
Files = dict[str, Any]

ROOT = Path(__file__).parents[2]
GOOD, BETTER, BAD, UNKNOWN = Verdict.GOOD, Verdict.COULD_BE_BETTER, Verdict.BAD, Verdict.UNKNOWN
INSTALLED = {"engine", "extra"}  # these are of this Python, not of the board
MACHINES_OWN = INSTALLED | {"shared memory"}
TRIED = {"own class", "SCHED_IDLE", "nice 19", "way back", "SCHED_FIFO", "huge pages"}
NO_PRIVILEGE = {"proc/self/limits": limits(soft=0, hard=0, nice=0)}
CONTAINER = {"run/.containerenv": ""}
V1_GROUPS = {"proc/self/mountinfo": f"{V2}\n{V1}", "proc/self/cgroup": "4:cpu,cpuacct:/jobs\n5:memory:/jobs\n0::/app"}
RT_GROUP = "sys/fs/cgroup/cpu,cpuacct/jobs/cpu.rt_runtime_us"
ZONE = "sys/class/thermal/thermal_zone0"
COOLING = "sys/class/thermal/cooling_device0"
THP = "sys/kernel/mm/transparent_hugepage/enabled"
REFUSED = replace(ALL_PERMITTED, urgent=False)


def found(root: Path, what: str, permits: Permits = ALL_PERMITTED, **how: Any) -> Finding:
    return next(finding for finding in diagnosed(root, permits, **how).findings if topic(finding) == what)


def test_on_a_board_that_has_everything_nothing_is_to_be_gained(tmp_path: Path) -> None:
    findings = diagnosed(board(tmp_path)).findings
    assert [f for f in findings if f.verdict is not GOOD and topic(f) not in MACHINES_OWN] == []


def test_where_the_kernel_shows_nothing_nothing_is_guessed(tmp_path: Path) -> None:
    findings = diagnosed(tmp_path).findings
    known = {topic(f) for f in findings if f.verdict is not UNKNOWN}
    assert known <= TRIED | INSTALLED | {"second threads"}
    assert all(f.now.startswith("unknown") for f in findings if f.verdict is UNKNOWN)


@pytest.mark.parametrize(
    ("files", "what", "verdict", "now", "command"),
    [
        (each_core("cpufreq/scaling_governor", "schedutil"), "governor", BETTER, "schedutil, 2400 of 600 to 2400 MHz",
         "for core in 0 1 2 3; do echo performance | sudo tee /sys/devices/system/cpu/cpu$core/cpufreq/scaling_governor; done"),
        (each_core("cpufreq/scaling_governor", "ondemand", [2]), "governor", GOOD, "performance", ""),
        (each_core("cpufreq/scaling_governor", "ondemand") | each_core("cpufreq/scaling_available_governors", "ondemand"),
         "governor", BETTER, "ondemand", "echo 2400000 | sudo tee /sys/devices/system/cpu/cpu$core/cpufreq/scaling_min_freq"),
        (each_core("cpufreq/scaling_max_freq", 1200000), "frequency limit", BETTER, "1200 of 2400 MHz", "echo 2400000"),
        ({f"{CPU}/cpufreq/boost": 0}, "turbo", BETTER, "off", "echo 1 | sudo tee /sys/devices/system/cpu/cpufreq/boost"),
        ({f"{CPU}/intel_pstate/no_turbo": 1}, "turbo", BETTER, "off", "echo 0 | sudo tee"),
        ({f"{ZONE}/temp": 81_000}, "temperature", BETTER, "81 °C at cpu-thermal, slowed from 85 °C", "#"),
        ({f"{ZONE}/temp": 85_000}, "temperature", BAD, "85 °C", "#"),
        (each_core("thermal_throttle/core_throttle_count", 3, [1]), "throttling", BETTER, "3 times", "#"),
        ({f"{COOLING}/cur_state": 2}, "slowed now", BAD, "cpufreq-cpu0", "#"),
        ({"sys/devices/platform/soc/soc:firmware/get_throttled": "50005"}, "slowed now", BAD, "under-voltage and 1 more", "#"),
        ({"sys/devices/platform/soc/soc:firmware/get_throttled": "50000"}, "slowed now", GOOD, "not now", ""),
        ({f"{GROUP}/cpu.max": "250000 100000"}, "CPU quota", BETTER, "2.5 CPUs, 0.5 too little for a lane", f"tee /{GROUP}/cpu.max"),
        ({f"{GROUP}/cpu.max": "50000 100000"}, "CPU quota", BAD, "0.5 CPUs", f"echo max | sudo tee /{GROUP}/cpu.max"),
        ({f"{GROUP}/cpu.max": "400000 100000"}, "CPU quota", GOOD, "4 CPUs", ""),
        ({f"{GROUP}/cpu.max": "200000 100000"} | CONTAINER, "CPU quota", BETTER, "2 CPUs", "docker update --cpus 4 CONTAINER"),
        ({f"{GROUP}/cpu.max": "200000 100000", f"{GROUP}/cpu.stat": "nr_periods 1000\nnr_throttled 5\nthrottled_usec 7000"},
         "throttled periods", BETTER, "5 of 1000, 7 ms in all", "echo max"),
        ({f"{GROUP}/cpu.max": "200000 100000", f"{GROUP}/cpu.stat": "nr_periods 1000\nnr_throttled 500\nthrottled_usec 7000"},
         "throttled periods", BAD, "500 of 1000", "echo max"),
        ({f"{GROUP}/cpuset.cpus.effective": "0,2"}, "cpuset", BETTER, "0,2", "AllowedCPUs=0-3"),
        ({f"{GROUP}/memory.max": 2 * GIB}, "memory limit", BETTER, "2 GiB", f"echo max | sudo tee /{GROUP}/memory.max"),
        ({f"{GROUP}/memory.max": 9 * GIB}, "memory limit", GOOD, "none below the 8 GiB", ""),
        ({f"{CPU}/present": "0-5", f"{CPU}/offline": "4-9"}, "offline cores", BETTER, "4-5", "for core in 4 5; do echo 1"),
        ({f"{CPU}/isolated": ""}, "isolated cores", BETTER, "none", "isolcpus=managed_irq,domain,1-3"),
        ({f"{CPU}/nohz_full": "(null)"}, "timer ticks", BETTER, "on every lane", "nohz_full=1-3 rcu_nocbs=1-3"),
        ({"proc/stat": "cpu 50 0 10 900 0 0 0 40 0 0"}, "stolen time", BETTER, "4.0%", "vcpupin"),
        ({"proc/stat": "cpu 50 0 10 700 0 0 0 240 0 0"}, "stolen time", BAD, "24.0%", "vcpupin"),
        ({"proc/loadavg": "1.5 1 1 1/2 3"}, "load", BETTER, "1.5 threads", "ps -eo"),
        ({"proc/loadavg": "9.0 1 1 1/2 3"}, "load", BAD, "9 threads in the last minute, for 4 lanes", "ps -eo"),
        ({"proc/meminfo": meminfo(available=GIB // 2)}, "free memory", BETTER, "512 MiB of 8 GiB", "ps -eo pid,rss"),
        ({"proc/meminfo": meminfo(available=GIB // 8)}, "free memory", BAD, "128 MiB of 8 GiB", "ps -eo pid,rss"),
        ({"proc/meminfo": meminfo(swap=GIB, free=GIB)}, "swap", GOOD, "0 bytes of 1 GiB in use", ""),
        ({"proc/meminfo": meminfo(swap=GIB, free=GIB // 4)}, "swap", BETTER, "768 MiB of 1 GiB in use", "sudo swapoff -a"),
        ({"proc/sys/vm/overcommit_memory": 2}, "overcommit", BETTER, "never", "vm.overcommit_memory=0"),
        ({"proc/sys/kernel/sched_rt_runtime_us": -1}, "real-time throttling", BETTER, "none", "sched_rt_runtime_us=950000"),
        ({"proc/sys/kernel/sched_rt_runtime_us": 500000}, "real-time throttling", BETTER, "50%", "sched_rt_runtime_us=950000"),
        ({"proc/sys/kernel/sched_rt_runtime_us": 0}, "real-time throttling", BAD, "0%", "sched_rt_runtime_us=950000"),
        (V1_GROUPS | {RT_GROUP: 0}, "real-time group", BETTER, "0 ms", f"echo 950000 | sudo tee /{RT_GROUP}"),
        (V1_GROUPS | {RT_GROUP: 950000}, "real-time group", GOOD, "950 ms", ""),
        ({"proc/sys/kernel/osrelease": "5.15.0"}, "kernel", GOOD, "Linux 5.15", ""),
    ],
)  # fmt: skip
def test_what_could_be_better_is_told_with_the_command_that_gives_it(
    tmp_path: Path, files: Files, what: str, verdict: Verdict, now: str, command: str
) -> None:
    finding = found(board(tmp_path, files), what)
    assert (finding.verdict, now in finding.now, command in finding.command) == (verdict, True, True), finding
    assert bool(finding.command) == bool(command)


@pytest.mark.parametrize(
    ("permits", "files", "what", "verdict", "command"),
    [
        ({"urgent": False}, NO_PRIVILEGE, "SCHED_FIFO", BETTER, "rtprio 1"),
        ({"urgent": False}, NO_PRIVILEGE | CONTAINER, "SCHED_FIFO", BETTER, "docker run --cap-add SYS_NICE --ulimit rtprio=1 IMAGE"),
        ({"urgent": False}, {"proc/self/limits": limits(soft=0, hard=50)}, "SCHED_FIFO", BETTER, "ulimit -r 1"),
        ({"urgent": False}, {}, "SCHED_FIFO", BETTER, "RestrictRealtime=no"),
        ({"urgent": False}, NO_PRIVILEGE | {"proc/self/status": capabilities(1 << 23)}, "SCHED_FIFO", BETTER, "RestrictRealtime=no"),
        ({"urgent": False}, NO_PRIVILEGE | {"proc/self/status": capabilities(1 << 22)}, "SCHED_FIFO", BETTER, "rtprio 1"),
        ({"urgent": False}, V1_GROUPS | {RT_GROUP: 0}, "SCHED_FIFO", BETTER, f"tee /{RT_GROUP}"),
        ({"urgent": False}, NO_PRIVILEGE, "kernel", BETTER, "rtprio 1"),
        ({"urgent": False}, NO_PRIVILEGE, "privileges", BETTER, "rtprio 1"),
        ({"back": False}, NO_PRIVILEGE, "way back", BETTER, "nice 0"),
        ({"back": False}, {"proc/self/limits": limits(nice=20)}, "way back", BETTER, "ulimit -e 20"),
        ({"behind": SchedulingClass.NICE}, {}, "SCHED_IDLE", BETTER, "systemctl edit"),
        ({"behind": SchedulingClass.NORMAL}, CONTAINER, "SCHED_IDLE", BAD, "seccomp=unconfined"),
        ({"behind": SchedulingClass.NORMAL, "nice": False}, {}, "nice 19", BAD, "systemctl edit"),
        ({"nice": False}, {}, "nice 19", GOOD, ""),
        ({"niceness": 10}, {}, "own class", BAD, "sudo renice -n 0 -p $$"),
        ({"own": SchedulingClass.IDLE}, {}, "own class", BAD, "sudo chrt --other -p 0 $$"),
        ({"huge_pages": False}, {}, "huge pages", BETTER, f"echo always | sudo tee /{THP}"),
        ({"huge_pages": False}, {THP: "[always] madvise never"}, "huge pages", GOOD, ""),
        ({"huge_pages": False}, {THP: None}, "huge pages", UNKNOWN, ""),
    ],
)
def test_what_is_refused_is_told_with_what_stands_in_its_way(
    tmp_path: Path, permits: Files, files: Files, what: str, verdict: Verdict, command: str
) -> None:
    finding = found(board(tmp_path, files), what, replace(ALL_PERMITTED, **permits))
    assert (finding.verdict, command in finding.command) == (verdict, True), finding
    assert bool(finding.command) == bool(command)


def test_cores_of_another_governor_have_a_line_of_their_own(tmp_path: Path) -> None:
    root = board(tmp_path, each_core("cpufreq/scaling_governor", "ondemand", [2, 3]))
    told = {f.what: f.verdict for f in diagnosed(root).findings if topic(f) == "governor"}
    assert told == {"governor (cores 0-1)": GOOD, "governor (cores 2-3)": BETTER}


def test_a_second_thread_is_no_lane_but_others_may_run_on_it(tmp_path: Path) -> None:
    siblings = {f"{CPU}/cpu{core}/topology/thread_siblings_list": "0,2" if core % 2 == 0 else "1,3" for core in range(4)}
    finding = found(board(tmp_path, siblings), "second threads")
    assert (finding.now, finding.verdict, "for core in 2 3; do echo 0" in finding.command) == ("2-3, left out", BETTER, True)
    finding = found(board(tmp_path, siblings | {f"{CPU}/smt/control": "on"}), "second threads")
    assert finding.command == "echo off | sudo tee /sys/devices/system/cpu/smt/control"
    switched_off = board(tmp_path, siblings | {f"{CPU}/online": "0-1", f"{CPU}/offline": "2-3"})
    assert [found(switched_off, what, allowed=[0, 1]).verdict for what in ("second threads", "offline cores")] == [GOOD, GOOD]


def test_cores_that_an_affinity_leaves_out_are_told_and_isolated_ones_apart(tmp_path: Path) -> None:
    root = board(tmp_path, {f"{CPU}/isolated": "3"})
    assert found(root, "cores", allowed=[0, 1, 2]).verdict is GOOD
    isolated = found(root, "isolated cores", allowed=[0, 1, 2])
    assert (isolated.now, isolated.command) == ("3, not used", "taskset -c 0-3 cotenant run CREW")
    cores = found(root, "cores", allowed=[0, 3])
    assert (cores.verdict, cores.gains) == (BETTER, "may run on cores 1-2 as well")


def test_a_single_lane_is_not_to_be_isolated(tmp_path: Path) -> None:
    root = board(tmp_path, {f"{CPU}/online": "0", f"{CPU}/isolated": "", f"{CPU}/nohz_full": ""})
    assert [found(root, what, allowed=[0]).verdict for what in ("isolated cores", "timer ticks")] == [GOOD, GOOD]


@pytest.mark.parametrize(
    ("space", "files", "verdict", "command"),
    [
        (Space(size_bytes=GIB, free_bytes=GIB), {}, GOOD, ""),
        (Space(size_bytes=64 << 20, free_bytes=64 << 20), CONTAINER, BETTER, "docker run --shm-size=1g IMAGE"),
        (Space(size_bytes=64 << 20, free_bytes=64 << 20), {}, BETTER, "sudo mount -o remount,size=1G /dev/shm"),
        (Space(size_bytes=2 * GIB, free_bytes=1 << 20), {}, BETTER, "ls -lS /dev/shm | head"),
    ],
)
def test_shared_memory_that_is_small_or_full_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, space: Space, files: Files, verdict: Verdict, command: str
) -> None:
    monkeypatch.setattr(occupancy, "shared_memory", lambda _: space)
    finding = found(board(tmp_path, files), "shared memory")
    assert (finding.verdict, finding.command) == (verdict, command)


def test_an_extra_whose_library_is_missing_comes_with_its_pip_command() -> None:
    told = [
        "numpy>=1.26",
        'no-such-library[fast]>=1; extra == "far"',
        'numpy; python_version > "3" and extra == "near"',
        'pytest; extra == "test"',
    ]
    missing, there = of_extras(told)
    assert (missing.what, missing.verdict, missing.now) == ("extra (far)", BETTER, "no-such-library not installed")
    assert missing.command.endswith("-m pip install 'cotenant[far]'")
    assert (there.what, there.verdict) == ("extra (near)", GOOD)


def test_engines_are_told_with_version_and_precisions() -> None:
    told = {f.what: f for f in diagnose().findings}
    assert re.match(r"\d.*: fp32", told["engine (onnxruntime)"].now)
    assert "engine (fake)" not in told


def test_an_engine_that_does_not_load_is_told_with_its_cause_and_the_others_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, {
        "some_engines/__init__.py": "",
        "some_engines/onnxruntime.py": "raise ImportError('libgomp.so.1 is missing')",
        "some_engines/openvino.py": "from cotenant.backend.fake import Fake\nopenvino = Fake(name='openvino')",
        "some_engines/theirs.py": "class Absent:\n    version = ''\ntheirs = Absent()",
    })  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[Engine] = Registry(what="engine", package="some_engines", group="no.such.group")
    broken, there, absent = of_engines(registry)
    assert (broken.verdict, "libgomp.so.1 is missing" in broken.now) == (BAD, True)
    assert broken.command.endswith("-m pip install --force-reinstall onnxruntime")
    assert (there.verdict, there.now.partition(":")[0]) == (GOOD, "1")
    assert (absent.verdict, absent.now, absent.command) == (BETTER, "not installed", "# install what the engine theirs needs")


def test_the_sentence_on_preemption_names_what_is_permitted(tmp_path: Path) -> None:
    told = diagnosed(board(tmp_path)).preemption
    assert told.startswith("The operating system preempts by class: rank 0 runs under SCHED_FIFO")
    assert told.endswith("under SCHED_IDLE.")
    told = diagnosed(tmp_path, replace(REFUSED, behind=SchedulingClass.NICE)).preemption
    assert "SCHED_FIFO is refused" in told
    assert told.endswith("at nice 19.")


def test_where_no_class_is_permitted_ranks_are_asked_between_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "setpriority", refuse)
    permits = tried()
    assert (permits.behind, permits.nice, permits.back, permits.urgent) == (SchedulingClass.NORMAL, False, False, False)
    assert "between segments" in diagnosed(board(tmp_path), permits).preemption


def comes_back() -> bool:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return os.sched_getscheduler(0) == os.SCHED_OTHER


def test_the_way_back_is_there_where_the_kernel_lets_a_thread_come_back() -> None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        assert tried().back == pool.submit(comes_back).result()


def test_trying_what_is_permitted_leaves_the_asker_as_it_was() -> None:
    before = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
    tried()
    assert (os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)) == before


def test_a_command_that_serves_several_findings_is_told_once(tmp_path: Path) -> None:
    commands = diagnosed(board(tmp_path, NO_PRIVILEGE), REFUSED).commands
    assert [whats for command, whats in commands.items() if "rtprio" in command] == [("SCHED_FIFO", "privileges", "kernel")]


def test_nothing_that_was_looked_at_is_changed(tmp_path: Path) -> None:
    root = board(tmp_path)
    before = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    diagnosed(root)
    assert {file: file.read_bytes() for file in root.rglob("*") if file.is_file()} == before


def test_the_page_has_a_row_for_every_finding(tmp_path: Path) -> None:
    listed = re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/doctor.md").read_text(), flags=re.MULTILINE)
    assert listed == list(dict.fromkeys(topic(finding) for finding in diagnosed(board(tmp_path)).findings))


def test_json_has_every_finding_of_the_table_and_the_last_line_counts_them(capsys: Captured) -> None:
    assert _end(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"machine", "preemption", "findings"}
    assert {key for finding in told["findings"] for key in finding} == {"what", "now", "verdict", "gains", "command"}
    assert {finding["verdict"] for finding in told["findings"]} <= {verdict.value for verdict in Verdict}
    assert _end(["doctor"]) == 0
    lines = capsys.readouterr().out.rstrip().splitlines()
    assert [f["what"] for f in told["findings"] if not any(line.startswith(f["what"]) for line in lines)] == []
    assert re.fullmatch(rf"\d+ of {len(told['findings'])} findings could be better, \d+ of them bad; \d+ unknown", lines[-1])


def test_the_tally_counts_what_could_be_better_and_of_it_what_is_bad(tmp_path: Path) -> None:
    spoiled = plant(board(tmp_path), {"proc/loadavg": "9 9 9 1/1 1", "proc/sys/vm/overcommit_memory": "2"})
    before = [f.verdict for f in diagnosed(board(tmp_path / "as-it-was")).findings]
    total, improvable, bad = len(before), before.count(BETTER) + before.count(BAD), before.count(BAD)
    assert diagnosed(spoiled).tally.startswith(f"{improvable + 2} of {total} findings could be better, {bad + 1} of them bad; ")


def test_a_finding_takes_one_line_of_the_table(tmp_path: Path) -> None:
    spoiled = each_core("cpufreq/scaling_governor", "conservative") | each_core("cpufreq/scaling_max_freq", 1200000) | NO_PRIVILEGE
    told = [f for f in diagnosed(board(tmp_path, spoiled), REFUSED).findings if f.verdict is not UNKNOWN]
    columns = [[getattr(f, name) for f in told] for name in ("what", "now", "verdict", "gains")]
    assert sum(max(len(text) for text in column) for column in columns) + 3 * (len(columns) - 1) <= WIDE


@pytest.mark.parametrize(("cores", "text"), [((), "none"), ((3,), "3"), ((2, 0, 1, 8), "0-2,8"), ((5, 4, 2), "2,4-5")])
def test_cores_are_written_as_the_kernel_does(cores: tuple[int, ...], text: str) -> None:
    assert ranges(cores) == text


@pytest.mark.parametrize(("amount_bytes", "text"), [(0, "0 bytes"), (2048, "2 KiB"), (1.5 * GIB, "1.5 GiB"), (3 * 2**40, "3 TiB")])
def test_sizes_are_written_in_the_greatest_unit(amount_bytes: float, text: str) -> None:
    assert size(amount_bytes) == text
