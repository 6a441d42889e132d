"""What it takes: measured times."""

from cotenant.cost.table import Table, Timing

__all__ = ["Table", "Timing"]
