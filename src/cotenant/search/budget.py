"""How long a search may take."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.errors import InputError


class Spent(Exception):  # noqa: N818  not an error: it ends a search
    """End a search whose budget is spent; what it found so far is kept by its judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limit a search in CPU seconds of this process, in mappings looked at, or in both; None for no limit.

    The first answer is always waited for. InputError for no limit at all, and for one that leaves no room for anything.
    """

    seconds: float | None = None
    evaluations: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.evaluations is None:
            raise InputError("budget", "none", "CPU seconds, a number of evaluations, or both")
        if self.seconds is not None and not self.seconds > 0:
            raise InputError("budget.seconds", self.seconds, "more than 0")
        if self.evaluations is not None and not self.evaluations > 0:
            raise InputError("budget.evaluations", self.evaluations, "1 or more")
