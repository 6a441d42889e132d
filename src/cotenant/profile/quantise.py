"""The int8 form of a model: static, calibrated, QDQ."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from cotenant.backend.library import complaint, installed_version
from cotenant.backend.onnxruntime_library import library, own_failures
from cotenant.describe import Array
from cotenant.errors import BackendError, InputError
from cotenant.profile.samples import Samples

SETTINGS: Final = 1
"""Part of a file's name: raise it whenever the settings below change."""

DRAFT: Final = "draft-"
STALE_S: Final = 3600.0  # no quantising takes so long

PRODUCTS: Final = ("Conv", "ConvTranspose", "MatMul", "Gemm")
CLAMPS: Final = ("Relu", "Clip")
CURVED: Final = frozenset({"Sigmoid", "Softmax", "Tanh", "Erf", "Gelu", "LayerNormalization", "HardSwish", "HardSigmoid"})
"""Where these stand between the products, int8 there costs fidelity and, in conversions, more time than it saves."""


def recipe() -> str:
    """Name the settings and the version of the quantiser: another recipe makes another file."""
    return f"qdq{SETTINGS}-{installed_version('onnxruntime', 'onnxruntime-gpu', 'onnxruntime-openvino')}"


def int8_file(digest: str, samples_key: str, folder: Path) -> Path:
    """Name the int8 file of a model that is calibrated on the samples of this key; it may not exist yet."""
    return folder / "int8" / f"{digest[:24]}-{samples_key}-{recipe()}.onnx"


def quantise(file: Path, samples: Samples, target: Path) -> None:
    """Write the int8 form of a model, all at once; BackendError if it cannot be quantised.

    Activations uint8, weights int8 per channel, ranges the least and greatest over the samples: of what both engines
    compute fast, the most faithful. Products alone are quantised where curved functions stand between them, else every
    operator that can be.
    """
    if not len(samples):
        raise BackendError("quantiser", "no sample is left to calibrate with, besides the two that judge; give three or more")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=DRAFT) as draft, _silence():
            made = _quantise(file, samples, Path(draft))
            with made.open("rb") as written:
                os.fsync(written)  # a machine switched off later must not find half a file
            made.replace(target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise InputError(str(target.parent), error.strerror, "a folder with room for it; COTENANT_CACHE names another") from error
        raise BackendError("quantiser", complaint(error)) from error
    except _failures() as error:
        raise BackendError("quantiser", complaint(error)) from error


def _sweep(folder: Path) -> None:
    """Remove the drafts of processes that were killed."""
    for draft in folder.glob(f"{DRAFT}*"):
        if time.time() - draft.stat().st_mtime > STALE_S:
            shutil.rmtree(draft, ignore_errors=True)


def _quantise(file: Path, samples: Samples, draft: Path) -> Path:
    library()
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ready, made = draft / "ready.onnx", draft / "int8.onnx"
    quant_pre_process(str(file), str(ready), skip_symbolic_shape=True)
    operators = _operators(ready)
    reader = _Reader(samples.request(index) for index in range(len(samples)))
    quantization.quantize_static(
        str(ready), str(made), reader, per_channel=True, op_types_to_quantize=_to_quantise(operators),
        activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
    )  # fmt: skip
    if "DequantizeLinear" not in _operators(made) - operators:
        raise BackendError("quantiser", "nothing in it that can be quantised")
    return made


def _operators(file: Path) -> frozenset[str]:
    import onnx

    return frozenset(node.op_type for node in onnx.load_model(str(file), load_external_data=False).graph.node)


def _to_quantise(operators: frozenset[str]) -> list[str] | None:
    """List the operators to quantise; None for all that can be."""
    return [*PRODUCTS, *CLAMPS] if operators & CURVED else None


def _failures() -> tuple[type[Exception], ...]:
    """List what a quantiser that meets an unforeseen model raises: the libraries' exceptions have no root of their own."""
    import onnx
    from google.protobuf.message import Error as ProtobufError

    usual = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
    return (*own_failures(), *usual, ProtobufError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError)


@dataclass(slots=True)
class _Reader:
    """Hand out one request after the other, as the quantiser wants them."""

    requests: Iterator[dict[str, Array]]

    def get_next(self) -> dict[str, Array] | None:
        return next(self.requests, None)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep the quantiser's own talk from the user, for as long as it works."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
