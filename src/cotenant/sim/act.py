"""What a driver does to a dispatcher's state, one event at a time, for compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cotenant.dispatch.ask import Asks
from cotenant.dispatch.choose import list_running
from cotenant.dispatch.decide import decide, wake_ns
from cotenant.dispatch.events import arrive, fail, finish
from cotenant.dispatch.onward import pass_on, stays_ns, steady_ns
from cotenant.dispatch.state import Ints, State

ARRIVE, FINISH, FAIL, DECIDE, WAKE, SHARES, PASS_ON, STAYS = 0, 1, 2, 3, 4, 5, 6, 7
"""What happened: a request of a tenant arrives, due at an instant; a segment finishes or fails; decide, say when to, or ask for shares,
at an instant; a segment finished, and the next has begun; say until when a slot stays on its lanes, at an instant."""


def act(  # noqa: PLR0917
    s: State, out: Ints, lanes: Ints, what: int, one: int, two: int, three: int, four: int, orders: Callable[[State, int], None],
    order: Callable[[State, int, int], None], step: Callable[[State, int, int], int], shares: Callable[[State, int], None],
) -> int:  # fmt: skip
    """Tell the dispatcher one thing; return what it does. The last four are the fields of `Asks`, one by one.

    ARRIVE takes request, tenant, arrival_ns and due_ns, and gives a slot; FINISH a slot and an instant, and gives 0 where the request
    ends with it; FAIL a slot; DECIDE and WAKE an instant, and give what `decide` and `wake_ns` do; SHARES an instant; PASS_ON a slot and
    an instant; STAYS a slot and an instant, and gives what `stays_ns` does. DECIDE leaves what `steady_ns` and WAKE would give then in the
    last two numbers of `out`, two longer than `decide` needs.
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
    if what == SHARES:
        list_running(s)
        shares(s, one)
        return 0
    if what == PASS_ON:
        pass_on(s, one, two)
        return 0
    asks = Asks(orders, order, step, shares)
    if what == STAYS:
        return stays_ns(s, asks, one, two)
    count = decide(s, asks, one, out, lanes)
    out[len(out) - 2] = steady_ns(s, one)
    out[len(out) - 1] = wake_ns(s, one)
    return count


def act_at(table: int, what: int, one: int, two: int, three: int, four: int) -> int:
    """Tell the dispatcher whose state, lists and policy a table of addresses names one thing; compiled alone."""
    s, out, lanes, orders, order, step, shares = placed(table)
    return act(s, out, lanes, what, one, two, three, four, orders, order, step, shares)


def placed(table: int) -> tuple[Any, ...]:
    """Stand in for what the compiler puts here."""
    raise NotImplementedError(table)
