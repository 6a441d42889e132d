"""Make the crews examples/moca_a.yaml and moca_b.yaml: `python benchmarks/moca/make_crews.py [FOLDER]`, FOLDER as for make_board.py."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from statistics import mean, pstdev

ROOT = Path(__file__).parents[2]
SERVERS = 4  # of two tiles each, as in the paper
FIRST_PRIORITY = 11

REQUESTS_OF_A_LONG_SECOND = 1000
"""More a second than that, and a quarter of a second is enough to simulate."""

HEAD = """\
# MoCA's workload set {letter} (Kim et al., HPCA 2023), for simulation: the figures are published ones, nothing runs.
# Networks and priorities come as often as among the 250 requests of the artifact's log (SeahK/gemmini-rocc-tests-moca-ae, BSD-3-Clause:
# {networks}; {priorities}).
# A tenant has one rank, so each network at each priority is a tenant; priority 11 is rank 0. Deadlines are those of QoS-M. Poisson,
# since the gaps in the log vary nearly as much (coefficient {cv:.2f}) and one says nothing of the next; bursts would vary more.
# At load 1, {total:.0f}/s in all, four servers of two tiles each are just full, as long as nobody slows another down.
# Made by benchmarks/moca/make_crews.py.
platform: moca_soc
seconds: {seconds}
tenants:
"""


def main() -> None:
    above = [folder / "shared" / "data" / "moca_soc" for folder in ROOT.parents]
    folders = [Path(sys.argv[1])] if len(sys.argv) > 1 else above
    folder = next((folder for folder in folders if (folder / "networks.csv").is_file()), None)
    if folder is None:
        sys.exit("no networks.csv and tasks_*.csv: give the folder that holds MoCA's published figures (shared/data/moca_soc)")
    for letter in "ab":
        (ROOT / "examples" / f"moca_{letter}.yaml").write_text(text(folder, letter))


def text(folder: Path, letter: str) -> str:
    with (folder / f"tasks_{letter}.csv").open(newline="") as file:
        tasks = [row for row in csv.DictReader(file) if (row["qos"], row["system"]) == ("M", "static")]
    with (folder / "networks.csv").open(newline="") as file:
        known = {row["network"]: row for row in csv.DictReader(file)}
    networks, priorities = Counter(row["network"] for row in tasks), Counter(int(row["priority"]) for row in tasks)
    mean_s = sum(count * int(known[name]["isolated_cycles_2tile"]) for name, count in networks.items()) / len(tasks) / 1e9
    total_per_s = SERVERS / mean_s
    gaps = [int(after["arrival_cycles"]) - int(before["arrival_cycles"]) for before, after in pairwise(tasks)]
    head = HEAD.format(
        letter=letter.upper(),
        networks=", ".join(f"{name}: {count}" for name, count in networks.most_common()),
        priorities=", ".join(f"p{priority}: {priorities[priority]}" for priority in sorted(priorities, reverse=True)),
        cv=pstdev(gaps) / mean(gaps),
        total=total_per_s,
        seconds=0.25 if total_per_s > REQUESTS_OF_A_LONG_SECOND else 1,
    )
    return head + "".join(line + "\n" for line in lines(networks, priorities, known, total_per_s / len(tasks) ** 2))


def lines(
    networks: Counter[str], priorities: Counter[int], known: Mapping[str, Mapping[str, str]], pair_per_s: float
) -> Iterator[str]:  # fmt: skip
    for priority in sorted(priorities, reverse=True):
        for name, count in networks.most_common():
            rate = f"{count * priorities[priority] * pair_per_s:.4g}/s"
            deadline = f"{int(known[name]['target_cycles_qos_m']) / 1e6:.10g}ms"
            yield (
                f"- {{name: {name}-p{priority}, model: board:{name}, rank: {FIRST_PRIORITY - priority}, "
                f"arrival: {{poisson: {rate}}}, deadline: {deadline}}}"
            )


if __name__ == "__main__":
    main()
