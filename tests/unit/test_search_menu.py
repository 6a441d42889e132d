"""What a search may choose from, as numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cotenant.describe import Option, Source, Step
from cotenant.errors import InputError
from cotenant.search import Menu, Visit, menu_of
from tests.plan_cases import MB, closed, opened, option, platform


def chain(tenant: str, *steps: tuple[str, int, int], width: int = 1) -> Option:
    """Return an option of steps (processor, segment, ms)."""
    made = tuple(Step(segment=segment, processor=p, width=width, duration_ns=ms * 10**6) for p, segment, ms in steps)
    demand = tuple((p, width * sum(ms for q, _, ms in steps if q == p) / 1e3) for p in dict.fromkeys(p for p, _, _ in steps))
    return replace(option(tenant, 1.0), chain=made, demand=demand, latency_ns=sum(ms for _, _, ms in steps) * 10**6)


def test_steps_on_one_processor_are_one_visit_and_cuts_are_where_it_changes() -> None:
    offered = menu_of([closed("a")], [chain("a", ("cpu1", 0, 5), ("cpu1", 1, 7), ("cpu0", 2, 4))], platform(1, 1))
    assert offered.routes == (
        (Visit(processor=1, segment=0, width=1, seconds=0.012), Visit(processor=0, segment=2, width=1, seconds=0.004)),
    )
    assert offered.processors(0) == (1, 0)
    assert offered.cuts(0) == (2,)


def test_whole_networks_are_those_that_stay_and_all_where_none_does() -> None:
    split = chain("a", ("cpu0", 0, 5), ("cpu1", 1, 5))
    offered = menu_of([closed("a")], [split, option("a", 20.0), option("a", 30.0, "cpu1")], platform(1, 1))
    assert offered.whole(0) == (1, 2)
    assert menu_of([closed("a")], [split], platform(1, 1)).whole(0) == (0,)


def test_rows_are_those_of_the_plan_and_the_load_is_at_the_solo_rate() -> None:
    offered = menu_of([closed("a"), closed("b")], [option("a", 10.0), option("b", 20.0), option("b", 40.0, "cpu1")], platform(1, 2))
    assert offered.solo_per_s == pytest.approx([100.0, 50.0 + 50.0])
    assert offered.lane_s.tolist() == [[0.01, 0.02, 0.0], [0.0, 0.0, 0.04]]
    assert offered.load() == pytest.approx(np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 2.0]]))
    assert offered.taken.shape == (len(offered.limit), 3)
    assert offered.most == pytest.approx([1.0, 0.5, 0.5])


def test_only_options_that_serve_alone_are_offered() -> None:
    inexact = option("a", 1.0, accuracy=0.7)
    exact = option("a", 10.0, accuracy=0.9)
    large = option("a", 1.0, accuracy=0.9, resident_bytes=3 * MB)
    tenant = replace(closed("a"), accuracy_floor=0.8, source=Source(model="a.onnx", labels="labels.npy"))
    offered = menu_of([tenant], [inexact, exact, large], platform(1, memory_bytes=2 * MB))
    assert [own.tolist() for own in offered.own] == [[1]]


def test_what_arrives_is_told_from_what_is_closed() -> None:
    offered = menu_of([opened("a", 30.0), closed("b")], [option("a", 1.0), option("b", 1.0)], platform(1))
    assert offered.arriving_per_s[0] == 30.0
    assert np.isnan(offered.arriving_per_s[1])


@pytest.fixture
def small() -> Menu:
    return menu_of([closed("a", weight=2.0, floor=0.1)], [option("a", 1.0)], platform(1))


@pytest.mark.parametrize(
    "name", ["taken", "limit", "most", "solo_per_s", "weight", "floor", "rank", "latency_s", "lane_s", "lanes", "artifact"]
)
def test_nobody_writes_on_a_menu(small: Menu, name: str) -> None:
    with pytest.raises(ValueError, match="read-only"):
        getattr(small, name)[0] = 1


def test_a_tenant_without_an_option_is_refused() -> None:
    with pytest.raises(InputError, match=r"tenants\[b\]: no option"):
        menu_of([closed("a"), closed("b")], [option("a", 1.0)], platform(1))
