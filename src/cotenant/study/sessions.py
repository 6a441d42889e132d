"""Sessions as a child loads them."""

from __future__ import annotations

from pathlib import Path

from cotenant.backend import Session, engines
from cotenant.backend.library import complaint
from cotenant.backend.onnxruntime_library import library
from cotenant.describe import Precision
from cotenant.errors import BackendError
from cotenant.study.seat import Manner, Seat

Loaded = tuple[tuple[Session, ...], str]


def load(seat: Seat) -> Loaded:
    """Load one session per client of a seat (the same one where an engine shares it), and name the option they make."""
    match seat.manner:
        case Manner.ONNXRUNTIME_DEFAULT:
            return (_onnxruntime_default(seat.file),) * seat.clients, option_name("onnxruntime", Precision.FP32, seat.manner)
        case Manner.OPENVINO_DEFAULT:
            sessions, precision = _openvino_default(seat.file, seat.clients)
            return sessions, option_name("openvino", precision, seat.manner)
        case Manner.ONE_THREAD:
            return _one_thread(seat), option_name(seat.engine, seat.precision, seat.manner)


def option_name(engine: str, precision: Precision, manner: Manner) -> str:
    """Name what answers under a way, as a plan's option is named: engine, precision, then how."""
    return f"{engine} {precision.value} {'one-thread' if manner is Manner.ONE_THREAD else 'as it comes'}"


def _one_thread(seat: Seat) -> tuple[Session, ...]:
    engine = engines.get(seat.engine)
    count = 1 if engine.shares_sessions else seat.clients
    sessions = tuple(engine.load(Path(seat.file), seat.precision, threads=1) for _ in range(count))
    return sessions * (seat.clients // count)


def _onnxruntime_default(file: str) -> Session:
    from cotenant.backend.onnxruntime import OnnxruntimeSession

    return OnnxruntimeSession(library().InferenceSession(file, providers=["CPUExecutionProvider"]))


def _openvino_default(file: str, clients: int) -> tuple[tuple[Session, ...], Precision]:
    """Compile once, as it comes, with an inference request for each client; say what precision that gave."""
    from cotenant.backend.openvino import OpenvinoSession
    from cotenant.backend.openvino import openvino as engine

    engine.precisions()  # imports the library in the engine's own way, without its telemetry
    import openvino as library

    try:
        compiled = library.Core().compile_model(file, "CPU")
        hint = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    except RuntimeError as error:
        raise BackendError("openvino", f"{file}: {complaint(error)}") from error
    return tuple(OpenvinoSession(compiled) for _ in range(clients)), Precision.BF16 if hint == "bf16" else Precision.FP32
