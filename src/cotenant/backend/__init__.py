"""Engines, and the machine that they run on."""

from __future__ import annotations

from cotenant.backend.engine import Divider, Engine, Session
from cotenant.registry import Registry

engines: Registry[Engine] = Registry(
    what="engine",
    package="cotenant.backend",
    group="cotenant.engines",
    besides=(
        "cgroup", "climate", "corelists", "cpuinfo", "engine", "freed", "hugepages", "kernel_file", "library", "machine", "occupancy",
        "onnxruntime_chain", "onnxruntime_divider", "onnxruntime_library", "onnxruntime_options",
        "parent", "permits", "privileges", "scheduling",
    ),
)  # fmt: skip


def installed() -> tuple[Engine, ...]:
    """List the engines whose library is here, in alphabetical order; never the fake."""
    found = (engines.get(name) for name in engines.names() if name != "fake")
    return tuple(engine for engine in found if engine.version)


__all__ = ["Divider", "Engine", "Session", "engines", "installed"]
