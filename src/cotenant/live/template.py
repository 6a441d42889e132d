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
class _Mould:
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


@dataclass(slots=True, kw_only=True)
class Template:
    """Start a tenant's engine processes by forking one that has its models in memory already.

    What is loaded once is shared until it is written to: a copy starts within milliseconds and takes no more memory than it uses.
    For another order there is another template; the one before stays as long as copies of it do. Where one cannot be copied, since an
    engine leaves threads running or refuses to load there, each process loads for itself.
    """

    nursery: Nursery
    _mould: _Mould | None = None
    _forgone: int = -1
    _closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def loading(self) -> Process | None:
        """Return the template while it loads."""
        mould = self._mould
        return mould.process if mould is not None and mould.is_fit is None else None

    @property
    def pid(self) -> int:
        """Return the number of the process that others are copies of, 0 if there is none."""
        mould = self._mould
        return mould.process.pid if mould is not None and mould.is_fit else 0

    def start(self, order: Order) -> Process:
        """Start a process that serves an order; BackendError where its models cannot be loaded."""
        for _ in range(_ATTEMPTS):
            mould = self._for(order)
            if mould is None:
                break
            try:
                if mould.wait():
                    return _forked(order, mould.link)
            except ConnectionError:
                self._forget(mould)  # it had died, which is noticed when it is asked
            except BackendError:
                self._forget(mould)
                raise
            else:
                self._forgo(mould.order)
        return self.nursery.start(order)

    def start_anew(self, order: Order) -> Process:
        """Start a process that loads for itself, should copies fail for what they are copies of; errors as `start`."""
        self._forgo(order)
        return self.nursery.start(order)

    def tell(self, order: Order) -> None:
        """Have an order loaded for the processes to come; BackendError or OSError where nothing can be started."""
        self._for(order)

    def close(self) -> None:
        """Start nothing from now on; a template ends with its last copy, or at once where whoever waits for it is told."""
        with self._lock:
            self._closed = True
            mould, self._mould = self._mould, None
            if mould is not None:
                mould.stop()

    def _for(self, order: Order) -> _Mould | None:
        """Return the template for an order, which may have to load yet; None where there is to be none."""
        with self._lock:
            known = self._mould
            if known is not None and not set(order.options) <= set(known.order.options):
                self._retire(known)
            if self._mould is None and not self._closed and order.version > self._forgone and not _is_wide(order):
                process, link = self.nursery.start_template(order)
                self._mould = _Mould(order=order, process=process, link=Link(link))
            return self._mould

    def _forgo(self, order: Order) -> None:
        """Have no template for an order."""
        with self._lock:
            self._forgone = max(self._forgone, order.version)
            if self._mould is not None and self._mould.order.version <= self._forgone:
                self._retire(self._mould)

    def _forget(self, mould: _Mould) -> None:
        with self._lock:
            self._retire(mould)

    def _retire(self, mould: _Mould) -> None:
        if self._mould is mould:
            self._mould = None
            mould.retire()


def _forked(order: Order, link: Link) -> Process:
    """Fork a process over a template's link; ConnectionError if the template is gone."""
    link.hold()
    try:
        control, lanes = fork(order, len(order.cores), link.start)
    except BaseException:
        link.release()
        raise
    return Process(control=control, channels=tuple(map(Channel, lanes)), end=link.end, buried=link.release)


def _is_wide(order: Order) -> bool:
    """Say whether an engine is to compute in threads of its own."""
    return any(step.width > 1 for option in order.options for step in option.chain)
