"""Where a benchmark's figures go on its page."""

from __future__ import annotations

import pytest

from benchmarks.readme import END, START, filled
from cotenant.errors import InputError


def test_figures_go_between_the_markers_of_the_page_and_nowhere_else() -> None:
    before = f"text\n\n{START}\n\nold\n\n{END}\n\nmore text\n"
    after = filled(before, ["| a |", "|---|"])
    assert after == f"text\n\n{START}\n\n| a |\n|---|\n\n{END}\n\nmore text\n"
    assert filled(after, ["old"]) == before


@pytest.mark.parametrize("text", ["", START, f"{END}{START}", f"{START}{START}{END}", f"{START}{END}{END}"])
def test_a_page_without_its_two_markers_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^README.md: figures have no place"):
        filled(text, ["new"])
