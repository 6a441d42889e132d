"""The seam to an inference engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cotenant.describe import Array, Precision


class Session(Protocol):
    """Run one loaded model in the calling thread, which gives it its core and its scheduling class."""

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Answer one request; BackendError, with its cause, if the engine fails."""
        ...

    def close(self) -> None:
        """Release what the session holds; nothing may run on it afterwards."""
        ...


class Engine(Protocol):
    """Load models in a pinned precision.

    `shares_sessions`: one session may run in many threads at once; else each lane needs its own.
    `runs_wide`: a session of several threads keeps the class and cores of the thread that loaded it.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Return the version, or the empty string if the engine is not installed."""
        ...

    @property
    def shares_sessions(self) -> bool: ...

    @property
    def runs_wide(self) -> bool: ...

    def precisions(self) -> tuple[Precision, ...]:
        """List what this engine computes natively on this machine."""
        ...

    def load(self, path: Path, precision: Precision, *, threads: int = 1) -> Session:
        """Load an ONNX file on that many non-spinning threads, the caller's included; BackendError if it cannot."""
        ...
