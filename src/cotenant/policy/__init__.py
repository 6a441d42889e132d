"""Who goes next: one file for each published policy."""

from cotenant.policy.interface import (
    AS_PLANNED,
    NEVER_NS,
    NOT_NOW,
    READY,
    RUNNING,
    UNLIMITED,
    Candidate,
    Choice,
    Order,
    Policy,
    Prepare,
    Scene,
    as_planned,
    at_most,
    at_width,
    nothing,
    unlimited,
)  # fmt: skip
from cotenant.policy.variant import LATE_LAST, Params, base_of, named, values, variants
from cotenant.registry import Registry

policies: Registry[Policy] = Registry(
    what="policy", package="cotenant.policy", group="cotenant.policies", besides=("interface", "variant"), kind=Policy
)

__all__ = [
    "AS_PLANNED", "LATE_LAST", "NEVER_NS", "NOT_NOW", "READY", "RUNNING", "UNLIMITED", "Candidate", "Choice", "Order", "Params", "Policy",
    "Prepare", "Scene", "as_planned", "at_most", "at_width", "base_of", "named", "nothing", "policies", "unlimited", "values", "variants",
]  # fmt: skip
