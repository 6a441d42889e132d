"""Who goes next: one file for each published policy."""

from cotenant.policy.interface import NEVER_NS, READY, RUNNING, Candidate, Order, Policy, Scene
from cotenant.registry import Registry

policies: Registry[Policy] = Registry(what="policy", package="cotenant.policy", group="cotenant.policies", besides=("interface",))

__all__ = ["NEVER_NS", "READY", "RUNNING", "Candidate", "Order", "Policy", "Scene", "policies"]
