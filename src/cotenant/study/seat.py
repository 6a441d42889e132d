"""What a child process is told to serve."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cotenant.describe import Precision
from cotenant.trace import Trace


class Manner(str, Enum):
    """Say how a model is loaded: as an engine comes, or pinned to a precision on one thread."""

    ONNXRUNTIME_DEFAULT = "onnxruntime-default"
    OPENVINO_DEFAULT = "openvino-default"
    ONE_THREAD = "one-thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Seat one tenant in a child: what to load, and when its clients ask.

    `clients` threads ask. With `arrivals_ns` None each of them keeps one request outstanding, else they take the arrivals
    (instants from the start) in order. `samples` is an .npz, one array per input in order, whose first axis is
    cycled; `shapes` pairs each input with the shape of one request.
    """

    tenant: str
    manner: Manner
    engine: str
    precision: Precision
    file: str
    samples: str
    shapes: tuple[tuple[str, tuple[int, ...]], ...]
    clients: int
    arrivals_ns: tuple[int, ...] | None = None
    deadline_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Tell one child everything: requests arrive in [0, stop_ns), what is unanswered `grace_ns` later is lost.

    `best_effort` puts the threads that ask under SCHED_IDLE; threads that an engine made while it loaded are not among them. With
    `huge_pages` what was loaded is moved onto them, as a device does.
    """

    seats: tuple[Seat, ...]
    stop_ns: int
    grace_ns: int
    best_effort: bool = False
    warm_runs: int = 5
    huge_pages: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Answer the parent with one line: ready, or what went wrong, or what happened."""

    ready: bool = False
    failed: str | None = None
    engine: str = ""
    trace: Trace | None = None
