"""Whenever engine processes are killed, every request ends once."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from contextlib import suppress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cotenant.backend.fake import Fake
from cotenant.describe import (
    Outcome,
)
from tests.live_cases import device_of, tenant

REQUESTS = 30


@settings(max_examples=4)
@given(
    kills=st.lists(st.tuples(st.integers(0, REQUESTS - 1), st.sampled_from(("first", "rest"))), max_size=4),
    deadly=st.dictionaries(st.integers(2, REQUESTS), st.sampled_from((signal.SIGSEGV, signal.SIGKILL)), max_size=2),
    standby=st.booleans(),
)
def test_every_request_ends_once_and_is_answered_right_or_fails_with_the_cause(
    kills: list[tuple[int, str]], deadly: dict[int, int], standby: bool
) -> None:
    """Killed from outside between any two requests, and by the runs themselves; whoever is not isolated never notices."""
    tenants = (tenant("first", 0, isolated=True), tenant("rest", 1, isolated=True, standby=standby), tenant("calm", 1))
    endings: Counter[tuple[str, int]] = Counter()
    with device_of(Fake(dies={"rest": deadly}), *tenants, lanes=2) as device:
        futures = []
        for index in range(REQUESTS):
            for _, name in [kill for kill in kills if kill[0] == index]:
                if pid := device.health()[name].pid:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            for name in ("first", "rest", "calm"):
                x = {"x": np.full((1, 2), index, np.float32)}
                future = device.submit(name, x)
                future.add_done_callback(lambda _, key=(name, index): endings.update([key]))  # type: ignore[misc]
                futures.append((name, index, future))
            threading.Event().wait(0.001)
        answers = [(name, index, future.result(60)) for name, index, future in futures]
        counts = device.stats()
        trace = device.trace(1)
    assert len(endings) == 3 * REQUESTS
    assert set(endings.values()) == {1}
    assert all(count.lost == 0 and count.outstanding == 0 and count.asked == REQUESTS for count in counts.values())
    assert len({ending.request for ending in trace.endings}) == len(trace.endings) == 3 * REQUESTS
    for name, index, answer in answers:
        if answer.outcome is Outcome.DONE:
            np.testing.assert_array_equal(answer.outputs["x"], np.full((1, 2), index, np.float32))
        else:
            assert answer.outcome is Outcome.FAILED
            assert name != "calm"
            assert "its process died: SIG" in answer.reason
