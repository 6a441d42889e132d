"""Options of a crew on a board, and a simulated run by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cotenant.describe import Arrival, Board, Closed, Periodic, Platform, Poisson, Precision, Request, Source, Tenant
from cotenant.describe.files import board
from cotenant.errors import InputError
from cotenant.policy import policies
from cotenant.sim import Case, simulate
from cotenant.study.boarded import shares_for

HOUR_NS = 3_600_000_000_000


@pytest.fixture
def moca() -> Board:
    return board("moca_soc")


def tenant(network: str, arrival: Arrival | None = None, name: str = "t") -> Tenant:
    return Tenant(name=name, source=Source(model=f"board:{network}"), arrival=arrival or Poisson(rate_per_s=20))


def test_a_tenant_gets_an_option_for_every_width_the_planned_one_first(moca: Board) -> None:
    shares = shares_for([tenant("alexnet"), tenant("yolo_lite", name="u")], moca)
    widths = [(s.option.tenant, {step.width for step in s.option.chain}) for s in shares]
    assert widths == [(name, {width}) for name in ("t", "u") for width in (2, 1, 4, 8)]


@pytest.mark.parametrize(("arrival", "rate_per_s"), [(Poisson(rate_per_s=20), 20.0), (Periodic(every_ns=10**8), 10.0), (Closed(), 0.0)])
def test_the_planned_width_has_the_rate_at_which_requests_come(moca: Board, arrival: Arrival, rate_per_s: float) -> None:
    first, *others = shares_for([tenant("alexnet", arrival)], moca)
    assert first.rate_per_s == rate_per_s
    assert all(share.rate_per_s == 0 for share in others)


def test_an_option_takes_what_the_figures_say(moca: Board) -> None:
    network = moca.network("resnet50")
    for share in shares_for([tenant("resnet50")], moca):
        option, width = share.option, share.option.chain[0].width
        chain = network.chain_at(("tiles", width))
        assert [(s.segment, s.duration_ns, s.memory_bytes) for s in option.chain] == [
            (index, cost.duration_ns, cost.memory_bytes) for index, cost in enumerate(chain)
        ]
        assert option.latency_ns == sum(step.duration_ns for step in option.chain)
        assert option.demand_of("tiles") == pytest.approx(width * option.latency_ns / 1e9)
        assert option.demand_of("dram") == sum(step.memory_bytes for step in option.chain)
        assert (option.artifact.model, option.artifact.precision, option.artifact.memory) == ("resnet50", Precision.INT8, "dram")


def test_a_model_that_is_not_of_the_board_is_refused(moca: Board) -> None:
    with pytest.raises(InputError, match=r"^tenants\[1\]\.model: board:alexnot; a network of moca_soc; did you mean alexnet\?"):
        shares_for([tenant("alexnet"), tenant("alexnot", name="u")], moca)
    stranger = replace(tenant("alexnet"), source=Source(model="zoo:alexnet"))
    with pytest.raises(InputError, match=r"^tenants\[0\]\.model: zoo:alexnet; a network of moca_soc, such as board:"):
        shares_for([stranger], moca)


def test_a_precision_that_the_board_does_not_know_is_refused(moca: Board) -> None:
    with pytest.raises(InputError, match=r"^tenants\[0\]\.allow: fp32; int8, in which alone moca_soc knows alexnet"):
        shares_for([replace(tenant("alexnet"), allow=(Precision.FP32,))], moca)
    assert shares_for([replace(tenant("alexnet"), allow=(Precision.FP32, Precision.INT8))], moca)


@pytest.mark.parametrize("policy", ["fifo", "edf"])
def test_alone_on_the_board_a_request_takes_its_isolated_time(moca: Board, policy: str) -> None:
    tenants = tuple(tenant(network.name, Periodic(every_ns=HOUR_NS), network.name) for network in moca.networks)
    requests = tuple(Request(id=i, tenant=t.name, arrival_ns=i * 10**9) for i, t in enumerate(tenants))
    found = run(moca, moca.platform, tenants, requests, policy)
    assert found == [network.duration_ns(("tiles", 2)) for network in moca.networks]


def test_beside_three_others_nobody_is_faster_than_interference_and_bandwidth_allow(moca: Board) -> None:
    """Four alexnets at once, segment by segment: each takes what four times its bytes do, or 1 + 3 x 0.08 of its time, if that is more."""
    requests = tuple(Request(id=i, tenant="t", arrival_ns=0) for i in range(4))
    found = run(moca, moca.platform, (tenant("alexnet"),), requests, "fifo")
    expected = sum(max(4 * at.memory_bytes / 16, 1.24 * at.duration_ns) for at in moca.network("alexnet").chain_at(("tiles", 2)))
    assert found == pytest.approx([expected] * 4, rel=1e-4)


def run(board: Board, platform: Platform, tenants: tuple[Tenant, ...], requests: tuple[Request, ...], policy: str) -> list[int]:
    """Return latencies in order of arrival."""
    case = Case(tenants=tenants, shares=shares_for(tenants, board), platform=platform, requests=requests, horizon_ns=HOUR_NS)
    endings = simulate(case, policies.get(policy), name=policy).endings
    return [int(ns) for ns in np.subtract(endings["finish_ns"], endings["arrival_ns"])]
