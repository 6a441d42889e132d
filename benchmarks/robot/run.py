"""Compare the robot crew's plan with the usual ways, and set the ratios beside the figures to reach.

python benchmarks/robot/run.py [--precision fp32] [--rounds N] [--seconds S]: arguments go to `cotenant compare`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CREW = HERE.parents[1] / "examples" / "robot.yaml"


def main() -> None:
    command = [sys.executable, "-c", "from cotenant.cli import main; main()", "compare", str(CREW), "--json", *sys.argv[1:]]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    expected = json.loads((HERE / "expected.json").read_text())["fp32" if "fp32" in sys.argv else "all"]
    print(json.dumps({"reached": reached(found, expected), **found}, indent=2))


def reached(found: dict[str, Any], expected: dict[str, dict[str, float]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return, for each way and figure, what was found, what is wanted, and whether it was reached."""
    return {
        way: {
            figure: {"found": value, "wanted": wanted, "reached": value is not None and _holds(figure, value, wanted)}
            for figure, wanted in figures.items()
            for value in (found["ratios"][way][figure],)
        }
        for way, figures in expected.items()
    }


def _holds(figure: str, value: float, wanted: float) -> bool:
    return value >= wanted if figure == "stp_ort" else value <= wanted


if __name__ == "__main__":
    main()
