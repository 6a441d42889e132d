"""CPU time within a window, of a process and of all below it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cotenant.study.spent import Mark, below_ticks, mark, spent_ns


def process(proc: Path, pid: int, ticks: tuple[int, int, int, int], children: str = "") -> None:
    """Write what the kernel shows of a process: user, system, and both of the children that it has reaped."""
    (proc / f"{pid}/task/{pid}").mkdir(parents=True)
    (proc / f"{pid}/task/{pid}/children").write_text(children)
    told = " ".join(map(str, ticks))
    (proc / f"{pid}/stat").write_text(f"{pid} (odd) name)) S 1 1 1 0 -1 4194304 9 9 9 9 {told} 20 0 1 0 77\n")


def test_all_below_a_process_counts_and_itself_does_not(tmp_path: Path) -> None:
    process(tmp_path, 1, (1000, 1000, 1000, 1000), "2 4")
    process(tmp_path, 2, (1, 2, 4, 8), "3")
    process(tmp_path, 3, (16, 32, 64, 128))
    process(tmp_path, 4, (256, 512, 0, 0))
    assert below_ticks(1, tmp_path) == 2**10 - 1


def test_children_of_any_thread_count(tmp_path: Path) -> None:
    process(tmp_path, 1, (0, 0, 0, 0))
    (tmp_path / "1/task/9").mkdir()
    (tmp_path / "1/task/9/children").write_text("2")
    process(tmp_path, 2, (5, 0, 0, 0))
    assert below_ticks(1, tmp_path) == 5


def test_who_has_ended_meanwhile_or_is_not_shown_counts_as_nothing(tmp_path: Path) -> None:
    process(tmp_path, 1, (0, 0, 0, 0), "2")
    assert below_ticks(1, tmp_path) == 0
    assert below_ticks(7, tmp_path) == 0


@pytest.mark.parametrize(
    ("after", "spent"),
    [
        (Mark(at_ns=110, cpu_ns=60), 50),  # ten times ten of a hundred: read just in time
        (Mark(at_ns=210, cpu_ns=110), 50),  # read late by as much again
        (Mark(at_ns=110, cpu_ns=0), 0),  # a clock that went back
        (Mark(at_ns=10, cpu_ns=99), 0),  # no time at all
    ],
)
def test_what_was_taken_is_brought_to_the_length_of_the_window(after: Mark, spent: int) -> None:
    assert spent_ns(Mark(at_ns=10, cpu_ns=10), after, 100) == spent


def test_marks_go_on() -> None:
    before, after = mark(), mark()
    assert after.at_ns >= before.at_ns
    assert after.cpu_ns >= before.cpu_ns > 0
