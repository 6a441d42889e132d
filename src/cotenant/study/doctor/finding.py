"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(str, Enum):
    """Say how good a finding is for serving tenants."""

    GOOD = "good"
    COULD_BE_BETTER = "could be better"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Hold what was looked at, how it is now, what it means, and the command that would make it better (a comment where none can)."""

    what: str
    now: str
    verdict: Verdict
    gains: str
    command: str = ""


def good(what: str, now: str, gains: str) -> Finding:
    """Find that nothing is to be gained."""
    return Finding(what=what, now=now, verdict=Verdict.GOOD, gains=gains)


def better(what: str, now: str, gains: str, command: str) -> Finding:
    """Find that a command would gain something."""
    return Finding(what=what, now=now, verdict=Verdict.COULD_BE_BETTER, gains=gains, command=command)


def bad(what: str, now: str, gains: str, command: str) -> Finding:
    """Find what spoils the service while it stays so."""
    return Finding(what=what, now=now, verdict=Verdict.BAD, gains=gains, command=command)


def unknown(what: str, gains: str, why: str = "the kernel does not show it") -> Finding:
    """Find nothing, and say why."""
    return Finding(what=what, now=f"unknown: {why}", verdict=Verdict.UNKNOWN, gains=gains)
