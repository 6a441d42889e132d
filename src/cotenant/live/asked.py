"""What was asked, and how it is answered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import NamedTuple

from cotenant.describe import Answer, Array

_LOG = logging.getLogger(__name__)


class Asked(NamedTuple):
    """Hold one request that is outstanding."""

    request: int
    inputs: Mapping[str, Array]
    future: Future[Answer]
    arrival_ns: int
    option: str


Ended = tuple[Asked, Answer]


def answer(ended: Iterable[Ended]) -> None:
    """Give each its answer, which runs its callbacks; what they raise is logged, but Ctrl-C in the main thread is raised in the end."""
    interrupt: KeyboardInterrupt | None = None
    for asked, given in ended:
        try:
            asked.future.set_result(given)
        except KeyboardInterrupt as error:  # noqa: PERF203  # the others still get their answers
            interrupt = error
        except BaseException:  # noqa: BLE001  # no Exception, such as a user's exit(): it passes through the future, to end the lane
            _LOG.exception("a callback of request %d raised", asked.request)
    if interrupt is not None and threading.current_thread() is threading.main_thread():
        raise interrupt
