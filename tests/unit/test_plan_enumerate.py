"""Options from what was measured: what is offered, and what the last filter says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cotenant.cost import Table, Timing
from cotenant.describe import Artifact, Card, Judged, Layer, Model, Platform, Precision, Preemption, Source, Tenant, Variant
from cotenant.errors import InputError
from cotenant.plan import enumerate_options, offer
from cotenant.units import duration_ns
from tests.plan_cases import closed, platform

FP32, BF16, INT8 = Precision.FP32, Precision.BF16, Precision.INT8


def model(name: str) -> Model:
    layer = Layer(name="l", op="Conv", flop=8, weight_bytes=400, input_bytes=40, output_bytes=60)
    return Model(name=name, digest=f"digest-{name}", layers=(layer,), edges=(), cuts=(), inputs=(), outputs=(), parameters=100)


def card(name: str, **fidelity: float | None) -> Card:
    variants = tuple(
        Variant(model=name, precision=Precision(p), engine="engine", fidelity=f, judged=Judged.UNKNOWN if f is None else Judged.SAMPLES)
        for p, f in fidelity.items()
    )
    return Card(tenant=name, model=model(name), files=(), variants=variants)


def timing(
    name: str, wall_ms: float, precision: Precision = FP32, width: int = 1, kind: str = "kind0", resident_bytes: int = 1000,
) -> Timing:  # fmt: skip
    return Timing(
        model=f"digest-{name}", precision=precision, engine="engine", engine_version="1", kind=kind, width=width,
        wall_ns=round(wall_ms * 1e6), cpu_ns=0, spread=0.0, runs=9, resident_bytes=resident_bytes,
    )  # fmt: skip


def offered(tenants: list[Tenant], cards: list[Card], timings: list[Timing], board: Platform) -> list[tuple[str, str]]:
    return [(o.tenant, o.name) for o in enumerate_options(tenants, cards, Table(timings=tuple(timings)), board)]


def test_demand_is_width_times_wall_time_and_the_bytes_of_the_precision() -> None:
    board = platform(2, bandwidth=1e9)
    table = Table(timings=(timing("a", 4, BF16), timing("a", 3, BF16, width=2)))
    first, second = enumerate_options([closed("a")], [card("a", bf16=0.99)], table, board)
    assert dict(first.demand) == {"cpu0": pytest.approx(0.004), "dram": 250}
    assert dict(second.demand) == {"cpu0": pytest.approx(0.006), "dram": 250}
    assert (second.latency_ns, second.fidelity, second.judged) == (3_000_000, 0.99, Judged.SAMPLES)


def test_widths_beyond_the_lanes_are_not_offered() -> None:
    timings = [timing("a", 4), timing("a", 1, width=4)]
    assert offered([closed("a")], [card("a", fp32=1.0)], timings, platform(2)) == [("a", "engine fp32 cpu0x1")]


def test_each_processor_offers_what_its_own_kind_was_timed_at() -> None:
    timings = [timing("a", 4), timing("a", 2, kind="kind1")]
    names = [name for _, name in offered([closed("a")], [card("a", fp32=1.0)], timings, platform(1, 1))]
    assert names == ["engine fp32 cpu0x1", "engine fp32 cpu1x1"]


def test_a_variant_below_its_fidelity_floor_is_refused_with_its_fidelity() -> None:
    table = Table(timings=(timing("a", 4), timing("a", 2, INT8)))
    found = offer([closed("a")], [card("a", fp32=1.0, int8=0.9)], table, platform(1))
    assert [o.artifact.precision for o in found.options] == [FP32]
    assert [(r.option, r.reason) for r in found.refused] == [("engine int8", "its fidelity 0.900 is below 0.95")]


def test_of_unknown_fidelity_only_fp32_is_offered_unless_allowed_by_name() -> None:
    timings, cards = [timing("a", 4), timing("a", 2, INT8)], [card("a", fp32=None, int8=None)]
    assert offered([closed("a")], cards, timings, platform(1)) == [("a", "engine fp32 cpu0x1")]
    allowed = replace(closed("a"), allow=(INT8,))
    assert offered([allowed], cards, timings, platform(1)) == [("a", "engine int8 cpu0x1")]


def test_an_option_that_another_beats_in_all_is_dropped_with_its_name() -> None:
    table = Table(timings=(timing("a", 4), timing("a", 3, BF16), timing("a", 2.5, width=2)))
    found = offer([closed("a")], [card("a", fp32=1.0, bf16=0.99)], table, platform(2))
    assert [o.name for o in found.options] == ["engine fp32 cpu0x2", "engine bf16 cpu0x1"]
    assert [(r.option, r.reason) for r in found.refused] == [("engine fp32 cpu0x1", "engine bf16 cpu0x1 takes no more of anything")]


def test_what_lanes_cannot_share_is_resident_once_for_each_and_once_more_for_rank_0() -> None:
    tenants = [replace(closed("a"), rank=0), replace(closed("b"), rank=1), replace(closed("c"), rank=1)]

    def artifacts(*, shared: bool) -> list[Artifact]:
        variant = Variant(model="m", precision=FP32, engine="engine", fidelity=1.0, shared=shared)
        cards = [replace(card(t.name), model=model("m"), variants=(variant,)) for t in tenants]
        found = enumerate_options(tenants, cards, Table(timings=(timing("m", 4, resident_bytes=1000),)), platform(3))
        return [o.artifact for o in found]

    first, second, third = artifacts(shared=True)
    assert first == second == third
    assert first.resident_bytes == 1000
    first, second, third = artifacts(shared=False)
    assert first != second == third
    assert {a.resident_bytes for a in (first, second, third)} == {3000}


def test_engine_threads_of_their_own_are_a_copy_of_their_own() -> None:
    table = Table(timings=(timing("a", 4), timing("a", 3, width=2)))
    one, two = enumerate_options([closed("a")], [card("a", fp32=1.0)], table, platform(2))
    assert one.artifact != two.artifact


def test_where_memory_is_short_another_model_dominates_nothing() -> None:
    timings = [timing("a", 4, resident_bytes=600), timing("a", 3, BF16, resident_bytes=900)]
    names = offered([closed("a")], [card("a", fp32=1.0, bf16=0.99)], timings, platform(1, memory_bytes=1000))
    assert len(names) == 2


def test_of_equal_options_one_stays() -> None:
    timings = [timing("a", 4), timing("a", 4, BF16)]
    assert len(offered([closed("a")], [card("a", fp32=1.0, bf16=0.99)], timings, platform(1))) == 1


def test_with_an_accuracy_floor_the_more_accurate_is_not_dominated() -> None:
    tenant = replace(closed("a"), source=Source(model="a.onnx", labels="l.npy"), accuracy_floor=0.7)
    variants = tuple(
        Variant(model="a", precision=p, engine="engine", fidelity=1.0, accuracy=a) for p, a in ((FP32, 0.8), (INT8, 0.75), (BF16, None))
    )
    known = replace(card("a"), variants=variants)
    table = Table(timings=(timing("a", 4), timing("a", 2, INT8), timing("a", 1, BF16)))
    found = offer([tenant], [known], table, platform(1))
    assert [o.artifact.precision for o in found.options] == [FP32, INT8]
    assert [r.reason for r in found.refused] == ["its accuracy is unknown"]


@pytest.mark.parametrize(
    ("preemption", "rank", "fits"),
    [(Preemption.CLASS, 0, True), (Preemption.NONE, 0, False), (Preemption.SEGMENT, 0, False), (Preemption.CLASS, 1, False)],
)
def test_a_deadline_outlasts_one_segment_of_lower_ranks_unless_the_os_preempts(preemption: Preemption, rank: int, *, fits: bool) -> None:
    """5 ms of its own and 8 ms of another in 10 ms; the OS knows rank 0 and the rest."""
    tenants = [replace(closed("a", rank), deadline_ns=10_000_000), closed("b", 2)]
    cards, timings = [card("a", fp32=1.0), card("b", fp32=1.0)], [timing("a", 5), timing("b", 8)]
    board = platform(1, preemption=preemption)
    if fits:
        assert len(offered(tenants, cards, timings, board)) == 2
    else:
        with pytest.raises(InputError) as caught:
            offered(tenants, cards, timings, board)
        assert str(caught.value) == (
            "tenants[a].deadline: 10 ms; 13 ms or more; the fastest option, engine fp32 cpu0x1, takes 5 ms after up to 8 ms of lower ranks"
        )


@pytest.mark.parametrize("wall_ms", [17.741234, 0.0123456, 1234.5678, 99.96, 8.1])
def test_advice_on_deadlines_works_when_followed(wall_ms: float) -> None:
    """What is said is the time in three digits, rounded up."""
    tenant, known, board = replace(closed("a"), deadline_ns=1), card("a", fp32=1.0), platform(1)
    with pytest.raises(InputError, match=r"^tenants\[a\].deadline: 0.000001 ms; ") as caught:
        offered([tenant], [known], [timing("a", wall_ms)], board)
    advised_ns = duration_ns(str(caught.value.allowed).partition(" or more")[0], "deadline")
    assert advised_ns / 1e6 == pytest.approx(wall_ms, rel=0.01)
    assert len(offered([replace(tenant, deadline_ns=advised_ns)], [known], [timing("a", wall_ms)], board)) == 1


def test_equal_ranks_do_not_block() -> None:
    tenants = [replace(closed("a"), deadline_ns=10_000_000), closed("b")]
    timings = [timing("a", 5), timing("b", 8)]
    assert len(offered(tenants, [card("a", fp32=1.0), card("b", fp32=1.0)], timings, platform(1, preemption=Preemption.NONE))) == 2


def test_only_segments_that_are_offered_block() -> None:
    """b's fp32 of 20 ms is dominated by its int8 of 4 ms, so it never runs."""
    tenants = [replace(closed("a"), deadline_ns=10_000_000), closed("b", 2)]
    timings = [timing("a", 5), timing("b", 20), timing("b", 4, INT8)]
    cards = [card("a", fp32=1.0), card("b", fp32=1.0, int8=0.97)]
    names = offered(tenants, cards, timings, platform(1, preemption=Preemption.NONE))
    assert names == [("a", "engine fp32 cpu0x1"), ("b", "engine int8 cpu0x1")]


def test_the_last_filter_is_named_with_what_would_fit() -> None:
    timings, board = [timing("a", 8.1), timing("a", 4, INT8)], platform(1)

    def refusal(tenant: Tenant, known: Card) -> str:
        with pytest.raises(InputError) as caught:
            offered([tenant], [known], timings, board)
        return str(caught.value)

    assert refusal(replace(closed("a"), deadline_ns=5_000_000), card("a", fp32=1.0)) == (
        "tenants[a].deadline: 5 ms; 8.1 ms or more; the fastest option, engine fp32 cpu0x1, takes 8.1 ms"
    )
    assert refusal(replace(closed("a"), allow=(INT8,)), card("a", fp32=1.0)) == "tenants[a].allow: int8; one of fp32"
    assert refusal(replace(closed("a"), allow=(INT8,)), card("a", fp32=1.0, int8=0.91)) == (
        "tenants[a].fidelity: 0.95; at most 0.910, that of engine int8"
    )
    assert refusal(closed("a"), card("a", int8=None)) == "tenants[a].samples: none; samples to judge int8 by, or allow: [int8]"
    assert refusal(closed("a"), card("a", bf16=1.0)) == "tenants[a].model: a.onnx; a processor of board on which engine bf16 was timed"
