"""The library behind an engine."""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

STORY_LIMIT = 300


def installed_version(*distributions: str) -> str:
    """Return the version of the first distribution that is installed, without importing it; else the empty string."""
    for distribution in distributions:
        with suppress(PackageNotFoundError):
            return version(distribution)
    return ""


def complaint(error: BaseException) -> str:
    """Tell a library's error in one line of at most STORY_LIMIT characters, without the places in its source."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Exception from ", "Check '"))]
    story = " ".join(told or lines) or type(error).__name__
    return story if len(story) <= STORY_LIMIT else story[: STORY_LIMIT - 3] + "..."
