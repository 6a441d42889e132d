"""Engine processes are started here: by a fork server that has imported the engines."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

from cotenant.backend import Engine
from cotenant.errors import BackendError
from cotenant.live.order import Order
from cotenant.live.process import Channel, Process
from cotenant.live.wire import KILL, START, pair, send, written

_STOP_S = 5.0


class Nursery:
    """Start engine processes, and end them; the fork server starts with the first one, and again if it dies."""

    __slots__ = ("_closed", "_engines", "_link", "_lock", "_server", "_unfit")

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._unfit = {engine.name: cause for engine in engines if (cause := _unfit(engine))}
        self._engines = tuple(engine for engine in engines if engine.name not in self._unfit)
        self._lock = threading.Lock()
        self._closed = False
        self._server: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None

    def start(self, order: Order) -> Process:
        """Start a process that serves an order; BackendError where that cannot be."""
        if not sys.platform.startswith("linux"):
            raise BackendError("process", f"isolated: needs Linux; this is {sys.platform}")
        for engine in (option.artifact.engine for option in order.options):
            if engine in self._unfit:
                raise BackendError(engine, f"cannot be taken to a process of its own: {self._unfit[engine]}")
        (control, its_control), lanes = pair(), [pair() for _ in order.cores]
        ours, theirs = [control, *(own for own, _ in lanes)], [its_control, *(its for _, its in lanes)]
        order_at = written(order)
        try:
            self._send(START, order_at, *(end.fileno() for end in theirs))
        except BaseException:
            for end in ours:
                end.close()
            raise
        finally:
            os.close(order_at)
            for end in theirs:
                end.close()
        return Process(control=control, channels=tuple(Channel(own) for own, _ in lanes), end=self._end)

    def close(self) -> None:
        """End the fork server, and with it every process that is left."""
        self._closed = True
        with self._lock:
            self._stop()

    def _end(self, pid: int) -> None:
        with suppress(OSError), self._lock:
            if self._link is not None:
                send(self._link, KILL + str(pid).encode())

    def _send(self, message: bytes, *descriptors: int) -> None:
        """Send a message, with copies of descriptors; to a new fork server where there is none."""
        with self._lock:
            try:
                send(self._running(), message, map(os.dup, descriptors))
            except OSError:
                self._stop()
                send(self._running(), message, map(os.dup, descriptors))

    def _running(self) -> socket.socket:
        if self._closed:
            raise BackendError("process", "the device is closed")
        if self._link is None:
            self._link, its = pair()
            path = [entry or str(os.getcwd()) for entry in sys.path]  # noqa: PTH109  # as Python itself writes it
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "OPENBLAS_NUM_THREADS": "1"}
            with its:
                self._server = subprocess.Popen([sys.executable, "-m", "cotenant.live.forkserver"], stdin=its.fileno(), env=environment)
            send(self._link, START, (written(path), written(self._engines)))
        return self._link

    def _stop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
        if self._server is not None:
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(_STOP_S)
            self._server.kill()
            self._server.wait()
            self._server = None


def _unfit(engine: Engine) -> str:
    """Say why an engine cannot be sent to another process; empty if it can."""
    try:
        pickle.dumps(engine)
    except Exception as error:  # noqa: BLE001  # whoever wrote the engine may raise anything
        return f"{type(error).__name__}: {error}"
    return ""
