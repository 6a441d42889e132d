"""Requests that are asked again, since what served them is gone, stand where they would have stood."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from cotenant.describe import Discipline
from cotenant.dispatch import START, Dispatcher
from cotenant.policy import policies
from tests.property.dispatch_crews import MS, board, option, shares, tenant

PLAN = shares((option("a", ("p0", 1, 5 * MS)), 1.0))


@pytest.mark.parametrize("asked", list(permutations(range(4))))
@pytest.mark.parametrize("newest", [False, True])
def test_whoever_is_asked_when_they_are_served_in_the_order_of_their_arrivals(asked: tuple[int, ...], *, newest: bool) -> None:
    one = replace(tenant("a", 0), discipline=Discipline.NEWEST_FIRST if newest else Discipline.IN_ORDER)
    device = Dispatcher((one,), PLAN, board((1,)), policies.get("fifo"))
    for request in asked:
        device.arrive(request, 0, request * MS, None)
    served = []
    for now_ns in range(10 * MS, 14 * MS, MS):
        (started,) = (d for d in device.decide(now_ns) if d.kind == START)
        served.append(started.request)
        device.finish(started.slot, now_ns)
        device.validate(now_ns)
    assert served == sorted(asked, reverse=newest)
