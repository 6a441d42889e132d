"""A template: a process that has loaded a tenant's models and runs nothing, so that others are copies of it."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from cotenant.errors import BackendError
from cotenant.live.nursery import Nursery, fork
from cotenant.live.order import Order
from cotenant.live.process import LOAD_S, Channel, Process
from cotenant.live.wire import KILL, START, Born, Ended, Ready, Refused, send

_ATTEMPTS = 2


@dataclass(slots=True, kw_only=True)
class Template:
    """Start a tenant's engine processes by forking one that has its models in memory already.

    What is loaded once is shared until it is written to: a copy starts within milliseconds and takes no more memory than it uses.
    Where an engine leaves threads running a copy would not be whole; then each process loads for itself. `process` is None before the
    first start, and then too.
    """

    nursery: Nursery
    process: Process | None = None
    _link: socket.socket | None = None
    _told: int = -1
    _is_fit: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, order: Order) -> Process:
        """Start a process that serves an order; BackendError where its models cannot be loaded."""
        with self._lock:
            for _ in range(_ATTEMPTS):
                link = self._prepared(order) if self._is_fit and not _is_wide(order) else None
                if link is None:
                    break
                with suppress(OSError):
                    return _forked(order, link)
                self._drop()  # it had died, which is noticed when it is asked
        return self.nursery.start(order)

    def start_anew(self, order: Order) -> Process:
        """Start a process that loads for itself, should copies fail for what they are copies of; errors as `start`."""
        return self.nursery.start(order)

    def tell(self, order: Order) -> None:
        """Have it load what it lacks of another order, for the processes to come."""
        if self.process is not None:
            self._told = order.version
            self.process.tell(order)

    def close(self) -> None:
        """End it; whoever waits for it to load is told."""
        if self.process is not None:
            self.process.kill("stopped", spares=False)

    def release(self) -> None:
        """Let go of it; nothing is started from now on."""
        with self._lock:
            self._drop()

    def _prepared(self, order: Order) -> socket.socket | None:
        """Return the link over which it forks, once it has loaded an order; None where it cannot be forked."""
        if self.process is None:
            self.process, self._link = self.nursery.start_template(order)
            self._told = order.version
        elif self._told < order.version:
            self.tell(order)
        while self.process.version < order.version:
            self._hear(self.process, order)
        if self.process.threads:
            self._is_fit = False
            self._drop()
        return self._link

    def _hear(self, process: Process, order: Order) -> None:
        """Take in the next that it says; BackendError where it dies, or refuses this order."""
        try:
            word = process.hear(LOAD_S)
        except TimeoutError:
            process.kill(f"took more than {LOAD_S:.0f} s to load")
            return
        match word:
            case Born(pid=pid, private_bytes=private_bytes):
                process.born(pid, private_bytes)
            case Ready(version=version, threads=threads):
                process.version, process.threads = version, threads
            case Refused(engine=engine, story=story, version=version) if version == order.version:
                if not process.is_loaded:
                    self._drop()
                raise BackendError(engine, story)
            case Refused():
                pass  # an order that was taken back since
            case Ended() | None:
                cause = process.bury(word.status if word else None)
                self._drop()
                raise BackendError(next((option.artifact.engine for option in order.options), "process"), cause)

    def _drop(self) -> None:
        process, link = self.process, self._link
        self.process = self._link = None
        if process is not None:
            process.kill("replaced")
            process.control.close()
        if link is not None:
            link.close()


def _forked(order: Order, link: socket.socket) -> Process:
    """Fork a process over a template's link; OSError if the template is gone."""

    def ask(*descriptors: int) -> None:
        send(link, START, map(os.dup, descriptors))

    def end(pid: int) -> None:
        with suppress(OSError):
            send(link, KILL + str(pid).encode())

    control, lanes = fork(order, len(order.cores), ask)
    return Process(control=control, channels=tuple(map(Channel, lanes)), end=end)


def _is_wide(order: Order) -> bool:
    """Say whether an engine is to compute in threads of its own."""
    return any(step.width > 1 for option in order.options for step in option.chain)
