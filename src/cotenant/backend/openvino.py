"""OpenVINO on the CPU: one compiled model per lane."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np

from cotenant.backend.engine import Divider
from cotenant.backend.library import complaint, installed_version
from cotenant.describe import Array, Precision
from cotenant.errors import BackendError

# Left alone, OpenVINO computes in bf16 wherever the CPU can. What an int8 file leaves unquantised is computed in fp32,
# as the file says.
_HINT = {Precision.FP32: "f32", Precision.INT8: "f32", Precision.BF16: "bf16"}
_FAILURES = (RuntimeError, TypeError, ValueError)
_IMPORTING = Lock()
_TELEMETRY = "openvino_telemetry"


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Hide the module that, while OpenVINO is imported, forks a process to report to a web service."""
    if _TELEMETRY in sys.modules:
        yield
        return
    hidden: dict[str, ModuleType | None] = {_TELEMETRY: None}
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None means: raise ImportError
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]


@cache
def _library() -> Any:
    with _IMPORTING, _without_telemetry():
        import openvino as library

        # The bindings make their link to NumPy at first use, and two threads that come to it together wait for each other for
        # ever (one in a C++ static's guard, one for the interpreter's lock): so it is made here, by one thread.
        library.Tensor(np.zeros(1, dtype=np.float32)).data.copy()
        return library


@cache
def _core() -> Any:
    return _library().Core()


@cache
def _capabilities() -> frozenset[str]:
    return frozenset(_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Input:
    """Hold the view of the engine's own memory into which an input is copied."""

    name: str
    view: Array

    def fill(self, array: Array) -> None:
        view = self.view
        if array.shape != view.shape or array.dtype != view.dtype:
            wanted, given = (f"{a.dtype} {list(a.shape)}" for a in (view, array))
            raise BackendError("openvino", f"input {self.name} is {given}; {wanted} is wanted")
        view[...] = array


class OpenvinoSession:
    """Run a compiled model in the calling thread; one thread at a time."""

    __slots__ = ("_inputs", "_outputs", "_request")

    def __init__(self, compiled: Any) -> None:
        request = compiled.create_infer_request()
        self._inputs = tuple(
            _Input(name=_name(port), view=request.get_input_tensor(index).data) for index, port in enumerate(compiled.inputs)
        )
        self._outputs = tuple(_name(port) for port in compiled.outputs)
        self._request = request

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return the outputs by name, copied out of the engine's memory; BackendError for inputs that do not fit."""
        request = self._request
        if request is None:
            raise BackendError("openvino", "the session is closed")
        try:
            for slot in self._inputs:
                slot.fill(inputs[slot.name])
            request.infer(share_outputs=True)  # the inputs are in place and the outputs read below: nothing to convert
            return {name: request.get_output_tensor(index).data.copy() for index, name in enumerate(self._outputs)}
        except KeyError as error:
            raise BackendError("openvino", f"input {error} is missing") from error
        except _FAILURES as error:
            raise BackendError("openvino", complaint(error)) from error

    def close(self) -> None:
        """Let go of the model and of the engine's memory."""
        self._request = None
        self._inputs = ()


def _name(port: Any) -> str:
    """Return the name in the ONNX file: a port may carry those of tensors merged with it."""
    friendly = str(port.node.friendly_name).removesuffix("/sink_port_0")
    return friendly if friendly in port.names else str(port.any_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Openvino:
    """Compile models, one for each lane: only so do the caller's class, affinity and CPU clock hold."""

    name: str = "openvino"
    shares_sessions: bool = False
    survives_forks: bool = True  # a stream of one thread is the caller's: those that the library keeps have nothing to do
    runs_wide: bool = False
    divider: Divider | None = None  # cut, its int8 networks take half as long again

    @property
    def version(self) -> str:
        return installed_version("openvino")

    def import_library(self) -> None:
        """Import the library, so that processes that are forked from here have it; it starts no thread."""
        _library()

    def precisions(self) -> tuple[Precision, ...]:
        """List fp32, and of bf16 and int8 what the CPU is reported to compute."""
        wanted = ((Precision.BF16, "BF16"), (Precision.INT8, "INT8"))
        return (Precision.FP32, *(precision for precision, name in wanted if name in _capabilities()))

    def load(self, path: Path, precision: Precision, *, threads: int = 1) -> OpenvinoSession:
        """Compile a file of fixed shapes with its precision pinned; BackendError if it cannot."""
        if precision not in self.precisions():
            raise BackendError(self.name, f"{precision.value} is not computed on this machine")
        try:
            model = _core().read_model(str(path))
            if model.is_dynamic() and any(port.partial_shape.is_dynamic for port in model.inputs):
                raise BackendError(self.name, f"{path}: has inputs without a fixed shape")
            return OpenvinoSession(_core().compile_model(model, "CPU", _properties(precision, threads)))
        except _FAILURES as error:
            raise BackendError(self.name, f"{path}: {complaint(error)}") from error

    def load_chain(self, paths: Sequence[Path], _precision: Precision) -> tuple[OpenvinoSession, ...]:
        """Refuse: nothing is cut for this engine; BackendError."""
        raise BackendError(self.name, f"{paths[0].parent}: runs networks whole")


def _properties(precision: Precision, threads: int) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": _HINT[precision],
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,  # 32 by default: it would quantise what nobody asked to
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,
    }


openvino = Openvino()
