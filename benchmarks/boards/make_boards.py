"""Make the boards of published figures: `python benchmarks/boards/make_boards.py [FOLDER] [--shape nearest|fitted|flop] [--only NAME]`.

FOLDER holds the tables that `figures.py` names; without it, `data/boards` of a folder `shared` above this repository is looked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that a script finds its neighbours as a test does

from benchmarks.boards import khadas_vim3, ncnn, rk3399pro
from benchmarks.boards.chips import JETSON_ORIN, KIRIN970, RK3588S, RPI4
from benchmarks.boards.figures import FILES, ROOT, found
from benchmarks.boards.sheet import Sheet, text

BOARDS = ROOT / "src" / "cotenant" / "describe" / "boards"

SHEETS: dict[str, Callable[[Path, str], Sheet]] = {
    "rk3399pro": lambda folder, _: rk3399pro.sheet(folder),
    "khadas_vim3": lambda folder, _: khadas_vim3.sheet(folder),
    "rk3588s": lambda folder, how: ncnn.sheet(RK3588S, folder, how),
    "kirin970": lambda folder, how: ncnn.sheet(KIRIN970, folder, how),
    "jetson_orin": lambda folder, how: ncnn.sheet(JETSON_ORIN, folder, how),
    "rpi4": lambda folder, how: ncnn.sheet(RPI4, folder, how),
}


def main() -> None:
    given = _given()
    folder = found(given.folder)
    if folder is None:
        sys.exit(f"no {', '.join(FILES)}: give the folder that holds the published figures (shared/data/boards)")
    for name in given.only or SHEETS:
        (BOARDS / f"{name}.yaml").write_text(made(name, folder, given.shape))


def made(name: str, folder: Path, shape: str = "nearest") -> str:
    """Return the whole file of a board."""
    return text(SHEETS[name](folder, shape))


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--shape", choices=ncnn.SHAPES, default="nearest", help="how a whole network's time is spread over its segments")
    parser.add_argument("--only", nargs="*", choices=list(SHEETS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
