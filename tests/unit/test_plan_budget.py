"""Processes of their own and budgets of memory: what the crew file says, and what the plan makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cotenant.cost import Table, Timing
from cotenant.describe import Card, Judged, Layer, Model, Precision, Segmented, Tenant, Variant
from cotenant.describe.files import read_crew
from cotenant.errors import InputError
from cotenant.plan import offer
from tests.plan_cases import MB, closed, platform

FP32, BF16, INT8 = Precision.FP32, Precision.BF16, Precision.INT8
HEAD = "tenants:\n- name: a\n  model: zoo:alexnet\n"
TABLE = [(FP32, 4.0, 100 * MB), (BF16, 2.0, 60 * MB), (INT8, 1.0, 50 * MB)]


def tenant_of(crew: Path, keys: str) -> Tenant:
    crew.write_text(HEAD + keys)
    return read_crew(crew).workload.tenant("a")


def card(*, in_segments: bool = False) -> Card:
    layer = Layer(name="l", op="Conv", flop=8, weight_bytes=400, input_bytes=40, output_bytes=60)
    model = Model(name="a", digest="digest", layers=(layer,), edges=(), cuts=(), inputs=(), outputs=(), parameters=100)
    variants = tuple(
        Variant(model="a", precision=p, engine="engine", fidelity=1.0, judged=Judged.SAMPLES, shared=p is not INT8) for p, _, _ in TABLE
    )
    cut = Segmented(precision=FP32, engine="engine", files=("1", "2"), parts=(0.6, 0.6))
    return Card(tenant="a", model=model, files=(), variants=variants, segments=(cut,) if in_segments else ())


def timings() -> Table:
    return Table(
        timings=tuple(
            Timing(
                model="digest", precision=p, engine="engine", engine_version="1", kind="kind0", width=1, wall_ns=round(ms * 1e6), cpu_ns=0,
                spread=0.0, runs=9, resident_bytes=resident_bytes,
            )
            for p, ms, resident_bytes in TABLE
        )
    )  # fmt: skip


def budgeted(memory_bytes: int | None, *, standby: bool = False) -> Tenant:
    return replace(closed("a"), isolated=True, standby=standby, memory_bytes=memory_bytes)


def test_the_keys_are_read_and_default_to_one_process_without_a_budget(tmp_path: Path) -> None:
    found = tenant_of(tmp_path / "crew.yaml", "  isolated: true\n  standby: true\n  memory: 0.5GB\n")
    assert (found.isolated, found.standby, found.memory_bytes) == (True, True, 500 * MB)
    plain = tenant_of(tmp_path / "crew.yaml", "")
    assert (plain.isolated, plain.standby, plain.memory_bytes) == (False, False, None)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("  standby: true\n", "tenants[0].standby: true; needs isolated: true, or there is no process to stand in for"),
        ("  memory: 0MB\n", "tenants[0].memory: 0B; more than 0"),
        ("  memory: 500\n", "tenants[0].memory: 500; a size with its unit, such as 512MiB; one of B kB MB GB KiB MiB GiB"),
        ("  isolated: perhaps\n", "tenants[0].isolated: perhaps; true or false"),
        ("  isolate: true\n", "tenants[0].isolate: unknown key; did you mean isolated?"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, keys: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        tenant_of(tmp_path / "crew.yaml", keys)
    assert str(refused.value).startswith(said)


def test_any_mixture_that_is_offered_fits_the_budget_the_fastest_first() -> None:
    """int8 is loaded once for each of two lanes: 100 MB; bf16 fits beside it, fp32 does not."""
    found = offer([budgeted(170 * MB)], [card()], timings(), platform(2))
    assert {o.artifact.precision for o in found.options} <= {INT8, BF16}
    assert sum(a.resident_bytes for a in {o.artifact for o in found.options}) <= 170 * MB
    reasons = {r.option: r.reason for r in found.refused}
    assert reasons["engine fp32 cpu0x1"] == "its 100.0 MB do not fit, beside faster ones, the 170 MB allowed"


def test_a_budget_below_the_smallest_model_is_refused_with_what_would_do() -> None:
    with pytest.raises(InputError) as refused:
        offer([budgeted(59 * MB)], [card()], timings(), platform(2))
    assert str(refused.value) == "tenants[a].memory: 59MB; 60MB or more, for engine bf16 cpu0x1; or a smaller model"


def test_a_standby_takes_its_memory_again_but_has_a_budget_of_its_own() -> None:
    alone = offer([budgeted(100 * MB)], [card()], timings(), platform(1)).options[0].artifact
    spared = offer([budgeted(100 * MB, standby=True)], [card()], timings(), platform(1)).options[0].artifact
    assert (alone.precision, spared.precision) == (INT8, INT8)
    assert spared.resident_bytes == 2 * alone.resident_bytes


def test_an_isolated_tenant_shares_no_copy_and_runs_whole() -> None:
    together, apart = closed("a"), budgeted(None)
    shared = offer([together], [card(in_segments=True)], timings(), platform(1)).options
    own = offer([apart], [card(in_segments=True)], timings(), platform(1)).options
    assert not {o.artifact for o in shared} & {o.artifact for o in own}
    assert all(len(option.chain) == 1 for option in own)
