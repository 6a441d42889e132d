from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cotenant.backend.cpuinfo import Core
from cotenant.backend.kernel_file import numbers
from cotenant.backend.machine import ALIKE, clusters, within


@st.composite
def machines(draw: st.DrawFn) -> tuple[Core, ...]:
    threads = draw(st.integers(1, 2))
    kinds = draw(st.lists(st.tuples(st.sampled_from("ab"), st.integers(10, 40)), min_size=1, max_size=8))
    return tuple(
        Core(number=first + thread, kind=kind, max_khz=100 * peak, siblings=tuple(range(first, first + threads)))
        for first, (kind, peak) in zip(range(0, threads * len(kinds), threads), kinds, strict=True)
        for thread in range(threads)
    )


@given(cores=machines())
def test_clusters_divide_the_cores_into_alike_ones_of_one_distinct_kind(cores: tuple[Core, ...]) -> None:
    found = clusters(cores)
    assert sorted(core.number for cluster in found for core in cluster) == [core.number for core in cores]
    assert len({cluster[0].kind for cluster in found}) == len(found)
    for cluster in found:
        assert len({core.kind for core in cluster}) == 1
        assert min(core.peak for core in cluster) >= ALIKE * max(core.peak for core in cluster)


@given(cores=machines(), data=st.data(), quota=st.none() | st.floats(0.01, 20))
def test_lanes_are_permitted_physical_cores_within_the_quota_and_never_none(
    cores: tuple[Core, ...], data: st.DataObject, quota: float | None
) -> None:
    allowed = frozenset(data.draw(st.sets(st.sampled_from([core.number for core in cores]), min_size=1)))
    kept = [core for cluster in within(clusters(cores), allowed, quota) for core in cluster]
    physical = {core.siblings for core in cores if core.number in allowed}
    assert {core.number for core in kept} <= allowed
    assert len({core.siblings for core in kept}) == len(kept)
    assert len(kept) == min(len(physical), len(physical) if quota is None else max(1, int(quota)))


@given(wanted=st.lists(st.integers(0, 300), unique=True).map(sorted))
def test_a_list_of_cores_is_read_as_it_was_written(wanted: list[int]) -> None:
    assert list(numbers(",".join(map(str, wanted)))) == wanted
    assert list(numbers(f"0-{len(wanted)}")) == list(range(len(wanted) + 1))
