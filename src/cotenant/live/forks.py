"""Forking engine processes: from one that has imported the engines, or from a template."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from cotenant.backend import Engine
from cotenant.backend.parent import die_with_parent
from cotenant.live.loaded import Loaded
from cotenant.live.order import Order
from cotenant.live.resident import private_bytes
from cotenant.live.wire import KILL, START, TEMPLATE, Born, Ended, Refused, read, receive, say
from cotenant.live.worker import CRASHED, Desk, work

_SOONER = "500"  # of 1000: should memory run out, the kernel is to end an engine process before the one that serves everybody
_POLL_S, _POLLS = 0.01, 50
_LACKS_THREADS = Refused(engine="process", story="a copy of it would lack threads that the engine needs")


@dataclass(slots=True, kw_only=True)
class Forks:
    """Fork engine processes as told over a link, and say how each ended; when the other end is gone, they end too.

    Nothing may run beside the calling thread, so that a fork is whole. Held are the processes by number, each with the connection
    over which its parent hears of its end. `desk` is what a template has loaded, and `before_bytes` what it had in memory before.
    """

    link: socket.socket
    engines: Sequence[Engine]
    desk: Desk | None = None
    before_bytes: int | None = None
    children: dict[int, socket.socket] = field(default_factory=dict)

    def run(self) -> None:
        """Serve until the other end is gone; then end all."""
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
        """Do as told; say False when the other end is gone."""
        match message[:1]:
            case kind if kind in (START, TEMPLATE):
                self._start(kind, *descriptors)
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

    def _start(self, kind: bytes, order_at: int, control_at: int, *lanes_at: int) -> None:
        control, parent = socket.socket(fileno=control_at), os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            with suppress(OSError), control:
                say(control, Refused(engine="process", story=f"cannot be forked: {error}"))
        else:
            if pid == 0:
                self._become(kind, parent, order_at, control, lanes_at)
            self.children[pid] = control
            before_bytes = private_bytes(parent) if self.before_bytes is None else self.before_bytes
            with suppress(OSError):
                say(control, Born(pid=pid, private_bytes=before_bytes))
        for descriptor in (order_at, *lanes_at):
            os.close(descriptor)

    def _become(self, kind: bytes, parent: int, order_at: int, control: socket.socket, lanes_at: Sequence[int]) -> NoReturn:
        """Be another process, that dies with its parent, without what is the parent's."""
        die_with_parent()
        if os.getppid() != parent:
            os._exit(0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for held in (self.link, *self.children.values()):
            held.close()
        try:
            with suppress(OSError):
                Path("/proc/self/oom_score_adj").write_text(_SOONER, encoding="ascii")
            self._serve_as(kind, read(order_at), control, [socket.socket(fileno=lane) for lane in lanes_at])
        except BaseException:  # noqa: BLE001  # the top of a process, which ends alone
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(CRASHED)

    def _serve_as(self, kind: bytes, order: Order, control: socket.socket, lanes: Sequence[socket.socket]) -> NoReturn:
        desk = self.desk or Desk(loaded=Loaded(engines={engine.name: engine for engine in self.engines}, platform=order.platform))
        if kind == START:
            work(desk, order, control, lanes)
        before_bytes = private_bytes(os.getpid())
        said = desk.take(order, ())
        with control:
            say(control, said if isinstance(said, Refused) or _may_be_copied(desk, order) else _LACKS_THREADS)
        Forks(link=lanes[0], engines=self.engines, desk=desk, before_bytes=before_bytes).run()
        os._exit(0)


def _may_be_copied(desk: Desk, order: Order) -> bool:
    """Say whether a copy of this process lacks nothing: the engines of an order say so, or leave no thread beside the calling one."""
    says = {getattr(desk.loaded.engines[option.artifact.engine], "survives_forks", None) for option in order.options}
    return False not in says and (None not in says or _is_alone())


def _is_alone() -> bool:
    """Say whether no other thread runs here, once those that were told to end have done so."""
    threads = Path("/proc/self/task")
    for _ in range(_POLLS):
        if len(list(threads.iterdir())) == 1:
            return True
        time.sleep(_POLL_S)
    return False
