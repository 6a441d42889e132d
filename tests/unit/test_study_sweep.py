"""Policies compared: what is alone counts 1, everybody gets the same requests, and what cannot be simulated is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from cotenant.describe import (
    Arrival,
    Board,
    Closed,
    Crew,
    Memory,
    Network,
    Periodic,
    Platform,
    Poisson,
    Processor,
    Replay,
    Source,
    Tenant,
    Work,
    Workload,
)
from cotenant.describe.files import board
from cotenant.describe.network import Cost, Segment
from cotenant.errors import DecisionError, InputError
from cotenant.policy import Candidate, Policy, Scene, policies
from cotenant.study.boarded import shares_for
from cotenant.study.sweep import Ask, Swept, sweep

NAMES = ("fifo", "edf", "fewest_late", "moca")
MS = 1_000_000


def uneven() -> Board:
    """Return two lanes of one kind and six of another; the network runs on the first kind alone, and fills a third of the memory."""
    processors = (Processor(name="big", kind="b", lanes=2, memory="ram"), Processor(name="small", kind="s", lanes=6, memory="ram"))
    cost = Cost(processor="big", width=1, duration_ns=MS, memory_bytes=MS // 3)
    return Board(
        platform=Platform(
            name="uneven", processors=processors, memories=(Memory(name="ram", capacity_bytes=1, bandwidth_bytes_per_s=1e9),)
        ),
        networks=(Network(name="n", segments=(Segment(name="all", costs=(cost,)),)),),
        source="a test",
    )


def compared(on: Board, *tenants: Tenant, seeds: int = 2, seconds: float | None = 0.2, names: tuple[str, ...] = NAMES) -> Swept:
    crew = Crew(workload=Workload(tenants=tenants, seed=3))
    ask = Ask(policies=tuple((name, policies.get(name)) for name in names), seeds=seeds, seconds=seconds)
    return sweep(crew, on.platform, lambda own: shares_for(own, on), ask)


def tenant(model: str, arrival: Arrival, name: str = "t", **more: object) -> Tenant:
    return replace(Tenant(name=name, source=Source(model=f"board:{model}"), arrival=arrival), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("outstanding", [1, 2, 4, None])
def test_alone_a_closed_loop_comes_to_1_whatever_it_shares_with_itself(outstanding: int | None) -> None:
    """On lanes that it cannot use, and on a memory that its own requests fill."""
    for on, model in ((uneven(), "n"), (board("moca_soc"), "alexnet"), (board("moca_soc"), "resnet50")):
        swept = compared(on, tenant(model, Closed(outstanding=outstanding)), names=("fifo",))
        assert [cell.stp for cell in swept.cells] == pytest.approx([1.0])


def test_alone_one_whose_requests_never_meet_comes_to_1() -> None:
    swept = compared(uneven(), tenant("n", Periodic(every_ns=5 * MS)))
    assert [(cell.stp, cell.antt, cell.fairness) for cell in swept.cells] == [pytest.approx((1.0, 1.0, 1.0), rel=1e-5)] * len(NAMES)


def test_every_policy_gets_the_same_requests_seed_by_seed() -> None:
    crew = (tenant("alexnet", Poisson(rate_per_s=60), "a", deadline_ns=40 * MS), tenant("kws_res26", Poisson(rate_per_s=30), "b"))
    swept = compared(board("moca_soc"), *crew, seeds=3)
    seen = [sorted(zip(run.endings["tenant"].tolist(), run.endings["arrival_ns"].tolist(), strict=True)) for run in swept.examples.values()]
    assert seen == [seen[0]] * len(NAMES)
    assert len(seen[0]) > 5
    counts = [[[len(own) for own in one.latencies_ms] for one in runs] for runs in swept.runs.values()]
    assert counts == [counts[0]] * len(NAMES)
    assert len({str(one) for one in counts[0]}) > 1, "seeds differ"


@pytest.mark.parametrize(
    ("arrival", "work", "said"),
    [
        (Poisson(rate_per_s=9), Work(exits=((1, 0.5),)), r"^tenants\[0\]\.exits: 1; segments 0 to 0 of board:n"),
        (Closed(), Work(spread=0.1), r"^tenants\[0\]\.work: of a closed loop; none"),
        (Closed(), Work(exits=((0, 0.5),)), r"^tenants\[0\]\.work: of a closed loop; none"),
    ],
)
def test_work_that_cannot_be_simulated_is_refused(arrival: Arrival, work: Work, said: str) -> None:
    with pytest.raises(InputError, match=said):
        compared(uneven(), tenant("n", arrival, work=work))


def test_a_log_is_simulated_to_its_end_and_has_no_intervals() -> None:
    """Nothing is drawn: two seeds are one run twice."""
    log = Replay(path="log.csv", times_ns=(0, 2 * MS, 700 * MS))
    swept = compared(uneven(), tenant("n", log, deadline_ns=2 * MS), seconds=None, names=("fifo",))
    assert [len(own.endings) for own in swept.examples.values()] == [3]
    assert [(cell.sla, cell.sla_ci95, cell.stp_ci95) for cell in swept.cells] == [(1.0, None, None)]
    assert swept.horizon_s == {1.0: 0.700000001}


def _no_number_when_late(candidate: Candidate, scene: Scene) -> float:
    return math.nan if scene.now_ns > 100 * MS else 0.0


def _raising(candidate: Candidate, scene: Scene) -> float:
    return 1.0 / (candidate.arrival_ns - candidate.arrival_ns)


@pytest.mark.parametrize("order", [_no_number_when_late, _raising])
def test_a_policy_that_fails_is_left_out_and_the_others_are_compared(order: Callable[[Candidate, Scene], float]) -> None:
    crew = Crew(workload=Workload(tenants=(tenant("n", Poisson(rate_per_s=100)),)))
    odd, fifo = ("odd", Policy(order=order)), ("fifo", policies.get("fifo"))
    ask = Ask(policies=(odd, fifo), loads=(0.5, 1.0), seeds=2, seconds=0.3)
    swept = sweep(crew, uneven().platform, lambda own: shares_for(own, uneven()), ask)
    assert {(cell.policy, cell.load) for cell in swept.cells} == set(swept.runs) == {("fifo", 0.5), ("fifo", 1.0)}
    assert list(swept.failed) == ["odd"]
    with pytest.raises(DecisionError, match="policy odd at"):
        sweep(crew, uneven().platform, lambda own: shares_for(own, uneven()), replace(ask, policies=(odd,)))


def test_a_sweep_that_is_stopped_ends_with_the_run_at_hand() -> None:
    """As Ctrl-C does: what is still to be simulated is not."""
    heard = []

    def told(what: str) -> None:
        heard.append(what)
        raise KeyboardInterrupt

    crew = Crew(workload=Workload(tenants=(tenant("n", Poisson(rate_per_s=100)),)))
    ask = Ask(policies=(("fifo", policies.get("fifo")),), loads=(1.0, 2.0, 3.0, 4.0), seeds=1000, seconds=0.01)
    with pytest.raises(KeyboardInterrupt):
        sweep(crew, uneven().platform, lambda own: shares_for(own, uneven()), ask, told)
    assert len(heard) <= 4
