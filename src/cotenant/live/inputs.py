"""Tensors that fit a model, or a clear refusal."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cotenant.describe import Array, Model
from cotenant.errors import InputError
from cotenant.registry import nearest


def check_inputs(tenant: str, model: Model, inputs: Mapping[str, Array]) -> None:
    """Refuse tensors that are missing, unknown, or of another shape or type than the model's; InputError."""
    known = {tensor.name: tensor for tensor in model.inputs}
    for name, array in inputs.items():
        if name not in known:
            raise InputError(f"{tenant}.{name}", "unknown input", nearest(name, tuple(known)))
        tensor = known[name]
        if not isinstance(array, np.ndarray):
            raise InputError(f"{tenant}.{name}", type(array).__name__, f"a numpy array, {tensor.dtype} {list(tensor.shape)}")
        if array.shape != tensor.shape or array.dtype.name != tensor.dtype:
            raise InputError(f"{tenant}.{name}", f"{array.dtype} {list(array.shape)}", f"{tensor.dtype} {list(tensor.shape)}")
    for name, tensor in known.items():
        if name not in inputs:
            raise InputError(f"{tenant}.{name}", "missing", f"{tensor.dtype} {list(tensor.shape)}")
