"""ONNX Runtime on the CPU: sessions that any thread may share."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cotenant.backend.cpuinfo import read_cores
from cotenant.backend.library import complaint, installed_version
from cotenant.describe import Array, Precision
from cotenant.errors import BackendError

_FATAL = 4  # of ONNX Runtime's severities: what fails is raised, so it need not be printed as well
_ARM_BF16 = "mlas.enable_gemm_fastmath_arm64_bfloat16"


@cache
def _failures() -> tuple[type[Exception], ...]:
    """List what the library raises: its exceptions have no common root of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = (e for e in vars(state).values() if isinstance(e, type) and issubclass(e, Exception))
    return (*own, RuntimeError, ValueError, TypeError)


@cache
def _has_arm_bf16() -> bool:
    return platform.machine() in ("aarch64", "arm64") and any("bf16" in core.flags for core in read_cores(Path("/")))


class OnnxruntimeSession:
    """Run a loaded model; many threads may, at once."""

    __slots__ = ("_outputs", "_session")

    def __init__(self, session: Any) -> None:
        self._session = session
        self._outputs = [output.name for output in session.get_outputs()]

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return the outputs by name, in arrays of their own; BackendError if the library refuses."""
        session, names = self._session, self._outputs
        if session is None:
            raise BackendError("onnxruntime", "the session is closed")
        try:
            return dict(zip(names, session.run(names, inputs), strict=True))
        except _failures() as error:
            raise BackendError("onnxruntime", complaint(error)) from error

    def close(self) -> None:
        """Let go of the model; its memory is freed once no thread runs on it."""
        self._session = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Onnxruntime:
    """Load models into one ONNX Runtime session for all threads."""

    name: str = "onnxruntime"
    shares_sessions: bool = True
    runs_wide: bool = True

    @property
    def version(self) -> str:
        return installed_version("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino")

    def precisions(self) -> tuple[Precision, ...]:
        """List fp32 and int8, and bf16 on an arm64 that multiplies it."""
        bf16 = (Precision.BF16,) if _has_arm_bf16() else ()
        return (Precision.FP32, *bf16, Precision.INT8)

    def load(self, path: Path, precision: Precision, *, threads: int = 1) -> OnnxruntimeSession:
        """Load a file (int8: with its quantisation in it) on threads that neither spin nor choose their cores."""
        if precision not in self.precisions():
            raise BackendError(self.name, f"{precision.value} is not computed on this machine")
        import onnxruntime as library

        try:
            options = _options(library, precision, threads)
            return OnnxruntimeSession(library.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))
        except _failures() as error:
            raise BackendError(self.name, f"{path}: {complaint(error)}") from error


def _options(library: Any, precision: Precision, threads: int) -> Any:
    options = library.SessionOptions()
    options.intra_op_num_threads = threads  # a number given also means no affinity of its own
    options.inter_op_num_threads = 1
    options.execution_mode = library.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if precision is Precision.BF16:
        options.add_session_config_entry(_ARM_BF16, "1")
    return options


onnxruntime = Onnxruntime()
