"""What strategies draw."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TypeVar

from hypothesis import Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

Drawn = TypeVar("Drawn")


def corners_of(drawn: st.SearchStrategy[Drawn], corners: set[str], seen: Callable[[Drawn], Iterable[str]], *, most: int) -> set[str]:
    """Return which corners are seen among so many examples; it ends with the example that completes them."""
    reached: set[str] = set()

    def completes(example: Drawn) -> bool:
        reached.update(corners.intersection(seen(example)))
        return reached == corners

    with contextlib.suppress(NoSuchExample):
        find(drawn, completes, settings=settings(max_examples=most, derandomize=True, database=None, phases=[Phase.generate]))
    return reached
