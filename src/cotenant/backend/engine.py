"""The seam to an inference engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from cotenant.describe import Array, Precision, Tensor
from cotenant.errors import BackendError


class CrashError(BackendError):
    """Say that the process of a tenant's engine has ended, or is not there for now: the next one may answer.

    `began`: it had the request, which may be what ended it.
    """

    def __init__(self, engine: str, story: str, *, tenant: str, began: bool) -> None:
        super().__init__(engine, story)
        self.tenant = tenant
        self.began = began


class Session(Protocol):
    """Run one loaded model in the calling thread, which gives it its core and its scheduling class.

    One that computes in another process has an attribute `elsewhere_ns`: the CPU time that its last run took there.
    """

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Answer one request; BackendError, with its cause, if the engine fails, CrashError where another process may answer."""
        ...

    def close(self) -> None:
        """Release what the session holds; nothing may run on it afterwards."""
        ...


class Divider(Protocol):
    """Let a network be taken apart where the engine has put it together."""

    def flatten(self, path: Path, precision: Precision, target: Path) -> None:
        """Write a network as the engine runs it; BackendError if it cannot."""
        ...

    def tensors(self, whole: bytes) -> Mapping[str, Tensor]:
        """Return the tensors of fixed shape among the inputs and outputs of a serialised network, by name."""
        ...

    def times_ns(self, whole: bytes, requests: Sequence[Mapping[str, Array]]) -> Mapping[str, float]:
        """Return how long each node of a serialised network takes, by name."""
        ...


class Engine(Protocol):
    """Load models in a pinned precision.

    `shares_sessions`: one session may run in many threads at once; else each lane needs its own.
    `runs_wide`: a session of several threads keeps the class and cores of the thread that loaded it.
    One that can be pickled may serve in other processes, which start sooner if it has a method `import_library` that starts no thread.
    If it leaves threads running once a model is loaded, an attribute `survives_forks` may say that sessions one thread wide do without
    them, so that a process that has loaded can be forked.
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

    @property
    def divider(self) -> Divider | None:
        """Return what takes networks apart for this engine; None where cutting them costs too much."""
        ...

    def precisions(self) -> tuple[Precision, ...]:
        """List what this engine computes natively on this machine."""
        ...

    def load(self, path: Path, precision: Precision, *, threads: int = 1) -> Session:
        """Load an ONNX file on that many non-spinning threads, the caller's included; BackendError if it cannot."""
        ...

    def load_chain(self, paths: Sequence[Path], precision: Precision) -> tuple[Session, ...]:
        """Load the segments of a network: each runs on what the one before returned, the first on the inputs; the last one answers.

        BackendError if one cannot be loaded.
        """
        ...
