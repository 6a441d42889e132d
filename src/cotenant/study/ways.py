"""The ways that a plan is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from cotenant.describe import Array, Card, Closed, Precision, Request, Tenant, outstanding
from cotenant.profile import samples_of
from cotenant.study import children
from cotenant.study.prepared import Prepared
from cotenant.study.seat import Manner, Seat, Service
from cotenant.study.sessions import option_name
from cotenant.study.way import Period, Way
from cotenant.trace import Ending, Trace, Usage
from cotenant.units import NS_PER_S

CHILD = "cotenant.study.serving"
SAMPLES = 8
ALONE_RUNS = 8  # at least so many runs of the slowest variant, however slow
SLACK_S = 30.0  # beyond the grace, for the answer to come

Group = Callable[[Sequence[Seat], Sequence[Tenant]], tuple[tuple[tuple[Seat, ...], bool], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Hold a prepared crew with the files of its samples, by tenant; `driven` by the workload of each period."""

    prepared: Prepared
    samples: Mapping[str, str]

    @property
    def lanes(self) -> int:
        return self.prepared.platform.lanes


def write_samples(prepared: Prepared, folder: Path) -> dict[str, str]:
    """Write each tenant's inputs to a file of their own; return the files' paths by tenant."""
    files = {}
    for index, tenant in enumerate(prepared.tenants):
        path = folder / f"{index}.npz"
        model = prepared.card(tenant.name).model
        inputs = samples_of(tenant, model, SAMPLES).inputs
        np.savez(path, *(_storable(inputs[tensor.name]) for tensor in model.inputs))
        files[tenant.name] = str(path)
    return files


def _storable(array: Array) -> Array:
    """Turn objects, which NumPy would pickle, into text: they are strings, and engines make strings of all else."""
    return np.array([str(item) for item in array.flat], dtype=str).reshape(array.shape) if array.dtype == object else array


def baselines(bench: Bench) -> tuple[Way, ...]:
    """List what a plan is compared with: three ways that are common, two that are as good as can be without ranks or plans.

    In all of them a closed tenant has as many clients as it keeps outstanding, an open one a single client with a queue.
    """
    return (
        _way(bench, "naive-threads", Manner.ONNXRUNTIME_DEFAULT, _together),
        _way(bench, "naive-processes", Manner.ONNXRUNTIME_DEFAULT, _apart),
        _way(bench, "openvino-default", Manner.OPENVINO_DEFAULT, _apart),
        _way(bench, "tuned", Manner.ONE_THREAD, _apart),
        _way(bench, "tuned-os", Manner.ONE_THREAD, _apart_by_rank),
    )


def alone(bench: Bench, tenant: Tenant, least_ns: int) -> Way:
    """Serve one tenant by itself, flat out, one request outstanding per lane, with ONNX Runtime's defaults."""
    digest = bench.prepared.card(tenant.name).model.digest
    slowest_ns = max((t.wall_ns for t in bench.prepared.profile.table.timings if t.model == digest), default=0)

    def serve(period: Period) -> Trace:
        seat = _seat(bench, replace(tenant, arrival=Closed()), Manner.ONNXRUNTIME_DEFAULT, ())
        return serve_groups([((seat,), False)], period)

    return Way(name=f"alone {tenant.name}", serve=serve, fidelity=lambda *_: 1.0, stop_ns=max(least_ns, ALONE_RUNS * slowest_ns))


def on_one_core(bench: Bench, tenant: Tenant, engine: str, precision: Precision, least_ns: int) -> Way:
    """Serve one variant by itself, one request outstanding on one thread, with all that a device gives it."""
    timings = bench.prepared.profile.table.timings
    digest = bench.prepared.card(tenant.name).model.digest
    slowest_ns = max((t.wall_ns for t in timings if (t.model, t.engine, t.precision) == (digest, engine, precision)), default=0)

    def serve(period: Period) -> Trace:
        seat = _seat(bench, replace(tenant, arrival=Closed(outstanding=1)), Manner.ONE_THREAD, ())
        seat = replace(seat, engine=engine, precision=precision, file=bench.prepared.card(tenant.name).file(precision))
        return serve_groups([((seat,), False)], period, huge_pages=True)

    name = f"one core {tenant.name} {engine} {precision.value}"
    return Way(name=name, serve=serve, fidelity=lambda *_: None, stop_ns=max(least_ns, ALONE_RUNS * slowest_ns))


def serve_groups(groups: Iterable[tuple[tuple[Seat, ...], bool]], period: Period, *, huge_pages: bool = False) -> Trace:
    """Serve each group of seats, best effort or not, in a child of its own; return one trace of them all."""
    services = [
        Service(seats=seats, stop_ns=period.stop_ns, grace_ns=period.grace_ns, best_effort=idle, huge_pages=huge_pages)
        for seats, idle in groups
    ]
    limit_s = (period.stop_ns + period.grace_ns) / NS_PER_S + SLACK_S
    labels = [", ".join(seat.tenant for seat in service.seats) for service in services]
    return merged(children.serve(CHILD, [msgspec.json.encode(service) for service in services], limit_s, labels))


def merged(traces: Sequence[Trace]) -> Trace:
    """Join traces of the same instants into one, its endings numbered in order of arrival, its usage that of all; ValueError for none."""
    if not traces:
        raise ValueError("no trace to merge")
    endings = sorted((e for trace in traces for e in trace.endings), key=lambda e: (e.arrival_ns, e.tenant))
    numbered: tuple[Ending, ...] = tuple(replace(e, request=index) for index, e in enumerate(endings))
    asked = tuple(pair for trace in traces for pair in trace.asked)
    usages = [trace.usage for trace in traces if trace.usage is not None]
    usage = Usage(cpu_ns=sum(usage.cpu_ns for usage in usages)) if len(usages) == len(traces) else None
    return replace(traces[0], spans=(), endings=numbered, asked=asked, usage=usage)


def _way(bench: Bench, name: str, manner: Manner, group: Group) -> Way:
    def serve(period: Period) -> Trace:
        workload = period.workload
        requests = workload.requests(period.stop_ns)
        seats = [_seat(bench, tenant, manner, requests) for tenant in workload.tenants]
        return serve_groups(group(seats, workload.tenants), period)

    known = _fidelities(bench.prepared.profile.cards, manner)
    return Way(name=name, serve=serve, fidelity=lambda tenant, option: known.get((tenant, option)))


def _seat(bench: Bench, tenant: Tenant, manner: Manner, requests: Sequence[Request]) -> Seat:
    card = bench.prepared.card(tenant.name)
    engine, precision = _chosen(bench.prepared, tenant.name) if manner is Manner.ONE_THREAD else ("", Precision.FP32)
    clients = outstanding(tenant.arrival, bench.lanes)
    own = tuple(request.arrival_ns for request in requests if request.tenant == tenant.name)
    return Seat(
        tenant=tenant.name,
        manner=manner,
        engine=engine,
        precision=precision,
        file=card.file(precision),
        samples=bench.samples[tenant.name],
        shapes=tuple((tensor.name, tensor.shape) for tensor in card.model.inputs),
        clients=1 if clients is None else clients,
        arrivals_ns=own if clients is None else None,
        deadline_ns=tenant.deadline_ns,
    )


def _chosen(prepared: Prepared, tenant: str) -> tuple[str, Precision]:
    """Return the engine and precision to which the plan gives the greatest rate; of a tenant left without, its fastest option."""
    shares = prepared.plan.shares_of(tenant)
    options = [shares[0].option] if shares else [o for o in prepared.options if o.tenant == tenant]
    artifact = min(options, key=lambda option: option.latency_ns).artifact
    return artifact.engine, artifact.precision


def _together(seats: Sequence[Seat], _: Sequence[Tenant]) -> tuple[tuple[tuple[Seat, ...], bool], ...]:
    return ((tuple(seats), False),)


def _apart(seats: Sequence[Seat], _: Sequence[Tenant]) -> tuple[tuple[tuple[Seat, ...], bool], ...]:
    return tuple(((seat,), False) for seat in seats)


def _apart_by_rank(seats: Sequence[Seat], tenants: Sequence[Tenant]) -> tuple[tuple[tuple[Seat, ...], bool], ...]:
    first = min(tenant.rank for tenant in tenants)
    return tuple(((seat,), tenant.rank > first) for seat, tenant in zip(seats, tenants, strict=True))


def _fidelities(cards: Iterable[Card], manner: Manner) -> dict[tuple[str, str], float | None]:
    """Look up what answers by (tenant, option); fp32 is what fidelity is measured against."""
    known: dict[tuple[str, str], float | None] = {}
    for card in cards:
        engines = {variant.engine for variant in card.variants} | {"onnxruntime", "openvino"}
        known |= {(card.tenant, option_name(engine, Precision.FP32, manner)): 1.0 for engine in engines}
        known |= {(card.tenant, option_name(v.engine, v.precision, manner)): v.fidelity for v in card.variants}
    return known
