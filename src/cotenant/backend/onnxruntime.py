"""ONNX Runtime on the CPU: sessions that any thread may share."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cotenant.backend.cpuinfo import read_cores
from cotenant.backend.engine import Divider
from cotenant.backend.library import complaint, installed_version
from cotenant.backend.onnxruntime_chain import SegmentSession, chained
from cotenant.backend.onnxruntime_divider import OnnxruntimeDivider
from cotenant.backend.onnxruntime_library import library
from cotenant.backend.onnxruntime_options import failures, in_segments, options
from cotenant.describe import Array, Precision
from cotenant.errors import BackendError


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
        except failures() as error:
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
    divider: Divider | None = field(default_factory=OnnxruntimeDivider)

    @property
    def version(self) -> str:
        return installed_version("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino")

    def import_library(self) -> None:
        """Import the library, so that processes that are forked from here have it."""
        library()

    def precisions(self) -> tuple[Precision, ...]:
        """List fp32 and int8, and bf16 on an arm64 that multiplies it."""
        bf16 = (Precision.BF16,) if _has_arm_bf16() else ()
        return (Precision.FP32, *bf16, Precision.INT8)

    def load(self, path: Path, precision: Precision, *, threads: int = 1) -> OnnxruntimeSession:
        """Load a file (int8: with its quantisation in it) on threads that neither spin nor choose their cores."""
        if precision not in self.precisions():
            raise BackendError(self.name, f"{precision.value} is not computed on this machine")
        try:
            asked = options(precision, threads)
            return OnnxruntimeSession(library().InferenceSession(str(path), asked, providers=["CPUExecutionProvider"]))
        except failures() as error:
            raise BackendError(self.name, f"{path}: {complaint(error)}") from error

    def load_chain(self, paths: Sequence[Path], precision: Precision) -> tuple[SegmentSession, ...]:
        """Load the segments of a network that the divider flattened; BackendError if one cannot be, or they do not fit together."""
        try:
            asked = in_segments(precision)
            return chained([library().InferenceSession(str(path), asked, providers=["CPUExecutionProvider"]) for path in paths])
        except failures() as error:
            raise BackendError(self.name, f"{paths[0].parent}: {complaint(error)}") from error


onnxruntime = Onnxruntime()
