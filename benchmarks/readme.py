"""The page of a benchmark, README.md: its text is ours, its figures a run's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cotenant.errors import InputError

START: Final = "<!-- figures: rewritten by run.py --readme -->"
END: Final = "<!-- end of figures -->"


def filled(page: str, lines: Iterable[str]) -> str:
    """Return a page with these lines between its two markers, instead of what was there; InputError unless each is there once, in order."""
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end) or START in rest or END in before + after:
        raise InputError("README.md", "figures have no place", f"one {START}, and after it one {END}")
    told = "\n".join(lines)
    return f"{before}{START}\n\n{told}\n\n{END}{after}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
