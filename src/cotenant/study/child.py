"""A child process: load, say ready, start together, tell."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import BinaryIO, NoReturn

import msgspec

from cotenant.backend.parent import die_with_parent
from cotenant.errors import BackendError, CotenantError
from cotenant.study.seat import Reply
from cotenant.trace import Trace

Run = Callable[[int], Trace]
Load = Callable[[bytes], Run]


def attend(load: Load) -> NoReturn:
    """Serve one parent, then exit: read a line to `load`, reply ready, read the start (CLOCK_MONOTONIC ns), run, reply.

    What goes wrong is replied too. The process dies with its parent and leaves Ctrl-C to it. Standard output belongs to the replies:
    whatever else is printed goes to standard error. A parent gone means the end of standard input.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    out = _own_stdout()
    code = 1
    try:
        _say(out, _answer(load, out))
        code = 0
    except Exception:  # noqa: BLE001  # the reply cannot be written: standard error is what is left
        traceback.print_exc()
    finally:
        # Client threads may still be inside an engine: an orderly shutdown would wait for them.
        os._exit(code)


def _answer(load: Load, out: BinaryIO) -> Reply:
    """Load, say ready and run; return what came of it."""
    try:
        run = load(_told())
        _say(out, Reply(ready=True))
        start_ns = int(_told())
        threading.Thread(target=_exit_with_parent, daemon=True).start()
        return Reply(trace=run(start_ns))
    except BackendError as error:
        return Reply(failed=error.story, engine=error.engine)
    except CotenantError as error:
        return Reply(failed=str(error))
    except Exception as error:  # noqa: BLE001  # the top of a process: the parent must be told
        return Reply(failed=" ".join(f"{type(error).__name__}: {error}".split()))


def _told() -> bytes:
    """Return the parent's next line; without a parent there is nothing to do."""
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        os._exit(1)
    return line


def _say(out: BinaryIO, reply: Reply) -> None:
    out.write(msgspec.json.encode(reply) + b"\n")
    out.flush()


def _own_stdout() -> BinaryIO:
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


def _exit_with_parent() -> None:
    while sys.stdin.buffer.readline():
        pass
    os._exit(1)
