"""Reserved cores: a processor's lanes divided between one tenant and the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from cotenant.describe.network import Network, Segment
from cotenant.describe.option import IN_SEGMENTS, Artifact, Option
from cotenant.describe.plan import Share
from cotenant.describe.platform import Platform, Processor
from cotenant.describe.tenant import Tenant
from cotenant.errors import InputError

Lane = tuple[int, int]
"""A processor's index, and a lane within it."""


def reserve(platform: Platform, tenants: Sequence[Tenant], present: Collection[int] = ()) -> Platform:
    """Divide the processors of which tenants reserve lanes; the same platform where nobody does.

    Who names cores is served first, then counts, in the tenants' order: of the first processor the last lanes that are left, then of the
    next. On a board a count is of processors of several lanes. `present` are the machine's cores, to tell one that it lacks from one that
    this process may not use. InputError for what is not there, for a core that is taken, and where nothing is left for a tenant.
    """
    owners: dict[Lane, str] = {}
    for tenant in tenants:
        if isinstance(tenant.cores, tuple):
            owners |= dict.fromkeys(_named(tenant, tenant.cores, platform, owners, present), tenant.name)
    for tenant in tenants:
        if isinstance(tenant.cores, int):
            owners |= dict.fromkeys(_counted(tenant, tenant.cores, platform, owners), tenant.name)
    _refuse_all(tenants, platform, owners)
    return replace(platform, processors=tuple(part for p in range(len(platform.processors)) for part in _parts(platform, p, owners)))


def may_use(processor: Processor, tenant: str) -> bool:
    """Say whether a tenant's segments may run on a processor."""
    return processor.reserved in {"", tenant}


def parts_of(platform: Platform, processor: str) -> tuple[Processor, ...]:
    """List what a processor, by the name that it had before it was divided, has become: itself where nobody reserves lanes of it."""
    return tuple(p for p in platform.processors if (p.part_of or p.name) == processor)


def network_for(network: Network, tenant: Tenant, platform: Platform) -> Network:
    """Return a board's network as one tenant may run it: on what is reserved for it, and on what is left of each processor.

    InputError where a segment runs nowhere any more.
    """
    if not any(p.reserved for p in platform.processors):
        return network
    return replace(network, segments=tuple(_segment_for(segment, tenant, platform) for segment in network.segments))


def counterpart(option: Option, platform: Platform) -> Option | None:
    """Return the option that does on the rest of a divided processor what this one does on its reserved lanes, or the other way round.

    None where there is none, where it is too wide for it, and for what would have to be loaded again.
    """
    swapped = {step.processor: _across(step.processor, option.tenant, platform) for step in option.chain}
    if not any(swapped.values()) or not _is_loaded_everywhere(option.artifact, option.tenant):
        return None
    names = {name: name if other is None else other.name for name, other in swapped.items()}
    if any(step.width > platform.processor(names[step.processor]).lanes for step in option.chain):
        return None
    return replace(
        option,
        chain=tuple(replace(step, processor=names[step.processor]) for step in option.chain),
        demand=tuple((names.get(name, name), amount) for name, amount in option.demand),
    )


def with_counterparts(shares: Sequence[Share], platform: Platform) -> tuple[Share, ...]:
    """Return the shares, and at rate 0 the counterparts that they lack."""
    known = {share.option for share in shares}
    others = (counterpart(share.option, platform) for share in shares)
    return (*shares, *(Share(option=o, rate_per_s=0.0) for o in dict.fromkeys(others) if o is not None and o not in known))


def _across(name: str, tenant: str, platform: Platform) -> Processor | None:
    """Return the other part of a divided processor that a tenant may use."""
    processor = platform.processor(name)
    others = (p for p in parts_of(platform, processor.part_of or processor.name) if p.name != name and may_use(p, tenant))
    return next(others, None)


def _is_loaded_everywhere(artifact: Artifact, tenant: str) -> bool:
    return artifact.place in {"", IN_SEGMENTS, f"of {tenant}"}


def _named(tenant: Tenant, cores: Sequence[int], platform: Platform, owners: Mapping[Lane, str], present: Collection[int]) -> list[Lane]:
    path, lane_of = _path(tenant), _cores(platform)
    if not lane_of:
        raise InputError(path, [*cores], f"a number of cores: those of {platform.name}, which is not this machine, have no numbers")
    for core in cores:
        if core not in lane_of:
            raise InputError(path, core, _permitted(core, lane_of, present))
        if lane_of[core] in owners:
            raise InputError(path, core, f"a core of its own; it is reserved for {owners[lane_of[core]]}")
    return [lane_of[core] for core in cores]


def _cores(platform: Platform) -> dict[int, Lane]:
    """Map every core that this process may use to its lane."""
    return {core: (p, lane) for p, processor in enumerate(platform.processors) for lane, core in enumerate(processor.cores)}


def _permitted(core: int, known: Collection[int], present: Collection[int]) -> str:
    allowed = "one of " + ", ".join(str(one) for one in sorted(known))
    if core in present:
        return f"{allowed}; this one is outside the control group or the affinity, or the second thread of a core"
    return f"{allowed}; there is no such core" if present else allowed


def _counted(tenant: Tenant, count: int, platform: Platform, owners: Mapping[Lane, str]) -> list[Lane]:
    free = [
        (p, lane)
        for p, processor in enumerate(platform.processors)
        if processor.cores or processor.lanes > 1
        for lane in reversed(range(processor.lanes))
        if (p, lane) not in owners
    ]
    if count > len(free):
        beside = f" beside those reserved for {', '.join(dict.fromkeys(owners.values()))}" if owners else ""
        raise InputError(_path(tenant), count, f"at most {len(free)}: there are no more{beside}")
    return free[:count]


def _refuse_all(tenants: Sequence[Tenant], platform: Platform, owners: Mapping[Lane, str]) -> None:
    without = [tenant.name for tenant in tenants if tenant.cores is None]
    if len(owners) == platform.lanes and without:
        last = [tenant for tenant in tenants if tenant.cores is not None][-1]
        shown = [*last.cores] if isinstance(last.cores, tuple) else last.cores
        raise InputError(_path(last), shown, f"fewer: no core is left for {without[0]}")


def _path(tenant: Tenant) -> str:
    return f"tenants[{tenant.name}].cores"


def _parts(platform: Platform, index: int, owners: Mapping[Lane, str]) -> Iterator[Processor]:
    """Yield what is left of a processor, then what is reserved of it, tenant by tenant."""
    processor = platform.processors[index]
    lanes: dict[str, list[int]] = {"": []}
    for lane in range(processor.lanes):
        lanes.setdefault(owners.get((index, lane), ""), []).append(lane)
    for tenant, own in lanes.items():
        part = {} if not tenant else {"name": f"{processor.name}[{tenant}]", "reserved": tenant, "part_of": processor.name}
        if own:
            cores = tuple(processor.cores[lane] for lane in own) if processor.cores else ()
            yield replace(processor, lanes=len(own), cores=cores, **part)  # type: ignore[arg-type]  # all of these are text


def _segment_for(segment: Segment, tenant: Tenant, platform: Platform) -> Segment:
    def parts(processor: str, width: int = 1) -> list[str]:
        fit = [p for p in parts_of(platform, processor) if may_use(p, tenant.name) and width <= p.lanes]
        return [p.name for p in sorted(fit, key=lambda p: not p.reserved)]

    costs = tuple(replace(cost, processor=name) for cost in segment.costs for name in parts(cost.processor, cost.width))
    if not costs:
        where = ", ".join(f"{width} lanes of {processor}" for processor, width in (cost.place for cost in segment.costs))
        raise InputError(f"tenants[{tenant.name}].model", tenant.source.model, f"{where}, which others leave it not")
    handovers = tuple(
        replace(one, source=source, target=target)
        for one in segment.handovers
        for source in parts(one.source)
        for target in parts(one.target)
    )
    return replace(segment, costs=costs, handovers=handovers)
