"""The machine's climate, from a folder that looks like a kernel's."""

from __future__ import annotations

from pathlib import Path

from cotenant.study.thermometer import Thermometer
from cotenant.trace import Climate


def write(root: Path, name: str, value: int) -> None:
    file = root / "sys" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{value}\n")


def test_what_the_kernel_shows_is_kept_with_its_instant(tmp_path: Path) -> None:
    ticks = iter((1_000, 4_000))
    thermometer = Thermometer(cores=(0, 1), since_ns=1_000, clock=lambda: next(ticks), root=tmp_path)
    for core, khz in ((0, 2_000_000), (1, 1_200_000)):
        write(tmp_path, f"devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq", khz)
        write(tmp_path, f"devices/system/cpu/cpu{core}/thermal_throttle/core_throttle_count", 3)
    write(tmp_path, "class/thermal/thermal_zone0/temp", 51_000)
    assert thermometer.look()
    write(tmp_path, "class/thermal/thermal_zone0/temp", 52_000)
    assert thermometer.look()
    assert thermometer.seen == (
        Climate(at_ns=0, slowest_khz=1_200_000, hottest_mc=51_000, throttles=6),
        Climate(at_ns=3_000, slowest_khz=1_200_000, hottest_mc=52_000, throttles=6),
    )


def test_where_nothing_is_shown_nothing_is_kept_and_no_thread_runs(tmp_path: Path) -> None:
    with Thermometer(cores=(0,), since_ns=0, clock=lambda: 0, root=tmp_path) as thermometer:
        assert not thermometer._thread.is_alive()
    assert thermometer.seen == ()


def test_the_thread_ends_with_the_run(tmp_path: Path) -> None:
    write(tmp_path, "class/thermal/thermal_zone0/temp", 51_000)
    with Thermometer(cores=(), since_ns=0, clock=lambda: 5, root=tmp_path) as thermometer:
        assert thermometer._thread.is_alive()
    assert not thermometer._thread.is_alive()
    assert thermometer.seen[0] == Climate(at_ns=5, hottest_mc=51_000)
