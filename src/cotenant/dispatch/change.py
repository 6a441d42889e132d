"""Another plan while requests are outstanding: nothing is lost."""

from __future__ import annotations

from cotenant.describe import Share
from cotenant.dispatch.lineup import Lineup, lay_out
from cotenant.dispatch.promises import WARM_NS
from cotenant.dispatch.queues import enqueue
from cotenant.dispatch.state import NONE, QUEUED_LATE, QUEUED_LIVE, State


def keep_options_in_use(old: Lineup, s: State, shares: tuple[Share, ...]) -> tuple[Share, ...]:
    """Return the new shares, and at rate 0 the old options that some outstanding request still needs."""
    known = {share.option for share in shares}
    used = {old.options[s.q_option[s.r_stage[slot]]] for slot in outstanding_slots(s)}
    return (*shares, *(Share(option=option, rate_per_s=0.0) for option in old.options if option in used - known))


def outstanding_slots(s: State) -> list[int]:
    """List the slots in use."""
    return [slot for slot in range(len(s.r_request)) if s.r_request[slot] != NONE]


def carry_over(old: Lineup, s: State, new: Lineup) -> State:
    """Lay the new lineup out with everything outstanding where it was; both have the same tenants and lanes."""
    fresh = lay_out(new, len(s.r_request), tuple(s.params))
    stage_of = _stages(old, s, new, fresh)
    fresh = fresh._replace(
        **{name: list(getattr(s, name)) for name in ("t_served", "t_outstanding", "l_running", "l_suspended", "p_free", "r_request",
                                                     "r_tenant", "r_arrival_ns", "r_due_ns", "r_where", "r_next", "free_slot",
                                                     "refilled_ns", "virtual", "decision")},
        t_tokens=[max(-r * WARM_NS, min(d, t)) for d, r, t in zip(fresh.t_depth, fresh.t_rate, s.t_tokens, strict=True)],
        l_warm=[stage_of.get(stage, NONE) for stage in s.l_warm],
        r_stage=[stage_of.get(stage, NONE) for stage in s.r_stage],
    )  # fmt: skip
    queued = [slot for slot in outstanding_slots(s) if s.r_where[slot] in (QUEUED_LIVE, QUEUED_LATE)]
    for slot in sorted(queued, key=lambda slot: (s.r_arrival_ns[slot], s.r_request[slot])):
        enqueue(fresh, slot)
    return fresh._replace(q_blocked=[0] * len(fresh.q_blocked))


def _stages(old: Lineup, s: State, new: Lineup, fresh: State) -> dict[int, int]:
    where = {option: fresh.k_stage[k] for k, option in enumerate(new.options)}
    return {
        s.k_stage[k] + offset: where[option] + offset
        for k, option in enumerate(old.options)
        if option in where
        for offset in range(len(option.chain))
    }
