"""The driver without hardware."""

from cotenant.sim.case import Case
from cotenant.sim.compiled import Compiler, Loop, is_shipped, is_there
from cotenant.sim.simulate import Rig, Seeded, simulate
from cotenant.sim.stepped import Stepped

__all__ = ["Case", "Compiler", "Loop", "Rig", "Seeded", "Stepped", "is_shipped", "is_there", "simulate"]
