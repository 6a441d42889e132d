"""Child processes that start together."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

import msgspec

from cotenant.errors import BackendError
from cotenant.study.seat import Reply
from cotenant.trace import Trace
from cotenant.units import NS_PER_MS, NS_PER_S

LEAD_NS = 200 * NS_PER_MS  # from the last ready to the start: every child has long been told by then
LOAD_S = 300.0
GONE_S = 1.0  # for a child that hung up to end of itself: only then does its exit code tell why


class SilentError(BackendError):
    """A child did not answer in time, and was killed."""


@dataclass(slots=True, kw_only=True)
class Child:
    """Hold a process, and the file that takes its complaints; `silent` says how long it was, if it was killed for that."""

    name: str
    process: subprocess.Popen[bytes]
    complaints: IO[bytes]
    silent: str = ""


def serve(module: str, orders: Sequence[bytes], limit_s: float, labels: Sequence[str] = ()) -> tuple[Trace, ...]:
    """Start a child (`python -m module`) for each order, one line each; once all are ready start them together; return their traces.

    BackendError if a child fails or dies, SilentError if it has not answered `limit_s` after the start (LOAD_S for being ready);
    `labels`, one for each order, tell in the error which child it was. No child outlives the call.
    """
    with _children(module, labels or ("",) * len(orders)) as children:
        with _limited(children, LOAD_S, "to load"):
            for child, order in zip(children, orders, strict=True):
                _tell(child, order)
            for child in children:
                _hear(child)
        start_ns = time.monotonic_ns() + LEAD_NS
        with _limited(children, limit_s + LEAD_NS / NS_PER_S, "to answer"):
            for child in children:
                _tell(child, str(start_ns).encode())
            return tuple(_trace(child) for child in children)


@contextmanager
def _children(module: str, labels: Sequence[str]) -> Iterator[list[Child]]:
    children: list[Child] = []
    try:
        children.extend(_started(module, label) for label in labels)
        yield children
    finally:
        for child in children:
            _ended(child)


def _started(module: str, label: str) -> Child:
    complaints = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the child
    command = [sys.executable, "-m", module]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints)  # noqa: S603  # a module of ours
    return Child(name=f"{module} ({label})" if label else module, process=process, complaints=complaints)


def _ended(child: Child) -> None:
    """Reap a child, so that its CPU time counts as ours from now on."""
    child.process.kill()
    for pipe in (child.process.stdin, child.process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):  # a child that is gone leaves its order unflushed
                pipe.close()
    child.process.wait()
    child.complaints.close()


@contextmanager
def _limited(children: Iterable[Child], limit_s: float, what: str) -> Iterator[None]:
    """Kill the children if the block lasts longer: their silence then ends it."""
    timer = threading.Timer(limit_s, _kill, [children, f"took over {limit_s:.0f} s {what}"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _kill(children: Iterable[Child], silent: str) -> None:
    for child in children:
        child.silent = silent
        child.process.kill()


def _tell(child: Child, line: bytes) -> None:
    pipe = child.process.stdin
    assert pipe is not None
    try:
        pipe.write(line + b"\n")
        pipe.flush()
    except BrokenPipeError as error:
        raise _died(child) from error


def _hear(child: Child) -> Reply:
    pipe = child.process.stdout
    assert pipe is not None
    line = pipe.readline()
    if not line.endswith(b"\n"):
        raise _died(child)
    reply = msgspec.json.decode(line, type=Reply)
    if reply.failed is not None and reply.engine:
        raise BackendError(reply.engine, reply.failed)
    if reply.failed is not None:
        raise BackendError("child", f"{child.name}: {reply.failed}")
    return reply


def _trace(child: Child) -> Trace:
    trace = _hear(child).trace
    if trace is None:
        raise BackendError("child", f"{child.name} answered without a trace")
    return trace


def _died(child: Child) -> BackendError:
    if child.silent:
        return SilentError("child", f"{child.name} {child.silent}")
    end = _end(child.process)
    child.complaints.seek(0)
    lines = child.complaints.read().decode(errors="replace").strip().splitlines()
    return BackendError("child", f"{child.name} {end}: {lines[-1] if lines else 'no word'}")


def _end(process: subprocess.Popen[bytes]) -> str:
    """Say how a child that hung up ended."""
    try:
        return f"ended with {process.wait(GONE_S)}"
    except subprocess.TimeoutExpired:
        return "hung up, but lived on"
