"""Who runs what, where and how often, with proof."""

from cotenant.plan.certificate import Verdict, check
from cotenant.plan.enumerate import Offer, Refusal, enumerate_options, offer
from cotenant.plan.explain import cost, explain
from cotenant.plan.solve import HEADROOM, solve
from cotenant.plan.stp import stp_bounds

__all__ = ["HEADROOM", "Offer", "Refusal", "Verdict", "check", "cost", "enumerate_options", "explain", "offer", "solve", "stp_bounds"]
