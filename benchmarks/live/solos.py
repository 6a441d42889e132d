"""What each model of a computed crew takes alone on one core, now."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.live.crews import Solos, crew_text, draft
from cotenant.cli.measure import measure
from cotenant.describe import Option, Precision
from cotenant.study.compare import Settings, period_of
from cotenant.study.meter import read_meter
from cotenant.study.prepared import Prepared
from cotenant.study.rounds import Measured, Turns
from cotenant.study.solo import key_of, solo_ns, solo_ways
from cotenant.study.ways import Bench, write_samples
from cotenant.units import NS_PER_S

ROUNDS: Final = 3
ALONE_S: Final = 1.0


def written(crew: str, folder: Path, precisions: tuple[Precision, ...] | None) -> Path:
    """Write a crew file whose periods follow from what its models take alone, measured now; print it to standard error.

    Which variants a plan may use depends on the deadlines, so they are first guessed by what the profile says.
    """
    path = folder / f"{crew}.yaml"
    path.write_text(draft(crew))
    found = measure(path, precisions).planned(allow_overload=True)
    path.write_text(crew_text(crew, fastest_ns(found.options), found.platform.lanes))
    guessed = measure(path, precisions).planned(allow_overload=True)
    path.write_text(crew_text(crew, measured_ns(guessed), guessed.platform.lanes))
    print(path.read_text(), file=sys.stderr, flush=True)
    return path


def fastest_ns(options: Sequence[Option]) -> Solos:
    """Return what each tenant's fastest option of width 1 takes, as it was profiled."""
    narrow = [option for option in options if all(step.width == 1 for step in option.chain)]
    return {name: min(o.latency_ns for o in narrow if o.tenant == name) for name in dict.fromkeys(o.tenant for o in narrow)}


def measured_ns(prepared: Prepared) -> Solos:
    """Measure every variant that the plan may use, in turns; return by tenant what the fastest takes."""
    settings = Settings(rounds=ROUNDS, alone_s=ALONE_S)
    with tempfile.TemporaryDirectory(prefix="cotenant-") as folder:
        bench = Bench(prepared=prepared, samples=write_samples(prepared, Path(folder)))
        ways = solo_ways(bench, round(ALONE_S * NS_PER_S))
        turns = Turns(
            ways=tuple(ways.values()),
            rounds=ROUNDS,
            period=lambda way, index: period_of(prepared.crew.workload, way, index, settings),
            meter=read_meter,
            told=_tell,
        )
        found = solo_ns(turns.measure(), {key: way.name for key, way in ways.items()})
    tenants = dict.fromkeys(option.tenant for option in prepared.options)
    return {name: min(found[key_of(o)] for o in prepared.options if o.tenant == name) for name in tenants}


def _tell(measured: Measured) -> None:
    print(f"{measured.way}: others took {measured.others:.0%} of the CPU", file=sys.stderr, flush=True)
