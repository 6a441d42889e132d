"""A network as ONNX Runtime would run it, to be taken apart."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cotenant.backend.library import complaint
from cotenant.backend.onnxruntime_chain import DTYPES
from cotenant.backend.onnxruntime_library import library
from cotenant.backend.onnxruntime_options import failures, options
from cotenant.describe import Array, Precision, Tensor
from cotenant.errors import BackendError

_TOLD = "_kernel_time"  # what follows a node's name in ONNX Runtime's own profile
_NS_PER_US = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxruntimeDivider:
    """Write a network with its operators fused and laid out for this machine, say what its tensors are, and time its nodes.

    Cut there, its segments compute what the whole does, bit by bit: cut before, they are optimised each by itself.
    """

    def flatten(self, path: Path, precision: Precision, target: Path) -> None:
        """Write the network as it is run; BackendError if it cannot be loaded."""
        asked = options(precision, 1)
        asked.optimized_model_filepath = str(target)
        _session(str(path), asked)

    def tensors(self, whole: bytes) -> Mapping[str, Tensor]:
        """Return the tensors of fixed shape among the inputs and outputs of a serialised network, by name."""
        session = _session(whole, _as_it_is())
        ends = (*session.get_inputs(), *session.get_outputs())
        fixed = (end for end in ends if end.type in DTYPES and all(isinstance(size, int) for size in end.shape))
        return {end.name: Tensor(name=end.name, dtype=DTYPES[end.type], shape=tuple(end.shape)) for end in fixed}

    def times_ns(self, whole: bytes, requests: Sequence[Mapping[str, Array]]) -> Mapping[str, float]:
        """Return the median time of each node, by name, over these requests, each run once."""
        asked = _as_it_is()
        with tempfile.TemporaryDirectory(prefix="cotenant-") as folder:
            asked.enable_profiling = True
            asked.profile_file_prefix = str(Path(folder) / "nodes")
            session = _session(whole, asked)
            try:
                for request in requests:
                    session.run(None, request)
            except failures() as error:
                raise BackendError("onnxruntime", complaint(error)) from error
            finally:
                file = Path(session.end_profiling())
            told = json.loads(file.read_text())
            with suppress(OSError):
                file.unlink()
        return _medians_ns(told)


def _as_it_is() -> Any:
    """Return options by which a network is run on one thread as its file has it."""
    asked = options(Precision.FP32, 1)
    asked.graph_optimization_level = library().GraphOptimizationLevel.ORT_DISABLE_ALL
    return asked


def _session(network: str | bytes, asked: Any) -> Any:
    try:
        return library().InferenceSession(network, asked, providers=["CPUExecutionProvider"])
    except failures() as error:
        raise BackendError("onnxruntime", complaint(error)) from error


def _medians_ns(events: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    times_ns: dict[str, list[float]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and str(event.get("name", "")).endswith(_TOLD):
            times_ns[event["name"].removesuffix(_TOLD)].append(event["dur"] * _NS_PER_US)
    return {name: median(found) for name, found in times_ns.items()}
