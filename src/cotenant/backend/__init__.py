"""Engines, and the machine that they run on."""

from __future__ import annotations

from cotenant.backend.engine import Engine, Session
from cotenant.registry import Registry

engines: Registry[Engine] = Registry(
    what="engine",
    package="cotenant.backend",
    group="cotenant.engines",
    besides=("cgroup", "cpuinfo", "engine", "hugepages", "kernel_file", "library", "machine", "scheduling"),
)


def installed() -> tuple[Engine, ...]:
    """List the engines whose library is here, in alphabetical order; never the fake."""
    found = (engines.get(name) for name in engines.names() if name != "fake")
    return tuple(engine for engine in found if engine.version)


__all__ = ["Engine", "Session", "engines", "installed"]
