"""What all pages share: one file that opens without a network."""

from cotenant.trace.frame.embed import plain
from cotenant.trace.frame.file import save
from cotenant.trace.frame.page import framed

__all__ = ["framed", "plain", "save"]
