"""What was asked, and how it is answered."""

from __future__ import annotations

import logging
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
    """Give each its answer, which runs its callbacks; what they raise is logged."""
    for asked, given in ended:
        try:
            asked.future.set_result(given)
        except BaseException:  # noqa: BLE001, PERF203  # no Exception, such as a user's exit(): it passes through the future, to end the lane
            _LOG.exception("a callback of request %d raised", asked.request)
