"""ONNX Runtime, imported in one place and without its telemetry."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

_NO_TELEMETRY = "ORT_DISABLE_TELEMETRY"


@cache
def library() -> Any:
    """Return the module `onnxruntime`.

    Left alone, since version 1.29 it writes an identifier of the device into the user's cache folder and reports to a web service, from
    a thread of its own, which also keeps a process from being forked whole. It reads at its first import whether it may.
    """
    os.environ.setdefault(_NO_TELEMETRY, "1")
    import onnxruntime

    return onnxruntime


@cache
def own_failures() -> tuple[type[Exception], ...]:
    """List the exceptions that the library alone raises: they have no common root of their own."""
    library()
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return tuple(e for e in vars(state).values() if isinstance(e, type) and issubclass(e, Exception))
