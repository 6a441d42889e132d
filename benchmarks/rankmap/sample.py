"""The sample: mixes of networks, drawn by seed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from cotenant.describe import Board, Closed, Network, Option, Source, Tenant
from cotenant.describe.files import board
from cotenant.plan import chains

BOARDS: Final = ("rk3399pro", "rk3588s", "kirin970", "khadas_vim3", "jetson_orin")
THREE: Final = ("rk3588s", "kirin970", "khadas_vim3", "jetson_orin")
"""Those with three processors, of which the figures to reach speak."""

SIZES: Final = (3, 4, 5, 8)
LARGE: Final = 10
FLOORS: Final = (0.02, 0.05, 0.10)
LEAST_WEIGHT: Final = 0.05
RANKS: Final = 3
DRAWN, ALIKE = "drawn", "alike"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Hold networks on a board with a priority vector, a rank for each, and one floor for all; `alike`: one network, several times."""

    board: str
    kind: str
    size: int
    index: int
    networks: tuple[str, ...]
    weights: tuple[float, ...]
    ranks: tuple[int, ...]
    floor: float

    @property
    def name(self) -> str:
        return f"{self.board} {self.kind} {self.size} {self.index}"


def drawn(board: str, size: int, index: int, kind: str = DRAWN) -> Mix:
    """Draw a mix: networks with equal chance, priorities that sum to the mix's size, ranks 0 to 2; the floors take turns.

    Of networks that are alike the priorities and ranks are, too: nothing tells them apart.
    """
    rng = np.random.default_rng([zlib.crc32(f"{board} {kind}".encode()), size, index])
    names = board_of(board).names
    networks = [names[int(k)] for k in rng.integers(len(names), size=size)]
    weights = np.maximum(rng.dirichlet(np.ones(size)) * size, LEAST_WEIGHT).round(3)
    ranks = rng.integers(RANKS, size=size)
    if kind == ALIKE:
        networks, weights, ranks = networks[:1] * size, np.ones(size), np.zeros(size, dtype=np.int64)
    return Mix(
        board=board, kind=kind, size=size, index=index, networks=tuple(networks), weights=tuple(weights.tolist()),
        ranks=tuple(ranks.tolist()), floor=FLOORS[index % len(FLOORS)],
    )  # fmt: skip


@cache
def board_of(name: str) -> Board:
    return board(name)


def tenants_of(mix: Mix, *, floor: float | None = None, ranked: bool = False) -> tuple[Tenant, ...]:
    """Return the mix's tenants, flat out; all of one rank unless `ranked`."""
    return tuple(
        replace(_tenant(network), name=f"{at}_{network}", weight=weight, rank=rank if ranked else 1, floor=held)
        for held in [mix.floor if floor is None else floor]
        for at, (network, weight, rank) in enumerate(zip(mix.networks, mix.weights, mix.ranks, strict=True))
    )


def networks_of(mix: Mix, tenants: Sequence[Tenant]) -> dict[str, Network]:
    """Return each tenant's network, by the tenant's name."""
    return {tenant.name: board_of(mix.board).network(name) for tenant, name in zip(tenants, mix.networks, strict=True)}


def options_of(mix: Mix, tenants: Sequence[Tenant]) -> tuple[Option, ...]:
    """Return every tenant's options, tenant by tenant; a network's are listed once."""
    return tuple(
        option for tenant, network in zip(tenants, mix.networks, strict=True) for option in owned(_listed(mix.board, network), tenant.name)
    )


def owned(options: Sequence[Option], tenant: str) -> tuple[Option, ...]:
    return tuple(replace(option, tenant=tenant) for option in options)


@cache
def _listed(board: str, network: str) -> tuple[Option, ...]:
    known = board_of(board)
    return chains(_tenant(network), known.network(network), known.platform)


def _tenant(network: str) -> Tenant:
    return Tenant(name=network, source=Source(model=f"board:{network}"), arrival=Closed(), rank=1)
