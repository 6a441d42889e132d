"""An engine process, seen from the parent."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from cotenant.backend.scheduling import held
from cotenant.describe import Array
from cotenant.errors import BackendError
from cotenant.live.order import Order
from cotenant.live.parcel import Receiver, Sender
from cotenant.live.wire import ANSWERED, CLASSES, REPLY, REQUEST, Word, hear, receive, send, written

LOAD_S = 300.0
"""How long a process may take to load its models."""

GONE_S = 1.0
"""How long the one who notices a death waits to be told of its cause."""


class Ran(NamedTuple):
    """Hold what came of a run elsewhere: outputs, or the cause of failure; and the CPU time that it took there."""

    outputs: Mapping[str, Array]
    failure: str
    cpu_ns: int


class GoneError(Exception):
    """Say that the process is gone; `began` is whether it had been asked."""

    def __init__(self, *, began: bool) -> None:
        super().__init__(began)
        self.began = began


class Channel:
    """Ask an engine process from one lane, one request at a time; `since_ns` is when the one under way was asked, 0 without one."""

    __slots__ = ("_answers", "_asked", "_in_use", "_link", "_over", "bound_ns", "since_ns")

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._asked, self._answers = Sender(), Receiver()
        self._in_use = threading.Lock()
        self._over = False
        self.since_ns = 0
        self.bound_ns = 0

    def ask(self, post: int, inputs: Mapping[str, Array], bound_ns: int) -> Ran:
        """Run a post and wait for what comes of it, in the calling thread's class there, too.

        GoneError if the process dies; BackendError where the inputs cannot be handed over.
        """
        try:
            with self._in_use:
                message, descriptors = self._exchange(post, inputs, bound_ns)
                kind, cpu_ns = REPLY.unpack_from(message)
                rest = message[REPLY.size :]
                if kind != ANSWERED:
                    return Ran(outputs={}, failure=rest.decode(), cpu_ns=cpu_ns)
                return Ran(outputs=self._answers.copies(post, rest, descriptors), failure="", cpu_ns=cpu_ns)
        finally:
            if self._over:
                self._release()

    def _exchange(self, post: int, inputs: Mapping[str, Array], bound_ns: int) -> tuple[bytes, tuple[int, ...]]:
        try:
            told, created = self._asked.pack(post, inputs)
        except OSError as error:
            raise BackendError("process", f"no shared memory for the inputs: {error}") from error
        self.bound_ns, self.since_ns = bound_ns, time.monotonic_ns()
        began = False
        try:
            send(self._link, REQUEST.pack(post, CLASSES.index(held())) + told, created)
            began = True
            message, descriptors = receive(self._link)
        except OSError as error:
            raise GoneError(began=began) from error
        finally:
            self.since_ns = 0
        if not message:
            raise GoneError(began=began)
        return message, descriptors

    def hang_up(self) -> None:
        """Wake whoever waits for an answer, and close once nobody does: a number that is closed too soon may be another's by then."""
        self._over = True
        with suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        if self._in_use.acquire(blocking=False):
            self._in_use.release()
            self._release()

    def _release(self) -> None:
        self._link.close()
        self._asked, self._answers = Sender(), Receiver()


@dataclass(slots=True, kw_only=True)
class Process:
    """Hold an engine process: how to ask it, lane by lane, how to end it, and in the end why it ended.

    `version` of its order is loaded, below 0 for none; `threads` run it, lane by lane. `private_bytes` is what it held before. `buried`
    hears once that it has ended.
    """

    control: socket.socket
    channels: tuple[Channel, ...]
    end: Callable[[int], None]
    buried: Callable[[], None] | None = None
    pid: int = 0
    private_bytes: int = 0
    version: int = -1
    threads: tuple[int, ...] = ()
    blame: str = ""
    spares: bool = True
    _cause: str = ""
    _gone: threading.Event = field(default_factory=threading.Event)

    def hear(self, limit_s: float | None) -> Word | None:
        """Wait for what it, or who forked it, says next; None when both are gone, TimeoutError after the limit."""
        self.control.settimeout(limit_s)
        return hear(self.control)

    def born(self, pid: int, private_bytes: int) -> None:
        """Note its number, and what it had in memory before anything was loaded; end it if that was asked for meanwhile."""
        self.pid, self.private_bytes = pid, private_bytes
        if self.blame:
            self.end(pid)

    @property
    def is_loaded(self) -> bool:
        """Say whether it can be asked."""
        return self.version >= 0

    def tell(self, order: Order) -> None:
        """Have it load what it lacks of another order; one that is gone is not told."""
        with suppress(OSError):
            send(self.control, b"order", (written(order),))

    def kill(self, blame: str, *, spares: bool = True) -> None:
        """End it, for this reason; `spares` says whether what it was asked may be asked again."""
        if not self.blame and not self._gone.is_set():
            self.blame, self.spares = blame, spares
            self.end(self.pid)

    def bury(self, status: int | None) -> str:
        """Note that it has ended, by its exit code or a signal below 0, None where nobody can tell; return the cause."""
        self._cause = self.blame or f"its process died: {_manner(status)}"
        self._gone.set()
        for channel in self.channels:
            channel.hang_up()
        self.control.close()
        if self.buried is not None:
            self.buried()
        return self._cause

    def obituary(self) -> str:
        """Return why it ended, for whom an unanswered request has told that it did."""
        self._gone.wait(GONE_S)
        return self._cause or self.blame or "its process died"


def _manner(status: int | None) -> str:
    if status is None:
        return "what it was forked from is gone"
    return signal.Signals(-status).name if -status in {s.value for s in signal.Signals} else f"exit status {status}"
