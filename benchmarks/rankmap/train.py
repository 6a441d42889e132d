"""Train RankMap's estimator on simulated mixes, and say how well it does on mixes and on a board that it never saw.

python benchmarks/rankmap/train.py [--mixes 250] [--epochs 80] [--seed 20261121]: writes the weights and estimator.json; minutes of CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that a script finds its neighbours as a test does

import numpy as np

from benchmarks.rankmap.lessons import Lesson, joined, lessons_of
from benchmarks.rankmap.net import Array, Weights, learnt
from benchmarks.rankmap.sample import BOARDS
from cotenant.search.estimator import WEIGHTS, forward

FIGURES: Final = Path(__file__).parent / "estimator.json"
SEED: Final = 20261121
MIXES, EPOCHS = 250, 80
TESTED: Final = 5
"""Every so many mixes one is not learnt from, but judged by."""

UNSEEN: Final = "jetson_orin"
SMALL_P: Final = 0.01
"""Relative errors are of P no smaller than that."""

Json = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mixes", type=int, default=MIXES, help="mixes of each board, of several mappings each")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--figures", type=Path, default=FIGURES)
    asked = parser.parse_args(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(max_workers=len(os.sched_getaffinity(0)), mp_context=get_context("spawn")) as pool:
        lessons = gathered(asked.mixes, pool)
        figures, weights = trained(lessons, asked.seed, asked.epochs, pool)
    written = {name: value.astype(np.float32) for name, value in weights.items()}
    np.savez(asked.weights, seed=np.int64(asked.seed), **written)  # type: ignore[arg-type]
    found = {"simulated": True, "seed": asked.seed, "mixes_a_board": asked.mixes, "epochs": asked.epochs, **figures}
    asked.figures.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
    return 0


def gathered(mixes: int, pool: Executor) -> list[Lesson]:
    """Simulate so many mixes of each board."""
    tasks = [(board, index) for board in BOARDS for index in range(mixes)]
    return [lesson for found in pool.map(_lessons, tasks, chunksize=20) for lesson in found]


def _lessons(task: tuple[str, int]) -> list[Lesson]:
    return lessons_of(*task)


def trained(lessons: Sequence[Lesson], seed: int, epochs: int, pool: Executor) -> tuple[Json, Weights]:
    """Learn twice: without one board, to be judged on it, and from all boards; a part of the mixes is held out both times."""
    held = {name for at, name in enumerate(dict.fromkeys(lesson.mix for lesson in lessons)) if at % TESTED == 0}
    seen, unseen = [x for x in lessons if x.mix not in held], [x for x in lessons if x.mix in held]
    weights, abroad = pool.map(_learnt, [(some, seed, epochs) for some in (seen, [x for x in seen if x.board != UNSEEN])])
    figures = {
        "mappings_learnt_from": len(seen),
        "held_out_mixes": errors(weights, unseen),
        "by_board": {board: errors(weights, [x for x in unseen if x.board == board]) for board in BOARDS},
        "learnt_from": errors(weights, seen),
        f"without_{UNSEEN}": {
            "on_it": errors(abroad, [x for x in unseen if x.board == UNSEEN]),
            "on_held_out_mixes_elsewhere": errors(abroad, [x for x in unseen if x.board != UNSEEN]),
        },
    }
    return figures, weights


def _learnt(task: tuple[Sequence[Lesson], int, int]) -> Weights:
    lessons, seed, epochs = task
    return learnt(joined(lessons), np.random.default_rng(seed), epochs)


def errors(weights: Mapping[str, Array], lessons: Sequence[Lesson]) -> Json:
    """Return errors over tenants, and how well mappings are ordered: all tenants by P, and the mappings of a mix by their weighted P."""
    told = [forward(weights, x.places, x.tenants, x.most) for x in lessons]
    p, guess = np.concatenate([x.p for x in lessons]), np.concatenate(told)
    large = p >= SMALL_P
    return {
        "tenants": len(p),
        "mean_p": round(float(p.mean()), 4),
        "mean_absolute_error": round(float(np.abs(guess - p).mean()), 4),
        "mean_absolute_error_of_the_mean": round(float(np.abs(p - p.mean()).mean()), 4),
        "median_relative_error": round(median((np.abs(guess - p) / np.maximum(p, SMALL_P))[large].tolist()), 4),
        "spearman_tenants": round(spearman(guess, p), 4),
        "spearman_mappings_of_a_mix": round(_within(lessons, told), 4),
    }


def _within(lessons: Sequence[Lesson], told: Sequence[Array]) -> float:
    """Return the mean rank correlation, over mixes, of their mappings' weighted P."""
    mixes: dict[str, list[tuple[float, float]]] = {}
    for lesson, guess in zip(lessons, told, strict=True):
        mixes.setdefault(lesson.mix, []).append((float(lesson.weight @ guess), float(lesson.weight @ lesson.p)))
    return fmean(spearman(*map(np.array, zip(*pairs, strict=True))) for pairs in mixes.values())


def spearman(one: Array, other: Array) -> float:
    """Return the rank correlation, ties sharing their mean rank (Spearman, 1904); 0 where all of one are equal."""
    a, b = (ranks - ranks.mean() for ranks in (_ranks(one), _ranks(other)))
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else 0.0


def _ranks(values: Array) -> Array:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])


if __name__ == "__main__":
    sys.exit(main())
