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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NoReturn

from cotenant.backend import Session
from cotenant.backend.library import complaint
from cotenant.backend.scheduling import SchedulingClass, best_effort, pin
from cotenant.errors import BackendError
from cotenant.live.haste import Haste
from cotenant.live.loaded import Loaded
from cotenant.live.order import Order, posts
from cotenant.live.parcel import Receiver, Sender
from cotenant.live.wire import ANSWERED, CLASSES, REFUSED, REPLY, REQUEST, Ready, Refused, read, receive, say, send

CRASHED = 70
"""The exit status of a process that cannot go on, for a reason that it has printed."""


def work(desk: Desk, order: Order, control: socket.socket, lanes: Sequence[socket.socket]) -> NoReturn:
    """Serve what is ordered, lane by lane, until the parent is gone."""
    threads = [_Lane(desk=desk, link=link, core=core, critical=order.critical) for link, core in zip(lanes, order.cores, strict=True)]
    numbers = tuple(thread.start() for thread in threads)
    while True:
        say(control, desk.take(order, numbers))
        message, descriptors = receive(control)
        if not message:
            os._exit(0)
        order = read(descriptors[0])


@dataclass(slots=True, kw_only=True)
class Desk:
    """Hold the sessions of all posts; they are replaced at once, so that lanes may look one up at any time."""

    loaded: Loaded
    sessions: tuple[Session, ...] = ()

    def take(self, order: Order, threads: tuple[int, ...]) -> Ready | Refused:
        """Load and warm what an order asks for; posts of the one before are run meanwhile, and after a refusal."""
        try:
            self._load(order)
            self.sessions = tuple(self.loaded.session(*post) for post in posts(order.options, order.platform))
        except BackendError as error:
            return Refused(engine=error.engine, story=error.story, version=order.version)
        except Exception as error:  # noqa: BLE001  # an engine is anybody's code; here it harms nobody else
            return Refused(engine=order.options[-1].artifact.engine, story=_raised(error), version=order.version)
        return Ready(version=order.version, threads=threads)

    def _load(self, order: Order) -> None:
        """Load what is not there yet; a gentle order's in a thread of best effort, and those that it starts."""
        missing = {option: order.card for option in order.options if option not in self.loaded.options}
        if not missing:
            return
        with ThreadPoolExecutor(1, initializer=best_effort if order.is_gentle else None) as pool:
            pool.submit(self.loaded.load, missing).result()
        # No collection walks what was loaded while requests are served.
        gc.collect()
        gc.freeze()


@dataclass(slots=True, kw_only=True)
class _Lane:
    """Run what one lane of the parent asks, on the same core and in the class of whoever asks."""

    desk: Desk
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
            os._exit(CRASHED)

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
