"""How fast the cores run, and how hot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cotenant.backend.kernel_file import read, read_number, word

_COLDEST_MC, _HOTTEST_MC = -100_000, 500_000  # millidegrees; drivers put impossible ones where a sensor is off or a trip unset
_HOLDS_BACK = frozenset({"passive", "hot", "critical"})  # `active` only turns a fan on
_RASPBERRY = "sys/devices/platform/soc/soc:firmware/get_throttled"
_COMPLAINTS = ("under-voltage", "a capped frequency", "throttling", "the soft temperature limit")  # bits 0 to 3 of vcgencmd get_throttled
_COOLS_CPUS = ("cpufreq", "cpu-", "cpu_", "processor", "thermal-cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Hold how cores that are alike are clocked; `now_khz` is that of the slowest now, None stands for what is not shown.

    `limit_khz` is what the governor may go up to, `most_khz` what the hardware can; `offered` are the governors to choose from.
    """

    cores: tuple[int, ...]
    governor: str
    offered: tuple[str, ...]
    now_khz: int | None
    least_khz: int | None
    limit_khz: int | None
    most_khz: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Hold a sensor's temperature, and the lowest at which the kernel holds something back (None: none is set)."""

    name: str
    now_mc: int
    trip_mc: int | None


def now_khz(root: Path, core: int) -> int | None:
    """Return the frequency that a core runs at; None where the kernel does not show it."""
    return _positive(_folder(root, core) / "scaling_cur_freq") or _positive(_folder(root, core) / "cpuinfo_cur_freq")


def clocks(root: Path, cores: Iterable[int]) -> tuple[Clock, ...]:
    """Group cores by governor and range, in the order given; those without a clock that is shown are left out."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for core in cores:
        names = ("scaling_governor", "cpuinfo_min_freq", "scaling_max_freq", "cpuinfo_max_freq")
        told = tuple(read(_folder(root, core) / name) for name in names)
        if any(told):
            alike.setdefault(told, []).append(core)
    return tuple(_clock(root, tuple(group)) for group in alike.values())


def boosts(root: Path) -> bool | None:
    """Say whether cores may exceed their nominal frequency (turbo); None where the kernel does not show it."""
    cpus = root / "sys/devices/system/cpu"
    if (off := read_number(cpus / "intel_pstate/no_turbo")) is not None:
        return off == 0
    on = read_number(cpus / "cpufreq/boost")
    return None if on is None else on != 0


def zones(root: Path) -> tuple[Zone, ...]:
    """List the sensors that tell a temperature, the hottest first."""
    folders = sorted((root / "sys/class/thermal").glob("thermal_zone*"))
    found = ((folder, _temperature(folder / "temp")) for folder in folders)
    told = [Zone(name=word(folder / "type") or folder.name, now_mc=now, trip_mc=_trip(folder)) for folder, now in found if now is not None]
    return tuple(sorted(told, key=lambda zone: -zone.now_mc))


def hottest_mc(root: Path) -> int | None:
    """Return the highest temperature that any sensor tells, in thousandths of a degree Celsius; None where none does."""
    return max((zone.now_mc for zone in zones(root)), default=None)


def throttles(root: Path, cores: Iterable[int]) -> int | None:
    """Count how often heat slowed one of these cores, or its package, since the machine started; None where that is not counted."""
    folders = [root / f"sys/devices/system/cpu/cpu{core}/thermal_throttle" for core in cores]
    own = [count for folder in folders if (count := read_number(folder / "core_throttle_count")) is not None]
    shared = [count for folder in folders if (count := read_number(folder / "package_throttle_count")) is not None]
    return sum(own) + max(shared, default=0) if own or shared else None


def held_back(root: Path) -> tuple[str, ...] | None:
    """Name what slows CPUs down this moment, for heat or want of power; None where nothing that could is shown."""
    devices = sorted((root / "sys/class/thermal").glob("cooling_device*"))
    known = [(word(device / "type"), read_number(device / "cur_state")) for device in devices]
    slowing = [(name, state) for name, state in known if name.lower().startswith(_COOLS_CPUS) and state is not None]
    firmware = _firmware(root)
    if not slowing and firmware is None:
        return None
    return (*(name for name, state in slowing if state > 0), *(firmware or ()))


def _firmware(root: Path) -> tuple[str, ...] | None:
    """Name what a Raspberry Pi's firmware complains of; None elsewhere."""
    try:
        told = int(read(root / _RASPBERRY), 16)
    except ValueError:
        return None
    return tuple(name for bit, name in enumerate(_COMPLAINTS) if told >> bit & 1)


def _clock(root: Path, cores: tuple[int, ...]) -> Clock:
    folder = _folder(root, cores[0])
    return Clock(
        cores=cores,
        governor=word(folder / "scaling_governor"),
        offered=tuple(read(folder / "scaling_available_governors").split()),
        now_khz=min((khz for core in cores if (khz := now_khz(root, core)) is not None), default=None),
        least_khz=_positive(folder / "cpuinfo_min_freq"),
        limit_khz=_positive(folder / "scaling_max_freq"),
        most_khz=_positive(folder / "cpuinfo_max_freq"),
    )


def _folder(root: Path, core: int) -> Path:
    return root / f"sys/devices/system/cpu/cpu{core}/cpufreq"


def _positive(file: Path) -> int | None:
    found = read_number(file)
    return found if found is not None and found > 0 else None


def _temperature(file: Path) -> int | None:
    found = read_number(file)
    return found if found is not None and _COLDEST_MC < found < _HOTTEST_MC else None


def _trip(zone: Path) -> int | None:
    return min((trip for trip in _trips(zone) if trip > 0), default=None)


def _trips(zone: Path) -> Iterator[int]:
    for kind in zone.glob("trip_point_*_type"):
        told = _temperature(kind.with_name(kind.name.removesuffix("type") + "temp"))
        if told is not None and word(kind) in _HOLDS_BACK:
            yield told
