"""Compare every policy on MoCA's workload sets, simulated, and the simulator with MoCA's logs.

python benchmarks/moca/run.py [--json] [--readme] [--seeds 30] [--policies edf,moca] [--quick]: sets A, B and C at QoS H, M and L.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that a script finds its neighbours as a test does

from benchmarks.moca import logs
from benchmarks.moca.calibration import as_logged, calibration
from benchmarks.moca.cells import CHOSEN, GROUPS, drawn_cells, logged_cells
from benchmarks.moca.claims import checks
from benchmarks.moca.comparison import Json, part
from benchmarks.moca.runs import simulated
from benchmarks.moca.tables import shown
from benchmarks.moca.ways import OURS, Way, chosen
from benchmarks.readme import filled
from cotenant.errors import CotenantError, InputError

PAGE: Final = Path(__file__).parent / "README.md"
SEEDS, QUICK_SEEDS = 30, 3
FEWEST_SEEDS: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--readme", action="store_true", help="put the tables of this run, which is of everything, into README.md, too")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="workloads drawn for each cell, 2 or more")
    parser.add_argument("--policies", help="comma-separated, instead of all; ours is always among them")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds; neither held-out seeds nor set C")
    asked = parser.parse_args(arguments)
    try:
        if asked.readme:
            _ready(asked)
        found = measured(chosen(asked.policies), QUICK_SEEDS if asked.quick else asked.seeds, quick=asked.quick)
        print(json.dumps(found, indent=2) if asked.json else "\n".join(shown(found)))
        if asked.readme:
            PAGE.write_text(filled(PAGE.read_text(), dated(found)))
    except CotenantError as error:
        sys.exit(str(error))
    return 0 if all(check["kept"] for check in found["checks"].values()) else 1


def _ready(asked: argparse.Namespace) -> None:
    """Refuse, before anything is simulated, what would leave README.md without some of its figures."""
    if asked.quick or asked.policies is not None:
        raise InputError("--readme", "a part of the comparison", "without --quick and --policies")
    logs.find()
    filled(PAGE.read_text(), ())


def dated(found: Json) -> Iterator[str]:
    """Yield the lines of all tables, after the day."""
    yield f"{datetime.now(tz=UTC):%-d %B %Y}."
    yield from shown(found)


def measured(ways: Sequence[Way], seeds: int, *, quick: bool = False) -> Json:
    """Simulate all ways in all cells, and judge what comes of it."""
    if seeds < FEWEST_SEEDS:
        raise InputError("--seeds", seeds, f"{FEWEST_SEEDS} or more, for an interval")
    folder = logs_folder()
    groups = (CHOSEN,) if quick else tuple(GROUPS)
    cells = (*drawn_cells(groups, seeds), *(logged_cells() if folder else ()))
    runs = simulated(ways, cells, folder)
    found: Json = {"simulated": True, "seeds": seeds, "ours": OURS}
    found |= {group: part(ways, runs, [cell for cell in cells if cell.group == group]) for group in groups}
    found["logged"] = as_logged(runs, cells, folder) if folder else None
    found["calibration"] = calibration(folder)
    found["checks"] = checks(found)
    return found


def logs_folder() -> Path | None:
    """Return the folder of the logs, or None after saying so."""
    try:
        return logs.find()
    except InputError as error:
        print(f"without the logged arrivals: {error}", file=sys.stderr)
        return None


if __name__ == "__main__":
    sys.exit(main())
