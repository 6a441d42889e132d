"""What the kernel tells in small files."""

from __future__ import annotations

from pathlib import Path

_MOST = 2**64  # the kernel has no number beyond
_MOST_CPUS = 2**16  # nor so many of those
_LONGEST_NAME = 64


def read(path: Path) -> str:
    """Return the text, without the space and NULs around it; the empty string if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip(" \t\r\n\0")
    except (OSError, ValueError):  # a path that another file told may hold a NUL
        return ""


def read_number(path: Path) -> int | None:
    """Return the whole number that the file holds; None for anything else, such as `max`."""
    return whole(read(path))


def whole(text: str) -> int | None:
    """Return the whole number that the text is; None for anything else, and for more than 64 bits hold."""
    try:
        found = int(text)
    except ValueError:
        return None
    return found if abs(found) < _MOST else None


def numbers(text: str) -> tuple[int, ...]:
    """Expand a list of ranges of CPUs: `0-2,8` is (0, 1, 2, 8); empty where it is none."""
    try:
        parts = [part.partition("-") for part in text.split(",") if part.strip()]
        ranges = [(int(first), int(last or first)) for first, _, last in parts]
    except ValueError:
        return ()
    if any(first < 0 or last >= _MOST_CPUS for first, last in ranges):
        return ()
    return tuple(dict.fromkeys(n for first, last in ranges for n in range(first, last + 1)))


def word(path: Path) -> str:
    """Return the first word of the file, no longer than a name is; the empty string if there is none."""
    return next(iter(read(path).split()), "")[:_LONGEST_NAME]
