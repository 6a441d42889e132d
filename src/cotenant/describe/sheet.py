"""A CSV file: a header, and rows with their line numbers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from cotenant.describe.document import read_text
from cotenant.describe.tree import shown
from cotenant.errors import InputError
from cotenant.units import MAX_NS, NS_PER_MS, NS_PER_S, NS_PER_US

UNITS_NS: Final = {"_ns": 1, "_us": NS_PER_US, "_ms": NS_PER_MS, "_s": NS_PER_S}
"""Endings of the names of columns that hold times."""

Row = tuple[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Hold what a CSV file says, without its blank lines; `key` is who asked for it, the path of every InputError."""

    key: str
    path: Path
    line: int
    header: tuple[str, ...]
    rows: tuple[Row, ...]

    def refused(self, line: int, value: str, allowed: str) -> InputError:
        """Make the error that names the file, the line, what stands there, and what would be allowed."""
        return InputError(self.key, f"{shown(self.path)}:{line}: {shown(value)}", allowed)

    def number(self, line: int, cell: str, least: Decimal, most: Decimal, allowed: str) -> Decimal:
        """Read a number from `least` to `most`."""
        try:
            number = Decimal(cell)
        except InvalidOperation as error:
            raise self.refused(line, cell, "a number") from error
        if not number.is_finite() or not least <= number <= most:
            raise self.refused(line, cell, allowed)
        return number

    def instant_ns(self, line: int, cell: str, unit_ns: int) -> int:
        """Read an instant from the start as whole nanoseconds."""
        most = Decimal(MAX_NS) / unit_ns
        return round(self.number(line, cell, Decimal(0), most, "an instant of 0 or more, at most 100 years") * unit_ns)


def read_sheet(path: Path, key: str) -> Sheet:
    """Read a CSV file; an empty one has no header, on line 1. InputError at `key` for what is no text or no CSV."""
    try:
        lines = read_text(path).splitlines()
    except InputError as error:
        raise InputError(key, f"{error.path}: {error.value}", error.allowed) from error
    reader = csv.reader(lines)
    try:
        cells = ((reader.line_num, tuple(cell.strip() for cell in row)) for row in reader)
        rows = tuple(row for row in cells if any(row[1]))
    except csv.Error as error:
        raise InputError(key, f"{shown(path)}:{reader.line_num}: {shown(error)}", "comma-separated values") from error
    line, header = rows[0] if rows else (1, ())
    return Sheet(key=key, path=path, line=line, header=header, rows=rows[1:])
