"""Learn the weights of the policy `relmas` by an evolution strategy over simulated mixes, on one core, in minutes.

python benchmarks/relmas/train.py: print the learning curve, write weights.json beside this file, and put the weights into the policy.
python benchmarks/relmas/train.py --judge: only compare the policy as it is with others on mixes that were never learnt from.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from mixes import mix
from numpy.typing import NDArray

from cotenant.policy import policies
from cotenant.policy.relmas import HIDDEN, INPUTS, relmas
from cotenant.sim import Case, Compiler, simulate

HERE = Path(__file__).parent
POLICY = HERE.parents[1] / "src" / "cotenant" / "policy" / "relmas.py"
KEPT = HERE / "weights.json"

SEED = 20240413
GENERATIONS, PAIRS, MIXES = 160, 12, 16
SIGMA, RATE = 0.1, 0.03
DECAYS = (0.9, 0.99)
AVERAGED = 20
"""The strategy (Salimans et al., 2017): mirrored pairs, ranks, Adam (Kingma and Ba, 2015); the last centres are averaged."""

LEARNT, CHECKED, JUDGED = 1_000_000, 10_000, 20_000
CHECKS, JUDGES = 40, 300
"""Where the seeds of mixes begin: those learnt from, those of the curve, those never seen; and how many of the latter two."""

AGAINST = ("edf", "sjf", "fifo")

Vector = NDArray[np.float64]
Score = Callable[[Sequence[float], Sequence[Case]], float]


def main() -> None:
    compiler = Compiler()
    if "--judge" not in sys.argv:
        learn(scorer(compiler))
        return
    mixes = [mix(JUDGED + index) for index in range(JUDGES)]
    for name in ("relmas", *AGAINST):
        loop = compiler.loop(policies.get(name))
        by_board: dict[str, list[float]] = {}
        for case in mixes:
            by_board.setdefault(case.platform.name, []).append(in_time(simulate(case, policies.get(name), name=name, loop=loop).endings))
        total = [value for values in by_board.values() for value in values]
        boards = {board: (round(float(np.mean(values)), 4), len(values)) for board, values in sorted(by_board.items())}
        print(f"{name:8} {np.mean(total):.4f} +- {np.std(total) / np.sqrt(len(total)):.4f} {boards}", flush=True)


def scorer(compiler: Compiler) -> Score:
    """Return what scores weights: the mean over mixes of the share of requests in time."""
    loop = compiler.loop(relmas)
    names = [name for name, _ in relmas.params]

    def score(weights: Sequence[float], mixes: Sequence[Case]) -> float:
        params = tuple(zip(names, map(float, weights), strict=True))
        return float(np.mean([in_time(simulate(case, relmas, name="relmas", params=params, loop=loop).endings) for case in mixes]))

    return score


def in_time(endings: NDArray[np.void]) -> float:
    return float(np.mean(endings["finish_ns"] <= endings["due_ns"]))


def learn(score: Score) -> None:
    rng = np.random.default_rng(SEED)
    checks = [mix(CHECKED + index) for index in range(CHECKS)]
    began = time.process_time()
    centre = start(rng)
    first = score(centre, checks)
    curve, last = [(0, round(first, 4))], []
    print(f"{0:4} {first:.4f}", flush=True)
    momentum, spread = np.zeros_like(centre), np.zeros_like(centre)
    for generation in range(1, GENERATIONS + 1):
        mixes = [mix(LEARNT + generation * MIXES + index) for index in range(MIXES)]
        slope = gradient(score, centre, mixes, rng)
        momentum = DECAYS[0] * momentum + (1 - DECAYS[0]) * slope
        spread = DECAYS[1] * spread + (1 - DECAYS[1]) * slope**2
        step = momentum / (1 - DECAYS[0] ** generation) / (np.sqrt(spread / (1 - DECAYS[1] ** generation)) + 1e-8)
        centre = centre + RATE * (1 - 0.9 * generation / GENERATIONS) * step
        last = [*last, centre][-AVERAGED:]
        if generation % 10 == 0:
            curve.append((generation, round(score(np.mean(last, axis=0), checks), 4)))
            print(f"{generation:4} {curve[-1][1]:.4f} {time.process_time() - began:.0f} s", flush=True)
    weights = [round(float(weight), 4) for weight in np.mean(last, axis=0)]
    keep(weights, curve)


def start(rng: np.random.Generator) -> Vector:
    """Return what is learnt from: the shortest first and the late last, and never more than twice the planned time elsewhere."""
    neurons = rng.normal(0.0, 0.1, (HIDDEN, INPUTS + 1))
    who, where = rng.normal(0.0, 0.1, HIDDEN + 1), rng.normal(0.0, 0.1, HIDDEN + 1)
    neurons[0, 3], who[0] = 1.0, 1.0
    neurons[1, 10], who[1] = 1.0, 3.0
    where[HIDDEN] = 2.0
    return np.concatenate([neurons.ravel(), who, where])


def gradient(score: Score, centre: Vector, mixes: Sequence[Case], rng: np.random.Generator) -> Vector:
    """Estimate where the score rises, from the ranks of mirrored pairs about the centre."""
    tried = rng.standard_normal((PAIRS, len(centre)))
    tried = np.concatenate([tried, -tried])
    scores = np.array([score(centre + SIGMA * one, mixes) for one in tried])
    ranks = np.argsort(np.argsort(scores, kind="stable"), kind="stable") / (len(scores) - 1) - 0.5
    return ranks @ tried / (len(tried) * SIGMA)


def keep(weights: Sequence[float], curve: Sequence[tuple[int, float]]) -> None:
    """Write the weights beside this file, with all they came from, and put them into the policy."""
    found = {"seed": SEED, "generations": GENERATIONS, "pairs": PAIRS, "mixes": MIXES, "curve": curve, "weights": weights}
    KEPT.write_text(json.dumps(found) + "\n")
    lines = [", ".join(map(repr, weights[at : at + 13])) for at in range(0, len(weights), 13)]
    text = "WEIGHTS = (\n" + "".join(f"    {line},\n" for line in lines) + ")  # fmt: skip\n"
    source = POLICY.read_text()
    put, count = re.subn(r"^WEIGHTS = \(.*?\)(  # fmt: skip)?\n", text, source, count=1, flags=re.DOTALL | re.MULTILINE)
    if count != 1:
        raise SystemExit(f"{POLICY} has no place for weights")
    POLICY.write_text(put)


if __name__ == "__main__":
    main()
