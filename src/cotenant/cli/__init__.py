"""The command line: arguments and wiring."""

from cotenant.cli.app import main

__all__ = ["main"]
