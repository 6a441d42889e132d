"""Policies that we ship are compiled without a check of their indices: so they must be right."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given

from cotenant.describe import Preemption
from cotenant.dispatch.lineup import lay_out
from cotenant.dispatch.state import State
from cotenant.sim import Case, simulate
from tests.sim_cases import US, board, case, cases, every_policy, names, processor, request, share, tenant

PROCESSORS, TENANTS = 40, 80
"""More of both than any policy of ours has room for in its notes."""


class Strict(list[Any]):
    """A list without elements before its first, as compiled code has none."""

    def __getitem__(self, index: Any) -> Any:
        assert 0 <= index < len(self)
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        assert 0 <= index < len(self)
        super().__setitem__(index, value)


def strictly(*args: Any, **options: Any) -> State:
    return State(*(Strict(rows) for rows in lay_out(*args, **options)))


def crowd(preemption: Preemption) -> Case:
    """Return many tenants on many processors: some with deadlines, some wide, some closed."""
    platform = board(*(processor(f"p{index}", lanes=2, preemption=preemption) for index in range(PROCESSORS)))
    tenants, shares = [], []
    for i in range(TENANTS):
        deadline_ns = 40 * US if i % 5 else None
        tenants.append(tenant(f"t{i}", rank=i % 3, deadline_ns=deadline_ns, closed=None if i % 7 else 1))
        here, there = f"p{i % PROCESSORS}", f"p{(3 * i + 1) % PROCESSORS}"
        shares.append(share(f"t{i}", (here, 1 + i % 2, 9 * US, 4000), (there, 1, (1 + i % 4) * US)))
    asked = [request(f"t{i}", at * US, (at + 40) * US if i % 5 else None) for at in (0, 5, 5, 20) for i in range(TENANTS) if i % 7]
    return case(platform, tenants, shares, asked)


@pytest.mark.parametrize("preemption", [Preemption.SEGMENT, Preemption.INSTANT])
@pytest.mark.parametrize("name", names())
def test_no_policy_that_we_ship_leaves_its_lists_where_there_are_many(name: str, preemption: Preemption) -> None:
    with patch("cotenant.sim.layout.lay_out", strictly):
        simulate(crowd(preemption), every_policy()[name], name=name)


@pytest.mark.parametrize("name", names())
@given(drawn=cases())
def test_no_policy_that_we_ship_leaves_its_lists(name: str, drawn: Case) -> None:
    with patch("cotenant.sim.layout.lay_out", strictly):
        simulate(drawn, every_policy()[name], name=name)
