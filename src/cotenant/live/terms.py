"""The terms of a plan: what is worth loading, who may be urgent."""

from __future__ import annotations

from collections.abc import Sequence

from cotenant.describe import Plan, Platform, Share, Tenant, open_rate_per_s
from cotenant.describe.reserved import with_counterparts

LEAST_SHARE = 0.005
"""An option with less of its tenant's rate than this is not worth being loaded."""

_WHOLE = 1 - 1e-6  # of what arrives: all, but for the solver's tolerance


def worth_loading(plan: Plan, platform: Platform) -> tuple[Share, ...]:
    """Return the shares without those of next to nothing; each tenant keeps its greatest.

    Who has reserved cores gets at rate 0 what does the same on the others, and nothing more has to be loaded for.
    """
    kept = []
    for tenant in dict.fromkeys(share.option.tenant for share in plan.shares):
        shares = plan.shares_of(tenant)
        least = LEAST_SHARE * sum(s.rate_per_s for s in shares)
        kept += [s for index, s in enumerate(shares) if index == 0 or s.rate_per_s > least]
    return with_counterparts(kept, platform)


def leaves_room(tenants: Sequence[Tenant], plan: Plan) -> bool:
    """Say whether all of rank 0 comes at a known rate and is promised whole: then it is not meant to fill the machine."""
    promised = {promise.tenant: promise.rate_per_s for promise in plan.promises}
    first = [tenant for tenant in tenants if tenant.rank == 0]
    names = {tenant.name for tenant in first}
    if any(step.width > 1 for share in plan.shares if share.option.tenant in names for step in share.option.chain):
        return False  # an engine's own threads, at normal priority, would wait behind the one that waits for them
    arriving = [(open_rate_per_s(tenant.arrival), tenant.name) for tenant in first]
    return bool(first) and all(rate is not None and promised.get(name, 0.0) >= _WHOLE * rate for rate, name in arriving)
