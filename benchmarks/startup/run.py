"""Measure the CPU time of `import cotenant` and of `cotenant --help`: JSON on standard output."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path

RUNS = 7
COMMANDS = {
    "import_cpu_s": [sys.executable, "-c", "import cotenant"],
    "help_cpu_s": [str(Path(sys.executable).with_name("cotenant")), "--help"],
}


def children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cpu_s(command: list[str]) -> float:
    before_s = children_cpu_s()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return children_cpu_s() - before_s


def median_cpu_s(command: list[str]) -> float:
    cpu_s(command)  # the first run writes the bytecode
    return round(statistics.median(cpu_s(command) for _ in range(RUNS)), 3)


def main() -> int:
    found = {name: median_cpu_s(command) for name, command in COMMANDS.items()}
    expected = json.loads(Path(__file__).with_name("expected.json").read_text())
    kept = {name: found[name] <= expected[name]["at_most"] for name in found}
    print(json.dumps({**found, "runs": RUNS, "kept": kept}, indent=2))
    return 0 if all(kept.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
