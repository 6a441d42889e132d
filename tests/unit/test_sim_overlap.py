"""A segment that cannot hide what it moves behind what it computes: slowed by co-runners by the roofline with partial overlap."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cotenant.describe import Platform
from cotenant.errors import InputError
from cotenant.sim import simulate
from cotenant.trace.columns import Columns
from tests.sim_cases import US, board, case, every_policy, memory, processor, request, share, tenant

BYTES = 40 * US
"""As many as take 10 us at the 4 bytes per ns that there are."""


def unhiding(unhidden: float) -> Platform:
    processors = [replace(processor(name), unhidden=unhidden) for name in ("p0", "p1")]
    return board(*processors, memories=[memory("m0", 4.0)])


def served(unhidden: float, time_us: int, tenants: str) -> Columns:
    """Serve a request of each tenant at 0, each on a processor of its own."""
    shares = [share(name, (f"p{index}", 1, time_us * US, BYTES)) for index, name in enumerate("ab")]
    drawn = case(unhiding(unhidden), [tenant(name) for name in "ab"], shares, [request(name, 0) for name in tenants])
    return simulate(drawn, every_policy()["fifo"], name="fifo")


def ends_us(columns: Columns) -> list[float]:
    return [float(row["finish_ns"]) / US for row in columns.endings]


@pytest.mark.parametrize(
    ("unhidden", "time_us", "expected_us"),
    [
        (1.0, 20, 30),  # 10 of computing, then 10 of moving: 20 with half of the bandwidth
        (0.5, 15, 25),  # 10 of each, half of the one hidden: 20 of moving and 5 of computing
        (0.5, 25, 30),  # 20 of computing and 10 of moving: both 20 then, and 10 not hidden
        (0.0, 20, 20),  # all is hidden: the mean of 2 bytes per ns fits twice
        (0.0, 15, 20),  # 2.67 bytes per ns do not
    ],
)
def test_two_that_share_a_memory_take_as_long_as_computed_by_hand(unhidden: float, time_us: int, expected_us: float) -> None:
    assert ends_us(served(unhidden, time_us, "a")) == [time_us]
    assert ends_us(served(unhidden, time_us, "ab")) == pytest.approx([expected_us] * 2, abs=1e-3)


def test_what_moves_more_than_fits_into_its_time_is_bound_by_the_memory_alone() -> None:
    assert ends_us(served(1.0, 5, "a")) == pytest.approx([10], abs=1e-3)


@pytest.mark.parametrize("unhidden", [-0.1, 1.1, float("nan")])
def test_no_more_than_all_can_be_left_unhidden(unhidden: float) -> None:
    with pytest.raises(InputError, match=r"^processors\[p0\]\.unhidden: .*; 0 to 1"):
        unhiding(unhidden)
