"""Another plan while requests are outstanding: nothing is lost."""

from __future__ import annotations

import math

from cotenant.describe import Share
from cotenant.dispatch.lineup import Lineup, lay_out
from cotenant.dispatch.promises import WARM_NS, last_of_equals
from cotenant.dispatch.state import NONE, State


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
        **{name: list(getattr(s, name)) for name in ("t_served", "t_outstanding", "l_running", "l_suspended", "p_free",
                                                     "r_request", "r_tenant", "r_arrival_ns", "r_due_ns", "r_where", "r_next",
                                                     "free_slot", "refilled_ns", "decision")},
        t_tokens=[max(-r * WARM_NS, min(d, t)) for d, r, t in zip(fresh.t_depth, fresh.t_rate, s.t_tokens, strict=True)],
        l_warm=[stage_of.get(stage, NONE) for stage in s.l_warm],
        r_stage=[stage_of.get(stage, NONE) for stage in s.r_stage],
    )  # fmt: skip
    for stage, other in stage_of.items():
        fresh.q_live[other], fresh.q_live_last[other] = s.q_live[stage], s.q_live_last[stage]
        fresh.q_late[other], fresh.q_late_last[other] = s.q_late[stage], s.q_late_last[stage]
    _level(s, fresh)
    return fresh


def _level(old: State, s: State) -> None:
    """Put those that are promised something at last, or nothing any more, level with the last of their new equals."""
    turned = [tenant for tenant in range(len(s.t_rate)) if (old.t_rate[tenant] > 0.0) != (s.t_rate[tenant] > 0.0)]
    for tenant in turned:
        s.t_served[tenant] = math.inf
    for tenant in turned:
        s.t_served[tenant] = last_of_equals(s, tenant)


def _stages(old: Lineup, s: State, new: Lineup, fresh: State) -> dict[int, int]:
    where = {option: fresh.k_stage[k] for k, option in enumerate(new.options)}
    return {
        s.k_stage[k] + offset: where[option] + offset
        for k, option in enumerate(old.options)
        if option in where
        for offset in range(len(option.chain))
    }
