"""Frequency and heat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cotenant.backend import climate
from cotenant.backend.climate import Clock, Zone
from cotenant.study.doctor.finding import Finding, bad, better, good, unknown
from cotenant.study.doctor.patient import Patient, ranges

_NEAR_MC: Final = 5_000
_CPUS: Final = "/sys/devices/system/cpu"
_COOLING: Final = "# no command cools: a fan, a heat sink, a better supply, or fewer models"


def findings(patient: Patient) -> Iterator[Finding]:
    """Say how the lanes are clocked, and whether heat slows them down."""
    clocks = climate.clocks(patient.root, patient.lanes)
    if not clocks:
        yield unknown("governor", "a frequency that does not change keeps times as they were profiled", "no cpufreq is shown")
    for clock in clocks:
        yield _governor(clock)
        yield _limit(clock)
    yield _boost(patient)
    yield _temperature(patient)
    yield _throttling(patient)
    yield _held_back(patient)


def _governor(clock: Clock) -> Finding:
    what, gains = f"governor (cores {ranges(clock.cores)})", "a frequency that does not change keeps times as they were profiled"
    if not clock.governor:
        return unknown(what, gains)
    now = f"{clock.governor}, {_mhz(clock.now_khz)} of {_mhz(clock.least_khz)} to {_mhz(clock.most_khz)} MHz"
    if clock.governor == "performance" or clock.least_khz == clock.most_khz is not None:
        return good(what, now, gains)
    if not clock.offered or "performance" in clock.offered:
        return better(what, now, gains, _for_each(clock, "performance", "scaling_governor"))
    if clock.limit_khz is not None:
        return better(what, now, gains, _for_each(clock, clock.limit_khz, "scaling_min_freq"))
    return unknown(what, gains, f"{clock.governor} is the only governor, and no range is shown")


def _limit(clock: Clock) -> Finding:
    what = f"frequency limit (cores {ranges(clock.cores)})"
    if clock.limit_khz is None or clock.most_khz is None:
        return unknown(what, "cores may run as fast as they can")
    now = f"{_mhz(clock.limit_khz)} of {_mhz(clock.most_khz)} MHz"
    if clock.limit_khz >= clock.most_khz:
        return good(what, now, "cores may run as fast as they can")
    gains = f"up to {clock.most_khz / clock.limit_khz - 1:.0%} more work, if the cooling bears it"
    return better(what, now, gains, _for_each(clock, clock.most_khz, "scaling_max_freq"))


def _boost(patient: Patient) -> Finding:
    what, gains = "turbo", "cores run above their nominal frequency while they are cool"
    on = climate.boosts(patient.root)
    if on is None:
        return unknown(what, gains)
    if on:
        return good(what, "on", gains)
    intel = (patient.root / "sys/devices/system/cpu/intel_pstate/no_turbo").exists()
    command = f"echo 0 | sudo tee {_CPUS}/intel_pstate/no_turbo" if intel else f"echo 1 | sudo tee {_CPUS}/cpufreq/boost"
    return better(what, "off", f"{gains}; without it times are steadier", command)


def _temperature(patient: Patient) -> Finding:
    what, gains = "temperature", "heat slows cores down, and then times are not as profiled"
    zones = climate.zones(patient.root)
    if not zones:
        return unknown(what, gains, "no sensor is shown")
    zone = min(zones, key=_room_mc)
    now = f"{zone.now_mc / 1000:.3g} °C at {zone.name}, slowed from {_celsius(zone.trip_mc)}"
    if zone.trip_mc is None or _room_mc(zone) > _NEAR_MC:
        return good(what, now, gains)
    return (better if _room_mc(zone) > 0 else bad)(what, now, gains, _COOLING)


def _throttling(patient: Patient) -> Finding:
    what, gains = "throttling", "times are as profiled only while heat does not slow cores down"
    events = climate.throttles(patient.root, patient.lanes)
    if events is None:
        return unknown(what, gains, "it is not counted")
    now = f"{events} times since the start"
    return better(what, now, gains, _COOLING) if events > 0 else good(what, now, gains)


def _held_back(patient: Patient) -> Finding:
    what, gains = "slowed now", "cores run at the frequency that the governor wants"
    names = climate.held_back(patient.root)
    if names is None:
        return unknown(what, gains, "nothing that slows CPUs is shown")
    return bad(what, f"now, by {_told(names)}", gains, _COOLING) if names else good(what, "not now", gains)


def _told(names: tuple[str, ...]) -> str:
    """Write names once each, the first of many."""
    once = tuple(dict.fromkeys(names))
    return once[0] if len(once) == 1 else f"{once[0]} and {len(once) - 1} more"


def _room_mc(zone: Zone) -> float:
    return float("inf") if zone.trip_mc is None else zone.trip_mc - zone.now_mc


def _celsius(amount_mc: int | None) -> str:
    return "no temperature" if amount_mc is None else f"{amount_mc / 1000:.3g} °C"


def _mhz(khz: int | None) -> str:
    return "unknown" if khz is None else f"{khz / 1000:.0f}"


def _for_each(clock: Clock, value: object, name: str) -> str:
    cores = " ".join(map(str, clock.cores))
    return f"for core in {cores}; do echo {value} | sudo tee {_CPUS}/cpu$core/cpufreq/{name}; done"
