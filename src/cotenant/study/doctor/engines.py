"""Engines, what may be added to them, and the kernel."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires
from typing import Final

from cotenant.backend import Engine, engines, privileges
from cotenant.backend.library import complaint, installed_version
from cotenant.errors import CotenantError
from cotenant.registry import Registry
from cotenant.study.doctor.classes import grant_realtime
from cotenant.study.doctor.finding import Finding, bad, better, good, unknown
from cotenant.study.doctor.patient import Patient

_DUE: Final = (6, 6)  # since this version, EEVDF: SCHED_IDLE is due its share in the midst of what runs
_SHIPPED: Final = frozenset({"onnxruntime", "openvino"})  # named as their libraries
_FOR_DEVELOPERS: Final = "test"
_EXTRAS: Final[Mapping[str, str]] = {"sim": "compiles the simulator's loop: the same trace, a hundred times as fast"}
_NEEDS: Final = re.compile(r"""^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?[^;]*;.*\bextra\s*==\s*["']([^"']+)["']""")
_BROKEN: Final = (ImportError, OSError, RuntimeError, TypeError, ValueError, AttributeError, CotenantError)


def findings(patient: Patient) -> Iterator[Finding]:
    """Say which engines and extras are installed, and what the kernel's version means."""
    yield from of_engines(engines)
    yield from of_extras(_requirements())
    yield _kernel(patient)


def of_engines(known: Registry[Engine]) -> Iterator[Finding]:
    """Find each engine but the fake; one that is broken is told as such, and the others all the same."""
    for name in known.names():
        if name != "fake":
            yield _engine(name, known)


def _engine(name: str, known: Registry[Engine]) -> Finding:
    what, gains = f"engine ({name})", "a plan chooses the faster engine for each model"
    try:
        engine = known.get(name)
        version = engine.version
        precisions = ", ".join(precision.value for precision in engine.precisions()) if version else ""
    except _BROKEN as error:
        return bad(what, f"does not load: {complaint(error)}", gains, _install(name, "--force-reinstall "))
    if not version:
        return better(what, "not installed", gains, _install(name))
    return good(what, f"{version}: {precisions}", gains)


def of_extras(requirements: Iterable[str]) -> Iterator[Finding]:
    """Find each extra that users may want, by the requirements of the package (`numba>=0.61; extra == "sim"`)."""
    needs: dict[str, list[str]] = {}
    for requirement in requirements:
        if told := _NEEDS.match(requirement):
            needs.setdefault(told[2], []).append(told[1])
    for extra, names in needs.items():
        if extra != _FOR_DEVELOPERS:
            yield _extra(extra, names)


def _extra(extra: str, names: list[str]) -> Finding:
    what, gains = f"extra ({extra})", _EXTRAS.get(extra, f"what needs {', '.join(names)}")
    missing = [name for name in names if not installed_version(name)]
    if missing:
        return better(what, f"{', '.join(missing)} not installed", gains, _pip(f"'cotenant[{extra}]'"))
    return good(what, ", ".join(f"{name} {installed_version(name)}" for name in names), gains)


def _requirements() -> list[str]:
    try:
        return requires("cotenant") or []
    except PackageNotFoundError:
        return []


def _kernel(patient: Patient) -> Finding:
    what, gains = "kernel", "SCHED_IDLE takes next to nothing from rank 0"
    version = privileges.kernel(patient.root)
    if version is None:
        return unknown(what, gains)
    now = "Linux {}.{}".format(*version)
    if version < _DUE:
        return good(what, now, gains)
    if patient.permits.urgent:
        return good(what, now, "since 6.6 SCHED_IDLE is due a share of rank 0's time; not of SCHED_FIFO's")
    gains = "since 6.6 SCHED_IDLE is due a share of rank 0's time; SCHED_FIFO spares it that"
    return better(what, now, gains, grant_realtime(patient))


def _install(engine: str, how: str = "") -> str:
    """Return what installs the library of an engine; of another's engine only its author knows it."""
    return _pip(f"{how}{engine}") if engine in _SHIPPED else f"# install what the engine {engine} needs"


def _pip(what: str) -> str:
    return f"{shlex.quote(sys.executable)} -m pip install {what}"
