"""What the kernel tells in small files."""

from __future__ import annotations

from pathlib import Path


def read(path: Path) -> str:
    """Return the text, without the space and NULs around it; the empty string if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip(" \t\r\n\0")
    except OSError:
        return ""


def read_number(path: Path) -> int | None:
    """Return the whole number that the file holds; None for anything else, such as `max`."""
    try:
        return int(read(path))
    except ValueError:
        return None


def numbers(text: str) -> tuple[int, ...]:
    """Expand a list of ranges: `0-2,8` is (0, 1, 2, 8); empty where it is none."""
    try:
        ranges = [part.partition("-") for part in text.split(",") if part.strip()]
        return tuple(n for first, _, last in ranges for n in range(int(first), int(last or first) + 1))
    except ValueError:
        return ()
