"""What a policy did wrong, in words."""

from __future__ import annotations

from cotenant.dispatch.state import ENDLESS, NO_SHARE, NO_SUCH_STEP, NONE, NOT_A_NUMBER, READY, RUNNING, State

_WRONG = {
    NOT_A_NUMBER: "order gave NaN",
    NO_SUCH_STEP: "width or place asked for a step that no option has",
    NO_SHARE: "share gave NaN",
    ENDLESS: "its requests preempt each other without end",
}


def story(s: State) -> str:
    """Say what was wrong with the last decision, about whom, and how things stood."""
    desk = s.desk[0]
    return f"{_WRONG[desk.bad]} for {_request(s, desk.culprit)}; {describe(s)}"


def describe(s: State) -> str:
    """Say how things stand: what waits, what runs, which lanes are free."""
    waiting = [_request(s, slot) for slot, c in enumerate(s.slots) if c.state == READY]
    running = [_request(s, slot) for slot, c in enumerate(s.slots) if c.state == RUNNING]
    free = [int(p.free) for p in s.processors]
    return f"{len(waiting)} wait ({_few(waiting)}), {len(running)} run ({_few(running)}), free lanes {free}"


def _request(s: State, slot: int) -> str:
    if slot == NONE:
        return "nobody"
    c = s.slots[slot]
    return f"request {c.request} of tenant {c.tenant} at segment {c.stage}"


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "") if names else "none"
