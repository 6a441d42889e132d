"""What a driver does to a dispatcher's state, one event at a time, for compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cotenant.dispatch.ask import Asks
from cotenant.dispatch.decide import decide, wake_ns
from cotenant.dispatch.events import arrive, fail, finish
from cotenant.dispatch.state import Ints, State

ARRIVE, FINISH, FAIL, DECIDE, WAKE = 0, 1, 2, 3, 4
"""What happened: a request of a tenant arrives, due at an instant; a segment finishes or fails; decide, or say when to, at an instant."""


def act(  # noqa: PLR0917
    s: State, out: Ints, lanes: Ints, what: int, one: int, two: int, three: int, four: int, orders: Callable[[State, int], None],
    order: Callable[[State, int, int], None], step: Callable[[State, int, int], int], shares: Callable[[State, int], None],
) -> int:  # fmt: skip
    """Tell the dispatcher one thing; return what it does. The last four are the fields of `Asks`, one by one.

    ARRIVE takes request, tenant, arrival_ns and due_ns, and gives a slot; FINISH a slot and an instant, and gives 0 where the request
    ends with it; FAIL a slot; DECIDE and WAKE an instant, and give what `decide` and `wake_ns` do. DECIDE leaves what WAKE would give
    then in the last number of `out`, which is one longer than `decide` needs.
    """
    if what == ARRIVE:
        return arrive(s, one, two, three, four)
    if what == FINISH:
        return finish(s, one, two, 0)
    if what == FAIL:
        fail(s, one)
        return 0
    if what == WAKE:
        return wake_ns(s, one)
    count = decide(s, Asks(orders, order, step, shares), one, out, lanes)
    out[len(out) - 1] = wake_ns(s, one)
    return count


def act_at(table: int, what: int, one: int, two: int, three: int, four: int) -> int:
    """Tell the dispatcher whose state, lists and policy a table of addresses names one thing; compiled alone."""
    s, out, lanes, orders, order, step, shares = placed(table)
    return act(s, out, lanes, what, one, two, three, four, orders, order, step, shares)


def placed(table: int) -> tuple[Any, ...]:
    """Stand in for what the compiler puts here."""
    raise NotImplementedError(table)
