"""What is printed: tables, notes, JSON."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WIDE = 200  # columns of a table that goes to a file or a pipe


def show_json(tree: Mapping[str, Any]) -> None:
    """Print a tree as JSON, where a number that is not finite is null: JSON has none."""
    print(json.dumps(_finite(tree), indent=1, ensure_ascii=False, allow_nan=False))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], words: int = 1) -> None:
    """Print a table: the first `words` columns to the left, the others to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < words else "right", overflow="fold")
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    console = Console(markup=False, highlight=False, emoji=False, width=None if sys.stdout.isatty() else WIDE)
    # Wider than the terminal, a line runs on below: columns of two letters cannot be read at all.
    console.width = max(console.width, console.measure(table, options=console.options.update(width=WIDE)).maximum)
    console.print(table)


def cell(value: object) -> str:
    """Write one value for people: four digits of a number are plenty, and None is a dash."""
    match value:
        case None:
            return "-"
        case float():
            return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
        case _:
            return str(value)


def note(lines: Iterable[str]) -> None:
    """Print what is worth knowing beside the result, on stderr."""
    for line in lines:
        print(f"note: {' '.join(line.split())}", file=sys.stderr)


def _finite(value: Any) -> Any:
    match value:
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
