"""Small boards and crews for the tests of policies: options of several widths, requests at given instants."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.describe import (
    Artifact,
    Closed,
    Memory,
    Option,
    Periodic,
    Platform,
    Precision,
    Preemption,
    Processor,
    Request,
    Share,
    Source,
    Step,
    Tenant,
)
from cotenant.policy import policies
from cotenant.sim import Case, simulate
from cotenant.trace.columns import Columns

Asked = tuple[str, int]
"""A tenant's name, and when its request arrives."""


@dataclass(frozen=True, kw_only=True)
class Net:
    """A tenant of `segments` times at its planned width, the first of `widths`; k times as wide is k times as fast."""

    name: str
    segments: tuple[int, ...]
    rank: int = 0
    deadline_ns: int | None = None
    widths: tuple[int, ...] = (1,)
    closed: int | None = None

    @property
    def tenant(self) -> Tenant:
        arrival = Periodic(every_ns=1_000_000) if self.closed is None else Closed(outstanding=self.closed)
        return Tenant(name=self.name, source=Source(model="zoo:x"), arrival=arrival, rank=self.rank, deadline_ns=self.deadline_ns)

    @property
    def shares(self) -> tuple[Share, ...]:
        artifact = Artifact(model=self.name, precision=Precision.FP32, engine="fake", memory="dram", resident_bytes=1)
        chains = [
            tuple(
                Step(segment=i, processor="p", width=width, duration_ns=ns * self.widths[0] // width) for i, ns in enumerate(self.segments)
            )
            for width in self.widths
        ]
        options = [
            Option(tenant=self.name, artifact=artifact, chain=chain, demand=(), latency_ns=sum(step.duration_ns for step in chain))
            for chain in chains
        ]
        return tuple(Share(option=option, rate_per_s=float(k == 0)) for k, option in enumerate(options))


def case(nets: tuple[Net, ...], asked: tuple[Asked, ...], *, lanes: int = 1, preemption: Preemption = Preemption.SEGMENT) -> Case:
    """One processor without costs or memory, and requests at their instants."""
    processor = Processor(name="p", kind="k", lanes=lanes, memory="dram", preemption=preemption)
    known = {net.name: net for net in nets}
    requests = []
    for index, (name, arrival_ns) in enumerate(sorted(asked, key=lambda one: one[1])):
        deadline_ns = known[name].deadline_ns
        due_ns = None if deadline_ns is None else arrival_ns + deadline_ns
        requests.append(Request(id=index, tenant=name, arrival_ns=arrival_ns, due_ns=due_ns))
    return Case(
        tenants=tuple(net.tenant for net in nets),
        shares=tuple(share for net in nets for share in net.shares),
        platform=Platform(name="b", processors=(processor,), memories=(Memory(name="dram", capacity_bytes=1),)),
        requests=tuple(requests),
        horizon_ns=1 + max((request.arrival_ns for request in requests), default=0),
    )


def served(policy: str, case: Case, **params: float) -> Columns:
    return simulate(case, policies.get(policy), name=policy, params=tuple(params.items()))


def finishes(run: Columns) -> list[tuple[str, int]]:
    """List who ended when, in order of arrival."""
    return [(run.tenants[row["tenant"]], int(row["finish_ns"])) for row in run.endings]


def spans(run: Columns) -> list[tuple[str, int, int, int]]:
    """List (tenant, start, stop, lanes) of every segment's run, in order of its start, then its tenant."""
    found: dict[tuple[str, int, int, int], int] = {}
    for row in run.spans:
        tenant = run.tenants[run.endings[int(row["request"])]["tenant"]]
        key = tenant, int(row["start_ns"]), int(row["stop_ns"]), int(row["request"])
        found[key] = found.get(key, 0) + 1
    rows = [(tenant, start_ns, stop_ns, lanes) for (tenant, start_ns, stop_ns, _), lanes in found.items()]
    return sorted(rows, key=lambda row: (row[1], row[0]))
