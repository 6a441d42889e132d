"""Each tenant's network on a board: as listed, or estimated from its counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cotenant.cost.opening import open_store
from cotenant.cost.regression import Regression, fitted
from cotenant.describe import (
    FIDELITY_FLOOR,
    Board,
    Measure,
    Model,
    Network,
    Place,
    Platform,
    Source,
    Tenant,
    cache_folder,
)
from cotenant.describe.reserved import network_for, parts_of
from cotenant.errors import InputError
from cotenant.plan.words import listed
from cotenant.profile.known import prepared
from cotenant.profile.profile import STORE
from cotenant.registry import nearest
from cotenant.study.boarded import refuse_precision
from cotenant.study.footing import notes
from cotenant.study.unlisted import estimated


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Hold each tenant's network on a board, in the tenants' order, which of them are `estimated`, and notes on those.

    `off` pairs each place of the board with how far sums of networks that were left out of the fit are off there, in the median.
    """

    networks: tuple[tuple[str, Network], ...]
    estimated: tuple[str, ...] = ()
    off: tuple[tuple[Place, float], ...] = ()
    notes: tuple[str, ...] = ()

    def network(self, tenant: str) -> Network:
        """Return a tenant's network; KeyError for a stranger."""
        return dict(self.networks)[tenant]


def networks_for(tenants: Sequence[Tenant], board: Board, folder: Path | None = None) -> Estimates:
    """Return each tenant's network: `board:NAME` from the board's figures, any other model estimated from its counts.

    Models are kept in `folder`, the cache by default. InputError, at the tenant, for a model that cannot be used or estimated, and for one
    that the board knows in no precision allowed.
    """
    estimates = _networks(tenants, board, folder)
    for index, tenant in enumerate(tenants):
        refuse_precision(f"tenants[{index}].allow", tenant, estimates.network(tenant.name), board)
    return replace(estimates, notes=(*estimates.notes, *_left_aside(tenants, board)))


def divided(found: Estimates, tenants: Sequence[Tenant], platform: Platform) -> Estimates:
    """Return the networks as each tenant may run them on a platform of which lanes are reserved."""
    return replace(
        found,
        networks=tuple((tenant.name, network_for(found.network(tenant.name), tenant, platform)) for tenant in tenants),
        off=tuple(((part.name, width), off) for (processor, width), off in found.off for part in parts_of(platform, processor)),
    )


def _networks(tenants: Sequence[Tenant], board: Board, folder: Path | None) -> Estimates:
    paths = {tenant.name: f"tenants[{index}].model" for index, tenant in enumerate(tenants)}
    found = {t.name: _listed(t.source.model, board, paths[t.name]) for t in tenants if t.source.is_board}
    others = [t for t in tenants if not t.source.is_board]
    if not others:
        return Estimates(networks=tuple(found.items()))
    regression = _regression(others[0].source.model, board, paths[others[0].name])
    read = {t.name: _model(t.source, folder or cache_folder(), paths[t.name]) for t in others}
    models = _told_apart(read, {network.name for network in found.values()})
    made: dict[str, Network] = {}
    for tenant, model in models.items():
        found[tenant] = made.get(model.digest) or estimated(model, regression, paths[tenant])
        made[model.digest] = found[tenant]
    return Estimates(
        networks=tuple((t.name, found[t.name]) for t in tenants),
        estimated=tuple(models),
        off=tuple((fit.place, fit.deviation.networks_median) for fit in regression.places),
        notes=tuple(notes(models, regression)),
    )


def _listed(name: str, board: Board, path: str) -> Network:
    plain = name.removeprefix("board:")
    if plain not in board.names:
        raise InputError(path, name, f"a network of {board.platform.name}; {nearest(plain, board.names)}")
    return board.network(plain)


def _left_aside(tenants: Sequence[Tenant], board: Board) -> Iterator[str]:
    """Say once which keys of a crew change nothing on a board."""
    users: dict[str, list[str]] = {}
    for tenant in tenants:
        for key in _idle_keys(tenant):
            users.setdefault(key, []).append(tenant.name)
    if users:
        named = listed([f"{key} ({', '.join(names)})" for key, names in users.items()])
        yield f"left aside on {board.platform.name}: {named}; its figures judge no answers, and its networks have shapes of their own"


def _idle_keys(tenant: Tenant) -> Iterator[str]:
    source = tenant.source
    said = {
        "fidelity": tenant.fidelity_floor != FIDELITY_FLOOR or tenant.fidelity_measure is not Measure.CENTRED,
        "accuracy": tenant.accuracy_floor is not None, "samples": source.samples is not None, "labels": source.labels is not None,
        "shapes": source.is_board and bool(source.shapes), "isolated": tenant.isolated, "standby": tenant.standby,
        "memory": tenant.memory_bytes is not None,
    }  # fmt: skip
    yield from (key for key, is_said in said.items() if is_said)


def _regression(model: str, board: Board, path: str) -> Regression:
    try:
        return fitted(board)
    except InputError as error:
        raise InputError(path, f"{model} cannot be estimated on {error.path}: {error.value}", error.allowed) from error


def _model(source: Source, folder: Path, path: str) -> Model:
    """Read a model, named after its file or its place in the zoo."""
    name = source.model.removeprefix("zoo:") if source.is_zoo else Path(source.model).stem
    with open_store(folder / STORE, lambda _: None) as store:
        return prepared(store, source, name, folder, path)[0]


def _told_apart(models: Mapping[str, Model], taken: Iterable[str]) -> dict[str, Model]:
    """Give models that differ names that differ, from each other and from what is taken."""
    digests = dict.fromkeys(taken, "")
    told = {}
    for tenant, model in models.items():
        name = model.name if digests.setdefault(model.name, model.digest) == model.digest else f"{model.name} {model.digest[:8]}"
        told[tenant] = replace(model, name=name)
    return told
