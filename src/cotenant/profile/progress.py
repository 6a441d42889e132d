"""How far profiling has come, told to whoever shows it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Show steps done of a total."""

    def start(self, total: int) -> None:
        """Begin; `total` steps will be reported, whether measured or found measured."""
        ...

    def advance(self, what: str) -> None:
        """Report one more step done, and what it was."""
        ...


class Silent:
    """Show nothing."""

    def start(self, total: int) -> None:
        """Begin in silence."""

    def advance(self, what: str) -> None:
        """Go on in silence."""


SILENT = Silent()
