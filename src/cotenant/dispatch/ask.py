"""The questions that a decision asks of a policy, and who passes them on."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cotenant.dispatch.state import NO_SHARE, NONE, State
from cotenant.policy import AS_PLANNED, UNLIMITED, Policy, Scene


class Asks(NamedTuple):
    """Pass the state's candidates to a policy and write down what it answers, at an instant.

    `orders` prepares, then writes the value of every ready and, where the policy preempts, running candidate; `order` that of one slot;
    `step` returns the stage by which a slot is served, NONE if no option has what the policy asks for; `shares` writes the bandwidth
    that each running slot is granted first, and notes whose is no number. They are functions of the whole state, so that a compiled
    dispatcher serves every policy by a few pointers.
    """

    orders: Callable[[State, int], None]
    order: Callable[[State, int, int], None]
    step: Callable[[State, int, int], int]
    shares: Callable[[State, int], None]


def look(s: State, now_ns: int) -> Scene:
    """Show a policy what all candidates share."""
    desk = s.desk[0]
    return Scene(
        now_ns, s.slots, s.ready, desk.ready, s.running, desk.running, s.tenants, s.processors, s.memories, s.stages, s.others, s.params,
        s.notes,
    )  # fmt: skip


def asks_of(policy: Policy) -> Asks:
    """Return what a plain dispatcher asks of a policy."""
    return Asks(
        orders=ask_orders(policy.order, policy.prepare, look),
        order=ask_order(policy.order, look),
        step=ask_step(policy.width, policy.place, look),
        shares=ask_shares(policy.share, look),
    )


def ask_orders(
    order: Callable[..., float], prepare: Callable[..., None], look: Callable[[State, int], Scene]
) -> Callable[[State, int], None]:
    """Return `Asks.orders` for these functions of a policy."""

    def orders(s: State, now_ns: int) -> None:
        scene = look(s, now_ns)
        desk = s.desk[0]
        prepare(scene)
        for index in range(desk.ready):
            c = s.slots[s.ready[index]]
            c.value = float(order(c, scene))
            c.asked = desk.decision
        if desk.preempts == 1:
            for index in range(desk.running):
                c = s.slots[s.running[index]]
                c.value = float(order(c, scene))
                c.asked = desk.decision

    return orders


def ask_order(order: Callable[..., float], look: Callable[[State, int], Scene]) -> Callable[[State, int, int], None]:
    """Return `Asks.order` for a policy's order."""

    def one(s: State, slot: int, now_ns: int) -> None:
        s.slots[slot].value = float(order(s.slots[slot], look(s, now_ns)))
        s.slots[slot].asked = s.desk[0].decision

    return one


def ask_step(width: Callable[..., int], place: Callable[..., int], look: Callable[[State, int], Scene]) -> Callable[[State, int, int], int]:
    """Return `Asks.step` for a policy's width and place."""

    def step(s: State, slot: int, now_ns: int) -> int:
        c = s.slots[slot]
        scene = look(s, now_ns)
        where = place(c, scene)
        lanes = width(c, scene)
        if where == AS_PLANNED and lanes == AS_PLANNED:
            return c.position
        if where == AS_PLANNED:
            where = c.processor
        wanted = c.width if lanes == AS_PLANNED else lanes
        found = NONE
        stage = s.stages[c.position]
        for index in range(stage.others, stage.others + stage.other_count):
            other = s.stages[s.others[index]]
            if other.processor == where and (other.width == wanted or (lanes == AS_PLANNED and found == NONE)):
                found = s.others[index]
        return found

    return step


def ask_shares(share: Callable[..., float], look: Callable[[State, int], Scene]) -> Callable[[State, int], None]:
    """Return `Asks.shares` for a policy's share."""

    def shares(s: State, now_ns: int) -> None:
        scene = look(s, now_ns)
        for index in range(s.desk[0].running):
            c = s.slots[s.running[index]]
            first = float(share(c, scene))
            c.share = UNLIMITED if first > UNLIMITED else first  # noqa: FURB136  # min of NaN depends on who asks
            if c.share != c.share:
                s.desk[0].bad = NO_SHARE
                s.desk[0].culprit = s.running[index]

    return shares
