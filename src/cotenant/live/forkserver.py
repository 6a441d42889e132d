"""The process that engine processes are forked from: `python -m cotenant.live.forkserver`."""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from cotenant.backend import Engine
from cotenant.backend.parent import die_with_parent
from cotenant.live.resident import private_bytes
from cotenant.live.wire import KILL, START, Born, Ended, Refused, read, receive, say
from cotenant.live.worker import work


def attend() -> NoReturn:
    """Fork engine processes as told on standard input, and say how each ended; when the parent is gone, they end too.

    The engines have been imported here, which takes most of the time of a start, and no thread runs here, so that a fork is whole.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    link = socket.socket(fileno=os.dup(0))
    _forgo_standard_streams()
    _Nursery(link=link, engines=_equipped(link)).run()
    os._exit(0)


def _forgo_standard_streams() -> None:
    """Leave no link in the hands of engines: they read nothing, and what they print goes to standard error."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    with suppress(OSError):
        os.dup2(2, 1)


def _equipped(link: socket.socket) -> tuple[Engine, ...]:
    """Take the parent's module path and engines, and import their libraries."""
    _, descriptors = receive(link)
    if not descriptors:
        os._exit(0)
    sys.path[:], pickled = read(descriptors[0]), descriptors[1]
    engines: tuple[Engine, ...] = read(pickled)
    for engine in engines:
        with suppress(Exception):  # whoever asks for it is told when it loads
            getattr(engine, "import_library", lambda: None)()
    gc.collect()
    gc.freeze()  # pages that no collection writes to stay shared
    return engines


@dataclass(slots=True, kw_only=True)
class _Nursery:
    """Hold the engine processes by number, each with the connection over which its parent hears of its end."""

    link: socket.socket
    engines: Sequence[Engine]
    children: dict[int, socket.socket] = field(default_factory=dict)

    def run(self) -> None:
        """Serve until the parent is gone; then end all."""
        ended, told = os.pipe()
        os.set_blocking(told, False)  # its only way
        os.set_blocking(ended, False)  # its only way
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as waited:
            waited.register(self.link, selectors.EVENT_READ)
            waited.register(ended, selectors.EVENT_READ)
            while self._serve({key.fileobj for key, _ in waited.select()}, ended):
                pass
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)

    def _serve(self, ready: set[object], ended: int) -> bool:
        if ended in ready:
            os.read(ended, 4096)
            self._bury()
        return self.link not in ready or self._do(*receive(self.link))

    def _do(self, message: bytes, descriptors: tuple[int, ...]) -> bool:
        """Do as told; say False when the parent is gone."""
        match message[:1]:
            case kind if kind == START:
                self._start(*descriptors)
            case kind if kind == KILL:
                pid = int(message[1:])
                if pid in self.children:  # not yet buried, so that the number is still its own
                    os.kill(pid, signal.SIGKILL)
        return bool(message)

    def _bury(self) -> None:
        """Say of each that has ended how."""
        for pid in list(self.children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                with suppress(OSError), self.children.pop(pid) as control:
                    say(control, Ended(status=os.waitstatus_to_exitcode(status)))

    def _start(self, order_at: int, control_at: int, *lanes_at: int) -> None:
        control, parent = socket.socket(fileno=control_at), os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            with suppress(OSError), control:
                say(control, Refused(engine="process", story=f"cannot be forked: {error}"))
        else:
            if pid == 0:
                self._become(parent, order_at, control, lanes_at)
            self.children[pid] = control
            with suppress(OSError):
                say(control, Born(pid=pid, private_bytes=private_bytes(parent)))
        for descriptor in (order_at, *lanes_at):
            os.close(descriptor)

    def _become(self, parent: int, order_at: int, control: socket.socket, lanes_at: Sequence[int]) -> NoReturn:
        """Be an engine process that dies with its parent, without what is the parent's."""
        die_with_parent()
        if os.getppid() != parent:
            os._exit(0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for held in (self.link, *self.children.values()):
            held.close()
        work(self.engines, order_at, control, [socket.socket(fileno=lane) for lane in lanes_at])


if __name__ == "__main__":
    attend()
