"""A learnt estimate of every tenant's P under a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from cotenant.errors import InputError
from cotenant.search.menu import Choice, Menu, Vector

Array = NDArray[np.float64]

PLACE_FEATURES, TENANT_FEATURES = 6, 8
WEIGHTS = Path(__file__).with_name("_rankmap.npz")
LAYERS = ("place1", "place2", "tenant1", "tenant2")
"""Each is a matrix `NAME.w`, shape (inputs, outputs), and a vector `NAME.b` of the file."""

_SCALE = 4.0  # of counts, so that they are about 1


def features(menu: Menu, choice: Choice) -> tuple[Array, Array]:
    """Describe every tenant in its mix: shapes (tenants, processors, PLACE_FEATURES) and (tenants, TENANT_FEATURES).

    The others count only by sums and greatest values over them, so their order does not matter, nor does that of the processors. Loads
    are shares of a processor that a tenant would keep busy at its solo rate.
    """
    k = np.asarray(choice, dtype=np.intp)
    own = (menu.lane_s[:, k] * menu.solo_per_s / menu.lanes[:, None]).T
    others = own.sum(axis=0) - own
    is_there = (own > 0).astype(np.float64)
    weighted = (menu.weight @ own - menu.weight[:, None] * own) / menu.weight[:, None]
    places = np.stack([own, others, _greatest_other(own), (is_there.sum(axis=0) - is_there) / _SCALE, weighted, is_there], axis=2)
    visits = np.array([float(len(menu.routes[option])) for option in choice])
    tenants = np.stack(
        [
            menu.latency_s[k] * menu.solo_per_s / menu.lanes.sum(), menu.most[k], np.full(len(k), (len(k) - 1) / _SCALE), visits / _SCALE,
            own.sum(axis=1), others.sum(axis=1), np.log(menu.weight / menu.weight.mean()), menu.floor,
        ],
        axis=1,
    )  # fmt: skip
    return places, tenants


def _greatest_other(own: Array) -> Array:
    """Return for each tenant the greatest load of another on each processor; 0 where there is none."""
    if len(own) == 1:
        return np.zeros_like(own)
    first, second = np.sort(own, axis=0)[[-1, -2]]
    return np.asarray(np.where(own == first, second, first))


def forward(weights: Mapping[str, Array], places: Array, tenants: Array, most: Array) -> Array:
    """Return the P of each tenant, from 0 to `most`: what each processor means to it, added up and at its greatest, then one number.

    Shapes (..., processors, PLACE_FEATURES), (..., TENANT_FEATURES) and (...): any number of mixes at once.
    """
    hidden = _rectified(weights, "place2", _rectified(weights, "place1", places))
    joined = np.concatenate([hidden.sum(axis=-2), hidden.max(axis=-2), tenants], axis=-1)
    last = _rectified(weights, "tenant1", joined) @ weights["tenant2.w"] + weights["tenant2.b"]
    return np.asarray(most * (1 + np.tanh(last[..., 0] / 2)) / 2)


def _rectified(weights: Mapping[str, Array], layer: str, inputs: Array) -> Array:
    return np.maximum(inputs @ weights[f"{layer}.w"] + weights[f"{layer}.b"], 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimator:
    """Foresee P by a small network over processors and tenants (after Zaheer et al., Deep Sets, NeurIPS 2017)."""

    weights: Mapping[str, Array]

    def __post_init__(self) -> None:
        for layer in LAYERS:
            for name in (f"{layer}.w", f"{layer}.b"):
                if name not in self.weights:
                    raise InputError("estimator", f"no {name}", f"weights and biases of {', '.join(LAYERS)}")
        wide = {layer: self.weights[f"{layer}.w"].shape for layer in LAYERS}
        expected = {
            "place1": PLACE_FEATURES, "place2": wide["place1"][-1],
            "tenant1": 2 * wide["place2"][-1] + TENANT_FEATURES, "tenant2": wide["tenant1"][-1],
        }  # fmt: skip
        for layer, inputs in expected.items():
            if len(wide[layer]) != 2 or wide[layer][0] != inputs:
                raise InputError(f"estimator.{layer}.w", wide[layer], f"a matrix with {inputs} rows")

    def predict(self, menu: Menu, choice: Choice) -> list[float]:
        """Return the P of each tenant."""
        places, tenants = features(menu, choice)
        most: Vector = menu.most[np.asarray(choice, dtype=np.intp)]
        return forward(self.weights, places, tenants, most).tolist()  # type: ignore[no-any-return]


def load(path: Path) -> Estimator:
    """Read an estimator's weights; InputError where there are none, or others are needed."""
    try:
        with path.open("rb") as opened:
            weights = _arrays(opened)
    except FileNotFoundError as error:
        raise InputError("estimator", f"no weights at {path}", "NAME/exact searches without an estimator; or train one") from error
    except (BadZipFile, EOFError, OSError, ValueError) as error:
        raise InputError("estimator", f"{path}: {error}", "an .npz of numbers") from error
    return Estimator(weights=weights)


def _arrays(opened: BinaryIO) -> dict[str, Array]:
    file = np.load(opened, allow_pickle=False)
    if not isinstance(file, NpzFile):
        raise ValueError("one array without a name")  # noqa: TRY004  the file's kind, not a type
    return {name: np.asarray(file[name], dtype=np.float64) for name in file.files}


def shipped() -> Estimator:
    """Read the weights that come with the package; InputError where it was built without."""
    return load(WEIGHTS)
