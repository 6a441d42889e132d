"""The process that engine processes are forked from: `python -m cotenant.live.forkserver`."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import NoReturn

from cotenant.backend import Engine
from cotenant.live.forks import Forks
from cotenant.live.wire import read, receive


def attend() -> NoReturn:
    """Fork engine processes as told on standard input, and say how each ended; when the parent is gone, they end too.

    The engines have been imported here, which takes most of the time of a start, and no thread runs here, so that a fork is whole.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    link = socket.socket(fileno=os.dup(0))
    _forgo_standard_streams()
    Forks(link=link, engines=_equipped(link)).run()
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


if __name__ == "__main__":
    attend()
