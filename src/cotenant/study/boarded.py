"""The options of a crew on a board that is not this machine."""

from __future__ import annotations

from collections.abc import Sequence

from cotenant.describe import Artifact, Board, Closed, Network, Option, Place, Platform, Share, Step, Tenant, Work, open_rate_per_s
from cotenant.describe.reserved import network_for
from cotenant.errors import InputError
from cotenant.registry import nearest
from cotenant.units import NS_PER_S

BOARD = "board"
"""The engine of an option that is known by figures alone."""


def shares_for(tenants: Sequence[Tenant], board: Board, platform: Platform | None = None) -> tuple[Share, ...]:
    """Return an option for every place where a tenant's network runs, the planned one first and at the rate at which requests come.

    The rates are 0 everywhere else, and for closed tenants. `platform` is the board's as tenants reserve lanes of it, None where nobody
    does: who has reserved lanes is planned there. InputError for a model that the board's figures do not cover, and for work that cannot
    be simulated.
    """
    at = board.platform if platform is None else platform
    found = [(tenant, network_for(_network(index, tenant, board), tenant, at)) for index, tenant in enumerate(tenants)]
    for index, (tenant, network) in enumerate(found):
        _refuse_work(f"tenants[{index}]", tenant, len(network.segments))
    return tuple(share for tenant, network in found for share in _shares(tenant, network, board, at))


def _network(index: int, tenant: Tenant, board: Board) -> Network:
    path, allowed = f"tenants[{index}].model", f"a network of {board.platform.name}"
    if not tenant.source.is_board:
        raise InputError(path, tenant.source.model, f"{allowed}, such as board:{board.names[0]}")
    name = tenant.source.model.removeprefix("board:")
    if name not in board.names:
        raise InputError(path, tenant.source.model, f"{allowed}; {nearest(name, board.names)}")
    refuse_precision(f"tenants[{index}].allow", tenant, board.network(name), board)
    return board.network(name)


def refuse_precision(path: str, tenant: Tenant, network: Network, board: Board) -> None:
    """Refuse a network that the board knows in no precision that its tenant allows."""
    if tenant.allow is not None and network.precision not in tenant.allow:
        asked, known = ", ".join(one.value for one in tenant.allow), network.precision.value
        raise InputError(path, asked, f"{known}, in which alone {board.platform.name} knows {network.name}")


def _refuse_work(path: str, tenant: Tenant, segments: int) -> None:
    """Refuse exits behind the last segment, and hidden work of a closed loop, whose requests are all alike."""
    late = [stage for stage, _ in tenant.work.exits if stage >= segments]
    if late:
        raise InputError(f"{path}.exits", late[0], f"segments 0 to {segments - 1} of {tenant.source.model}")
    if isinstance(tenant.arrival, Closed) and tenant.work != Work():
        raise InputError(f"{path}.work", "of a closed loop", "none: its requests are simulated as all alike")


def _shares(tenant: Tenant, network: Network, board: Board, platform: Platform) -> tuple[Share, ...]:
    planned = _planned(tenant, network, board, platform)
    rate_per_s = open_rate_per_s(tenant.arrival) or 0.0
    others = (Share(option=_option(tenant, network, place, platform), rate_per_s=0.0) for place in network.places if place != planned)
    return (Share(option=_option(tenant, network, planned, platform), rate_per_s=rate_per_s), *others)


def _planned(tenant: Tenant, network: Network, board: Board, platform: Platform) -> Place:
    """Return where a network runs unless somebody decides otherwise: on its tenant's reserved lanes, or where the board says."""
    own = [place for place in network.places if platform.processor(place[0]).reserved == tenant.name]
    if own or not any(width == board.planned_width for _, width in network.places):
        return min(own or network.places, key=network.duration_ns)
    return board.planned(network)


def _option(tenant: Tenant, network: Network, place: Place, platform: Platform) -> Option:
    processor, width = place
    memory, chain = platform.processor(processor).memory, network.chain_at(place)
    duration_ns, moved = network.duration_ns(place), sum(cost.memory_bytes for cost in chain)
    return Option(
        tenant=tenant.name,
        artifact=Artifact(model=network.name, precision=network.precision, engine=BOARD, memory=memory, resident_bytes=0),
        chain=tuple(
            Step(segment=index, processor=processor, width=width, duration_ns=cost.duration_ns, memory_bytes=cost.memory_bytes)
            for index, cost in enumerate(chain)
        ),
        demand=((processor, width * duration_ns / NS_PER_S), *(((memory, float(moved)),) if moved else ())),
        latency_ns=duration_ns,
    )
