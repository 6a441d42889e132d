"""What variants take alone on one core, and options at that cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

from cotenant.cost import Table
from cotenant.describe import Option, Platform, Precision
from cotenant.study.rounds import Measured
from cotenant.study.way import Way
from cotenant.study.ways import Bench, on_one_core
from cotenant.trace import quantile_ns, tallies

Key = tuple[str, str, Precision]
"""A variant that a plan may use: the model's digest, engine and precision."""


def key_of(option: Option) -> Key:
    """Tell which variant an option runs, whatever its width and segments."""
    return option.artifact.model, option.artifact.engine, option.artifact.precision


def solo_ways(bench: Bench, least_ns: int) -> dict[Key, Way]:
    """List a way for each variant that the plan may use; tenants of one model share them."""
    owners: dict[Key, str] = {}
    for option in bench.prepared.options:
        owners.setdefault(key_of(option), option.tenant)
    tenants = {tenant.name: tenant for tenant in bench.prepared.tenants}
    return {key: on_one_core(bench, tenants[owner], key[1], key[2], least_ns) for key, owner in owners.items()}


def solo_ns(measured: Sequence[Measured], ways: Mapping[Key, str]) -> dict[Key, int]:
    """Return each variant's median latency, the median of its rounds; those that answered nothing are missing."""
    found = {key: list(_medians_ns([m for m in measured if m.way == way])) for key, way in ways.items()}
    return {key: round(median(times_ns)) for key, times_ns in found.items() if times_ns}


def _medians_ns(measured: Sequence[Measured]) -> Iterator[int]:
    for one in measured:
        for counted in tallies(one.trace, sorted({e.tenant for e in one.trace.endings})):
            if (middle_ns := quantile_ns(counted.latencies_ns, 0.5)) is not None:
                yield middle_ns


def by_tenant(options: Sequence[Option], solos: Mapping[Key, int]) -> dict[str, dict[str, int]]:
    """Sort solo times (ns) by tenant, then by the variant's engine and precision."""
    found: dict[str, dict[str, int]] = {}
    for option in options:
        if (key := key_of(option)) in solos:
            found.setdefault(option.tenant, {})[f"{key[1]} {key[2].value}"] = solos[key]
    return found


def at_solo(options: Sequence[Option], table: Table, platform: Platform, solos: Mapping[Key, int]) -> tuple[Option, ...]:
    """Return the options at the cost that their variants have alone, whole, on one core; one of width 1 takes just that.

    What was timed on another kind of processor, or on more lanes, takes so much more or less than the fastest lane as `table` says.
    """
    return tuple(_scaled(option, _factor(option, table, platform, solos), platform) for option in options)


def _factor(option: Option, table: Table, platform: Platform, solos: Mapping[Key, int]) -> float:
    model, engine, precision = key_of(option)
    own = [t for t in table.timings if (t.model, t.engine, t.precision) == (model, engine, precision)]
    fastest_ns = min((t.wall_ns for t in own if t.width == 1), default=None)
    step = option.chain[0]
    there = table.timing(model=model, engine=engine, precision=precision, kind=platform.processor(step.processor).kind, width=step.width)
    if (alone_ns := solos.get(key_of(option))) is None or fastest_ns is None or there is None:
        return 1.0
    return alone_ns * (there.wall_ns / fastest_ns) / option.latency_ns


def _scaled(option: Option, factor: float, platform: Platform) -> Option:
    processors = {processor.name for processor in platform.processors}
    return replace(
        option,
        chain=tuple(
            replace(step, duration_ns=max(1, round(step.duration_ns * factor)), longest_ns=round(step.longest_ns * factor))
            for step in option.chain
        ),
        demand=tuple((name, amount * factor if name in processors else amount) for name, amount in option.demand),
        latency_ns=max(1, round(option.latency_ns * factor)),
    )
