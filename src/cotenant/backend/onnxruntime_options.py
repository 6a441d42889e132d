"""How ONNX Runtime is told to run: few threads, no spinning."""

from __future__ import annotations

from functools import cache
from typing import Any

from cotenant.backend.onnxruntime_library import library, own_failures
from cotenant.describe import Precision

_FATAL = 4  # of ONNX Runtime's severities: what fails is raised, so it need not be printed as well
_ARM_BF16 = "mlas.enable_gemm_fastmath_arm64_bfloat16"


@cache
def failures() -> tuple[type[Exception], ...]:
    """List what the library raises."""
    return (*own_failures(), RuntimeError, ValueError, TypeError, KeyError)


def options(precision: Precision, threads: int) -> Any:
    """Return session options: threads that neither spin nor choose their cores, and silence."""
    module = library()
    asked = module.SessionOptions()
    asked.intra_op_num_threads = threads  # a number given also means no affinity of its own
    asked.inter_op_num_threads = 1
    asked.execution_mode = module.ExecutionMode.ORT_SEQUENTIAL
    asked.log_severity_level = _FATAL
    asked.add_session_config_entry("session.intra_op.allow_spinning", "0")
    asked.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if precision is Precision.BF16:
        asked.add_session_config_entry(_ARM_BF16, "1")
    return asked


@cache
def share_memory() -> None:
    """Register one arena for all sessions that ask for it: a segment by itself would keep what its largest layer takes."""
    module = library()
    place = module.OrtMemoryInfo("Cpu", module.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, module.OrtMemType.DEFAULT)
    module.create_and_register_allocator(place, module.OrtArenaCfg(0, -1, -1, -1))


def in_segments(precision: Precision) -> Any:
    """Return options for a segment, which was optimised with the whole: as its file has it, in memory shared with the others."""
    share_memory()
    asked = options(precision, 1)
    asked.graph_optimization_level = library().GraphOptimizationLevel.ORT_DISABLE_ALL
    asked.add_session_config_entry("session.use_env_allocators", "1")
    return asked
