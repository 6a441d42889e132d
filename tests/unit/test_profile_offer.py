"""What a tenant may be offered, and where that is timed."""

from __future__ import annotations

import pytest

from cotenant.backend.fake import Fake
from cotenant.describe import Closed, Judged, Memory, Platform, Precision, Processor, Source, Tenant, Variant
from cotenant.profile.offer import barred, homes, refused, widths


def tenant(allow: tuple[Precision, ...] | None = None, floor: float = 0.95) -> Tenant:
    return Tenant(name="t", source=Source(model="m.onnx"), arrival=Closed(), allow=allow, fidelity_floor=floor)


def variant(fidelity: float | None) -> Variant:
    return Variant(model="m", precision=Precision.INT8, engine="e", fidelity=fidelity)


def platform(*processors: tuple[str, str, int]) -> Platform:
    memory = Memory(name="dram", capacity_bytes=1)
    listed = (Processor(name=name, kind=kind, lanes=lanes, memory="dram") for name, kind, lanes in processors)
    return Platform(name="p", processors=tuple(listed), memories=(memory,))


@pytest.mark.parametrize("judged", Judged)
def test_fp32_needs_no_judge(judged: Judged) -> None:
    assert barred(tenant(), Precision.FP32, judged) is None


def test_what_cannot_be_judged_is_barred_unless_it_is_allowed() -> None:
    assert barred(tenant(), Precision.INT8, Judged.UNKNOWN) is not None
    assert barred(tenant(), Precision.INT8, Judged.SAMPLES) is None
    assert barred(tenant((Precision.INT8,)), Precision.INT8, Judged.UNKNOWN) is None


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16])
def test_what_is_not_in_the_list_is_barred_however_it_is_judged(precision: Precision) -> None:
    assert barred(tenant((Precision.INT8,)), precision, Judged.SAMPLES) == "not in its allow list"


def test_a_fidelity_below_the_floor_is_refused_and_one_on_it_is_not() -> None:
    assert refused(tenant(floor=0.9), variant(0.8999)) == "fidelity 0.900 is below its floor of 0.9"
    assert refused(tenant(floor=0.9), variant(0.9)) is None
    assert refused(tenant(floor=0.9), variant(None)) is None


def test_each_kind_is_timed_once_where_it_has_most_lanes() -> None:
    found = [(processor.name, width) for processor, width in homes(platform(("a", "x", 1), ("b", "x", 2), ("c", "y", 1)), Fake())]
    assert found == [("b", 1), ("b", 2), ("c", 1)]


def test_an_engine_that_strays_when_wide_is_timed_on_one_lane() -> None:
    assert [width for _, width in homes(platform(("a", "x", 4)), Fake(runs_wide=False))] == [1]


def test_an_engine_is_not_timed_where_it_does_not_run() -> None:
    memory = Memory(name="dram", capacity_bytes=1)
    gpu = Processor(name="gpu", kind="g", lanes=1, memory="dram", engines=("cuda",))
    assert not list(homes(Platform(name="p", processors=(gpu,), memories=(memory,)), Fake()))


@pytest.mark.parametrize(("lanes", "expected"), [(1, (1,)), (3, (1, 2, 3)), (4, (1, 2, 3, 4)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8))])
def test_few_lanes_are_timed_at_every_width_and_many_at_powers_of_two(lanes: int, expected: tuple[int, ...]) -> None:
    assert widths(lanes) == expected
