"""What of a plan is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cotenant.describe import Objective, Option, Plan, Share
from cotenant.plan import solve
from cotenant.plan.serving import serving, starved, told_per_s
from cotenant.plan.words import listed
from tests.plan_cases import closed, option, platform

ONE, OTHER = option("a", 10), option("a", 10, "cpu1")


def by(*shares: tuple[Option, float]) -> Plan:
    """Serve a, which alone has 200/s of two lanes, by these options."""
    plan = solve([closed("a")], [ONE, OTHER], platform(1, 1), Objective.PROPORTIONAL)
    promise = replace(plan.promises[0], rate_per_s=sum(rate for _, rate in shares))
    return replace(plan, shares=tuple(Share(option=some, rate_per_s=rate) for some, rate in shares), promises=(promise,))


@pytest.mark.parametrize(("rate_per_s", "told"), [(1e-4, False), (1e-2, True)])
def test_a_share_counts_by_its_part_of_the_tenant_s_rate(rate_per_s: float, told: bool) -> None:
    plan = by((ONE, 100), (OTHER, rate_per_s))
    assert [share.option for share in serving(plan, "a")] == ([ONE, OTHER] if told else [ONE])


def test_a_small_rate_is_told_whole_where_it_is_no_rounding() -> None:
    plan = by((ONE, 0.01), (OTHER, 0.02))
    assert [share.option for share in serving(plan, "a")] == [OTHER, ONE]
    assert told_per_s(plan.promises[0]) == pytest.approx(0.03)


def test_a_tenant_with_a_millionth_of_what_it_could_have_has_nothing() -> None:
    plan = by((ONE, 1e-4), (OTHER, 1e-4))
    assert starved(plan.promises[0])
    assert serving(plan, "a") == ()
    assert told_per_s(plan.promises[0]) == 0


@pytest.mark.parametrize(("names", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_names_are_listed_as_a_sentence_has_them(names: list[str], said: str) -> None:
    assert listed(names) == said
