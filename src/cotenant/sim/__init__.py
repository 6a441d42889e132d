"""The driver without hardware."""

from cotenant.sim.case import Case
from cotenant.sim.compiled import Compiler, Loop, is_there
from cotenant.sim.simulate import Rig, Seeded, simulate

__all__ = ["Case", "Compiler", "Loop", "Rig", "Seeded", "is_there", "simulate"]
