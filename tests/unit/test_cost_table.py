"""The table finds what was timed, and nothing else."""

from __future__ import annotations

import pytest

from cotenant.cost import Table, Timing
from cotenant.describe import Precision
from cotenant.errors import InputError


def timing(*, model: str = "m", width: int = 1, wall_ns: int = 10) -> Timing:
    return Timing(
        model=model, precision=Precision.FP32, engine="e", engine_version="1", kind="core", width=width,
        wall_ns=wall_ns, cpu_ns=9, spread=0.0, runs=15, resident_bytes=1,
    )  # fmt: skip


def test_a_timing_is_found_by_all_that_it_was_timed_with() -> None:
    table = Table(timings=(timing(width=1), timing(width=2), timing(model="other")))
    assert table.timing(model="m", precision=Precision.FP32, engine="e", kind="core", width=2) == timing(width=2)
    assert table.timing(model="m", precision=Precision.BF16, engine="e", kind="core") is None
    assert table.timing(model="m", precision=Precision.FP32, engine="e", kind="other") is None


def test_widths_are_listed_from_the_least() -> None:
    table = Table(timings=(timing(width=4), timing(width=1), timing(model="other", width=2)))
    assert table.widths(model="m", precision=Precision.FP32, engine="e", kind="core") == (1, 4)


def test_two_timings_of_one_variant_and_place_are_refused() -> None:
    with pytest.raises(InputError, match="2 timings"):
        Table(timings=(timing(wall_ns=10), timing(wall_ns=11)))


@pytest.mark.parametrize(("width", "wall_ns"), [(0, 10), (1, 0)])
def test_a_timing_of_nothing_is_refused(width: int, wall_ns: int) -> None:
    with pytest.raises(InputError, match="1 or more"):
        timing(width=width, wall_ns=wall_ns)
