"""Serve four crews by their plans and in the usual ways, on this machine, and set the figures beside those to reach.

python benchmarks/live/run.py [--crew robot,five,deadlines,bursty] [--precision fp32] [--rounds 5] [--seconds 20] [--json] [--readme]
[--folder F]: without --precision all of them, and fp32 alone for the crews with claims of their own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that a script finds its neighbours as a test does

from benchmarks.live.claims import Json, checks
from benchmarks.live.crews import COMPUTED, CREWS, ROBOT, Solos, crew_text, nominal
from benchmarks.live.solos import written
from benchmarks.live.tables import shown
from benchmarks.readme import filled
from cotenant.backend.machine import discover
from cotenant.describe import Periodic, Precision
from cotenant.describe.files import read_crew
from cotenant.errors import CotenantError, InputError
from cotenant.registry import nearest
from cotenant.units import NS_PER_MS

PAGE: Final = Path(__file__).parent / "README.md"
ALL: Final = "all"
PRECISIONS: Final = (ALL, *(precision.value for precision in Precision))
USUAL: Final = (("robot", ALL), ("robot", "fp32"), ("deadlines", ALL), ("deadlines", "fp32"), ("five", ALL), ("bursty", ALL))
ENGINES: Final = ("onnxruntime", "openvino")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Serve one crew in one choice of precisions, for so many rounds of so many seconds."""

    crew: str
    precision: str
    rounds: int
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.crew}, {self.precision}"

    @property
    def file(self) -> str:
        return f"{self.crew}-{self.precision}-{self.rounds}x{self.seconds:g}s.json"


Measure = Callable[[Case, Path], Json]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crew", help=f"some of {', '.join(CREWS)}, instead of all")
    parser.add_argument("--precision", help=f"some of {', '.join(PRECISIONS)}, for each of these crews")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in which all ways take turns")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each way serves in a round")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--readme", action="store_true", help="put the tables, which are of everything, into README.md, too")
    parser.add_argument("--folder", type=Path, help="keep crew files and reports here; a report that is here is not measured again")
    asked = parser.parse_args(arguments)
    try:
        cases = chosen(asked.crew, asked.precision, asked.rounds, asked.seconds)
        if asked.readme:
            _ready(asked)
        with _folder(asked.folder) as folder:
            found = served(cases, folder)
        _show(found, asked)
    except (CotenantError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
    return 0 if all(one["kept"] for case in found["checks"].values() for one in case.values()) else 1


def chosen(crews: str | None, precisions: str | None, rounds: int, seconds: float) -> tuple[Case, ...]:
    """List the cases that were asked for; InputError for what there is not."""
    if rounds < 1:
        raise InputError("--rounds", rounds, "1 or more")
    if not 0 < seconds < float("inf"):
        raise InputError("--seconds", seconds, "more than 0")
    named = _among("--crew", crews, tuple(CREWS))
    wide = _among("--precision", precisions, PRECISIONS)
    pairs = [(crew, precision) for crew in named for precision in wide] if precisions else [pair for pair in USUAL if pair[0] in named]
    return tuple(Case(crew=crew, precision=precision, rounds=rounds, seconds=seconds) for crew, precision in pairs)


def _among(path: str, text: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    names = known if text is None else tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in known:
            raise InputError(path, name or "''", nearest(name, known))
    return names


def _ready(asked: argparse.Namespace) -> None:
    """Refuse, before anything is measured, what would leave README.md without some of its figures."""
    if asked.crew is not None or asked.precision is not None:
        raise InputError("--readme", "a part of the crews", "without --crew and --precision")
    filled(PAGE.read_text(), ())


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """Give a folder; one that nobody named is removed in the end, unless it holds what a run that failed has measured."""
    if given is not None:
        try:
            given.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError("--folder", str(given), f"a folder that can be made: {error.strerror}") from error
        yield given
        return
    made = Path(tempfile.mkdtemp(prefix="cotenant-live-"))
    try:
        yield made
    except BaseException:
        print(f"what was measured is kept: --folder {made} goes on from there", file=sys.stderr)
        raise
    shutil.rmtree(made)


def _show(found: Json, asked: argparse.Namespace) -> None:
    print(json.dumps(found, indent=2) if asked.json else "\n".join(shown(found)))
    if asked.readme:
        PAGE.write_text(filled(PAGE.read_text(), shown(found)))


def served(cases: Sequence[Case], folder: Path, measure: Measure | None = None) -> Json:
    """Measure every case that is not in the folder yet, keep each as it is done, and judge them all."""
    told = {case.name: _kept(case, folder, measure or measured) for case in cases}
    platform = discover()
    return {
        "simulated": False,
        "machine": platform.name,
        "lanes": platform.lanes,
        "versions": [f"{engine} {version(engine)}" for engine in ENGINES],
        "rounds": cases[0].rounds,
        "seconds": cases[0].seconds,
        "cases": told,
        "checks": checks({name: one["report"] for name, one in told.items()}),
    }


def _kept(case: Case, folder: Path, measure: Measure) -> Json:
    path = folder / case.file
    if not path.exists():
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps(measure(case, folder)))
        draft.replace(path)
    told: Json = json.loads(path.read_text())
    return told


def measured(case: Case, folder: Path) -> Json:
    """Compare one crew; one whose periods are computed is written to the folder first."""
    own = folder / case.precision
    own.mkdir(exist_ok=True)
    path = _crew_file(case, own)
    report = _compared(case, path)
    crew = read_crew(path)
    fastest_ns = _solos(report)
    return {
        "day": f"{datetime.now(tz=UTC):%Y-%m-%d}",
        "crew": path.read_text(),
        "periodic": all(isinstance(tenant.arrival, Periodic) for tenant in crew.workload.tenants),
        "nominal": nominal(path, fastest_ns, report["lanes"]) if case.crew in COMPUTED else None,
        "report": report,
    }


def _crew_file(case: Case, folder: Path) -> Path:
    if case.crew in COMPUTED:
        return written(case.crew, folder, None if case.precision == ALL else (Precision(case.precision),))
    if case.crew == "robot":
        return ROBOT
    path = folder / f"{case.crew}.yaml"
    path.write_text(crew_text(case.crew, {}, discover().lanes))
    return path


def _solos(report: Json) -> Solos:
    return {tenant: round(min(own.values()) * NS_PER_MS) for tenant, own in report["solo_ms"].items()}


def _compared(case: Case, path: Path) -> Json:
    """Run `cotenant compare`; a computed crew's plan promises what it can where what its models take at work exceeds its headroom."""
    command = [sys.executable, "-c", "from cotenant.cli import main; main()", "compare", str(path), "--json"]
    command += ["--rounds", str(case.rounds), "--seconds", f"{case.seconds:g}"]
    command += ["--allow-overload"] if case.crew in COMPUTED else []
    command += [] if case.precision == ALL else ["--precision", case.precision]
    found: Json = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found


if __name__ == "__main__":
    sys.exit(main())
