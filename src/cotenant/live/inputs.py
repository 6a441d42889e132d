"""Tensors that fit a model, or a clear refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cotenant.describe import Array, Model
from cotenant.errors import InputError
from cotenant.registry import nearest


@dataclass(frozen=True, slots=True)
class Specs:
    """Know what one model takes."""

    model: Model
    _wanted: dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]] = field(init=False)

    def __post_init__(self) -> None:
        wanted = {tensor.name: (tensor.shape, np.dtype(tensor.dtype)) for tensor in self.model.inputs}
        object.__setattr__(self, "_wanted", wanted)

    def takes_the_same(self, other: Specs) -> bool:
        """Say whether the inputs of one are inputs of the other."""
        return self._wanted == other._wanted

    def fits(self, inputs: Mapping[str, Array]) -> bool:
        """Say whether tensors are what the model takes."""
        return {name: (array.shape, array.dtype) for name, array in inputs.items()} == self._wanted

    def check(self, tenant: str, inputs: Mapping[str, Array]) -> None:
        """Refuse tensors that are missing, unknown, or of another shape or type than the model's; InputError."""
        wanted = self._wanted
        if not isinstance(inputs, Mapping):
            raise InputError(tenant, type(inputs).__name__, f"arrays by name: {', '.join(wanted)}")
        for name, array in inputs.items():
            if name not in wanted:
                raise InputError(f"{tenant}.{name}", "unknown input", nearest(str(name), tuple(wanted)))
            shape, dtype = wanted[name]
            if not isinstance(array, np.ndarray):
                raise InputError(f"{tenant}.{name}", type(array).__name__, f"a numpy array, {dtype.name} {list(shape)}")
            if array.shape != shape or array.dtype != dtype:
                raise InputError(f"{tenant}.{name}", f"{array.dtype} {list(array.shape)}", f"{dtype.name} {list(shape)}")
        if len(inputs) < len(wanted):
            name = next(name for name in wanted if name not in inputs)
            shape, dtype = wanted[name]
            raise InputError(f"{tenant}.{name}", "missing", f"{dtype.name} {list(shape)}")
