"""Tables and JSON on standard output."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

NARROWEST = 130


def show_json(content: object) -> None:
    """Print JSON; what is not finite becomes null."""
    sys.stdout.write(json.dumps(_finite(content), indent=2) + "\n")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """Print a table, numbers to the right; as wide as it needs to be where output is no terminal."""
    cells = [[cell(value) for value in row] for row in rows]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = all(_is_numeric(row[index]) for row in cells)
        table.add_column(column, justify="right" if numeric else "left", no_wrap=True)
    for row in cells:
        table.add_row(*row)
    console().print(table)


def console() -> Console:
    """Return the console of standard output."""
    return Console() if sys.stdout.isatty() else Console(width=NARROWEST)


def cell(value: object) -> str:
    """Write a number with as many digits as it deserves, nothing as a dash."""
    match value:
        case None:
            return "-"
        case float() if not math.isfinite(value):
            return "-"
        case float() if value == 0 or 0.0005 <= abs(value) < 10:
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case float():
            return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2g}"
        case _:
            return str(value)


def _is_numeric(text: str) -> bool:
    return text == "-" or text.rstrip("*").replace(".", "", 1).replace("-", "", 1).isdigit()


def _finite(content: Any) -> Any:
    match content:
        case float() if not math.isfinite(content):
            return None
        case dict():
            return {key: _finite(value) for key, value in content.items()}
        case list() | tuple():
            return [_finite(value) for value in content]
        case _:
            return content
