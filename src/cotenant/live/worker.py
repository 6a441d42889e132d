"""An engine process: loads what it is told, runs what each lane asks."""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from cotenant.backend import Engine, Session
from cotenant.backend.library import complaint
from cotenant.backend.scheduling import SchedulingClass, best_effort, pin
from cotenant.errors import BackendError
from cotenant.live.haste import Haste
from cotenant.live.loaded import Loaded
from cotenant.live.order import Order, posts
from cotenant.live.parcel import Receiver, Sender
from cotenant.live.wire import ANSWERED, CLASSES, REFUSED, REPLY, REQUEST, Ready, Refused, read, receive, say, send

_SOONER = "500"  # of 1000: should memory run out, the kernel is to end an engine process before the one that serves everybody
_CRASHED = 70


def work(engines: Sequence[Engine], order_at: int, control: socket.socket, lanes: Sequence[socket.socket]) -> NoReturn:
    """Serve until the parent is gone; whatever goes wrong ends this process alone."""
    try:
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_SOONER, encoding="ascii")
        _attend(engines, read(order_at), control, lanes)
    except BaseException:  # noqa: BLE001  # the top of a process
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(_CRASHED)


def _attend(engines: Sequence[Engine], order: Order, control: socket.socket, lanes: Sequence[socket.socket]) -> None:
    if order.gentle and not order.critical:
        best_effort()
    loaded = Loaded(engines={e.name: e for e in engines}, platform=order.platform)
    desk = _Desk(loaded=loaded)
    threads = [_Lane(desk=desk, link=link, core=core, critical=order.critical) for link, core in zip(lanes, order.cores, strict=True)]
    numbers = tuple(thread.start() for thread in threads)
    while True:
        say(control, desk.take(order, numbers))
        message, descriptors = receive(control)
        if not message:
            os._exit(0)
        order = read(descriptors[0])


@dataclass(slots=True, kw_only=True)
class _Desk:
    """Hold the sessions of all posts; they are replaced at once, so that lanes may look one up at any time."""

    loaded: Loaded
    sessions: tuple[Session, ...] = ()

    def take(self, order: Order, threads: tuple[int, ...]) -> Ready | Refused:
        """Load and warm what an order asks for; posts of the one before are run meanwhile, and after a refusal."""
        try:
            self.loaded.load(dict.fromkeys(order.options, order.card))
            self.sessions = tuple(self.loaded.session(*post) for post in posts(order.options, order.platform))
        except BackendError as error:
            return Refused(engine=error.engine, story=error.story)
        except Exception as error:  # noqa: BLE001  # an engine is anybody's code; here it harms nobody else
            return Refused(engine=order.options[-1].artifact.engine, story=_raised(error))
        # No collection walks what was loaded while requests are served.
        gc.collect()
        gc.freeze()
        return Ready(version=order.version, threads=threads)


@dataclass(slots=True, kw_only=True)
class _Lane:
    """Run what one lane of the parent asks, on the same core and in the class of whoever asks."""

    desk: _Desk
    link: socket.socket
    core: int | None
    critical: bool
    _haste: Haste = field(default_factory=Haste)
    _given: Receiver = field(default_factory=Receiver)
    _answers: Sender = field(default_factory=Sender)

    def start(self) -> int:
        """Start the thread; return the system's number of it."""
        thread = threading.Thread(target=self._live, name=f"cotenant-lane-{self.core}", daemon=True)
        thread.start()
        return thread.native_id or 0

    def _live(self) -> None:
        try:
            if self.core is not None:
                pin(self.core)
            if not self.critical:
                self._haste.taken = best_effort()
            while True:
                message, descriptors = receive(self.link)
                if not message:
                    return
                self._run(message, descriptors)
        except BaseException:  # noqa: BLE001  # the top of a thread: this lane could not be served any more
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(_CRASHED)

    def _run(self, message: bytes, descriptors: tuple[int, ...]) -> None:
        begun_ns = time.thread_time_ns()
        post, number = REQUEST.unpack_from(message)
        self._haste.take(urgent_now=CLASSES[number] is SchedulingClass.REALTIME)
        inputs = self._given.views(post, message[REQUEST.size :], descriptors)
        try:
            outputs: Mapping[str, object] = self.desk.sessions[post].run(inputs)
            told, created = self._answers.pack(post, outputs)
            kind = ANSWERED
        except BackendError as error:
            kind, told, created = REFUSED, error.story.encode(errors="replace"), ()
        except Exception as error:  # noqa: BLE001  # an engine is anybody's code; here it harms nobody else
            kind, told, created = REFUSED, _raised(error).encode(errors="replace"), ()
        send(self.link, REPLY.pack(kind, time.thread_time_ns() - begun_ns) + told, created)


def _raised(error: Exception) -> str:
    return f"raised {type(error).__name__}: {complaint(error)}"
