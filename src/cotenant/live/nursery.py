"""Engine processes are started here: by a fork server that has imported the engines."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from cotenant.backend import Engine
from cotenant.errors import BackendError
from cotenant.live.order import Order
from cotenant.live.process import Channel, Process
from cotenant.live.wire import KILL, START, TEMPLATE, pair, send, written

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
        self._refuse_unfit(order)
        control, lanes = fork(order, len(order.cores), partial(self._send, START))
        return Process(control=control, channels=tuple(map(Channel, lanes)), end=self._end)

    def start_template(self, order: Order) -> tuple[Process, socket.socket]:
        """Start a process that loads an order's models and runs nothing; return the link, too, over which it forks; errors as `start`."""
        self._refuse_unfit(order)
        control, (link,) = fork(order, 1, partial(self._send, TEMPLATE))
        return Process(control=control, channels=(), end=self._end), link

    def close(self) -> None:
        """End the fork server, and with it every process that is left."""
        self._closed = True
        with self._lock:
            self._stop()

    def _refuse_unfit(self, order: Order) -> None:
        if not sys.platform.startswith("linux"):
            raise BackendError("process", f"isolated: needs Linux; this is {sys.platform}")
        for engine in (option.artifact.engine for option in order.options):
            if engine in self._unfit:
                raise BackendError(engine, f"cannot be taken to a process of its own: {self._unfit[engine]}")

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


def fork(order: Order, lanes: int, ask: Callable[..., None]) -> tuple[socket.socket, tuple[socket.socket, ...]]:
    """Have a process forked: ask with the descriptors of its order, its control and its lanes; return our ends of control and lanes."""
    pairs = [pair() for _ in range(1 + lanes)]
    order_at = written(order)
    try:
        ask(order_at, *(its.fileno() for _, its in pairs))
    except BaseException:
        for own, _ in pairs:
            own.close()
        raise
    finally:
        os.close(order_at)
        for _, its in pairs:
            its.close()
    control, *links = (own for own, _ in pairs)
    return control, tuple(links)


def _unfit(engine: Engine) -> str:
    """Say why an engine cannot be sent to another process; empty if it can."""
    try:
        pickle.dumps(engine)
    except Exception as error:  # noqa: BLE001  # whoever wrote the engine may raise anything
        return f"{type(error).__name__}: {error}"
    return ""
