"""Who runs what, where and how often, with proof."""

from cotenant.plan.certificate import Verdict, check
from cotenant.plan.chains import VISITS, chains
from cotenant.plan.crowded import ALL, crowding, headroom_of
from cotenant.plan.enumerate import enumerate_options, offer
from cotenant.plan.explain import cost, explain
from cotenant.plan.offered import Offer, Refusal
from cotenant.plan.settled import settled
from cotenant.plan.single import Effort
from cotenant.plan.solve import HEADROOM, solve
from cotenant.plan.stp import stp_bounds
from cotenant.plan.timely import timely

__all__ = [
    "ALL", "HEADROOM", "VISITS", "Effort", "Offer", "Refusal", "Verdict", "chains", "check", "cost", "crowding", "enumerate_options",
    "explain", "headroom_of", "offer", "settled", "solve", "stp_bounds", "timely",
]  # fmt: skip
