"""A template: a process that has loaded a tenant's models and runs nothing, so that others are copies of it."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from cotenant.errors import BackendError
from cotenant.live.nursery import fork
from cotenant.live.order import Order
from cotenant.live.process import LOAD_S, Channel, Process
from cotenant.live.wire import KILL, START, Born, Ended, Ready, Refused, send


class Link:
    """Have a template fork and kill copies; it ends with the last who holds its link: who starts copies, and each of these."""

    __slots__ = ("_holders", "_lock", "_socket")

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._holders = 1
        self._lock = threading.Lock()

    def hold(self) -> None:
        """Hold it, until `release`; ConnectionError if nobody does any more."""
        with self._lock:
            if not self._holders:
                raise ConnectionResetError
            self._holders += 1

    def release(self) -> None:
        """Hold it no more."""
        with self._lock:
            self._holders -= 1
            if not self._holders:
                self._socket.close()

    def start(self, *descriptors: int) -> None:
        """Start a copy; ConnectionError if the template is gone."""
        send(self._socket, START, map(os.dup, descriptors))

    def end(self, pid: int) -> None:
        """Kill a copy, if it is still there."""
        with suppress(OSError):
            send(self._socket, KILL + str(pid).encode())


@dataclass(slots=True, kw_only=True, eq=False)
class Template:
    """Hold one template, which is of one version of the order and never another; `is_fit` is None until it has said so."""

    order: Order
    process: Process
    link: Link
    is_fit: bool | None = None
    _is_over: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self) -> bool:
        """Wait until it has loaded; say whether it may be copied.

        BackendError, with the cause, if it dies meanwhile; ConnectionError if nothing is started from it any more.
        """
        with self._lock:
            if self._is_over:
                raise ConnectionResetError
            try:
                while not self._is_known():
                    self._hear(LOAD_S)
            finally:
                if self._is_over:
                    self.process.control.close()
        return self.is_fit is True

    def fork(self, order: Order) -> Process:
        """Start a copy that serves an order; ConnectionError if the template is gone."""
        self.link.hold()
        try:
            control, lanes = fork(order, len(order.cores), self.link.start)
        except BaseException:
            self.link.release()
            raise
        return Process(control=control, channels=tuple(map(Channel, lanes)), end=self.link.end, buried=self.link.release)

    def retire(self) -> None:
        """Start nothing from it any more; it ends with its last copy."""
        self._is_over = True
        self.link.release()
        self._leave()

    def stop(self) -> None:
        """Have it end with its last copy; at once where it has none yet, and whoever waits for it is told."""
        if self.is_fit is None:
            self.process.kill("stopped", spares=False)
        self.retire()

    def _leave(self) -> None:
        """Listen to it no more; who waits for it closes the connection in the end."""
        if self._lock.acquire(blocking=False):
            with suppress(BlockingIOError, BackendError, OSError):
                while self.process.blame and not self.process.pid:  # it is to be ended, and its number may not be known yet
                    self._hear(0.0)
            self.process.control.close()
            self._lock.release()

    def _is_known(self) -> bool:
        """Say whether its number is known, which who forked it tells, and the rest."""
        return self.is_fit is not None and self.process.pid > 0

    def _hear(self, limit_s: float) -> None:
        try:
            word = self.process.hear(limit_s)
        except TimeoutError:
            self.process.kill(f"took more than {LOAD_S:.0f} s to load")
            return
        match word:
            case Born(pid=pid, private_bytes=private_bytes):
                self.process.born(pid, private_bytes)
            case Ready() | Refused() as said:
                self.is_fit = isinstance(said, Ready)
            case Ended() | None:
                cause = self.process.bury(word.status if word else None)
                raise BackendError(next((option.artifact.engine for option in self.order.options), "process"), cause)
