"""The file that a page is written to, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from cotenant.errors import InputError


def save(path: Path, text: str) -> None:
    """Write a text, such as a page; InputError, naming the path, if the file cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            _write(text, file, path)
    except OSError as error:
        raise InputError(str(path), error.strerror or error, "a file that can be written, on a disk with room") from error


def _write(text: str, file: TextIO, path: Path) -> None:
    """Write the whole, or leave no part of it: half a page shows nothing, half a plan proves nothing."""
    try:
        file.write(text)
        file.flush()
    except OSError:
        if path.is_file():  # not a pipe or a device
            path.unlink()
        raise
