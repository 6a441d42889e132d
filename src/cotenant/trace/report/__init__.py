"""Simulation results as one page that opens without a network."""

from cotenant.trace.report.page import page, write_report
from cotenant.trace.report.run import Bandwidth, Draw, Run
from cotenant.trace.report.sweep import Cell, Fate, Interval, Member, Sweep

__all__ = ["Bandwidth", "Cell", "Draw", "Fate", "Interval", "Member", "Run", "Sweep", "page", "write_report"]
