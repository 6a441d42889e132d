"""A tenant as a crew file describes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from cotenant.describe.arrival import Closed
from cotenant.describe.arrivalfile import arrival_of
from cotenant.describe.document import file_at
from cotenant.describe.tenant import FIDELITY_FLOOR, Discipline, Measure, Source, Tenant
from cotenant.describe.tree import decode, finite, join, shown
from cotenant.describe.variant import Precision
from cotenant.describe.work import Work
from cotenant.errors import InputError
from cotenant.units import duration_ns, size_bytes

_MAX_DIM: Final = 2**31 - 1
_OPEN: Final = "only for requests that come by themselves or are submitted; those of a closed tenant come as others end"
_CORES: Final = "how many cores, such as 1, or which, such as [0]"
_EXITS: Final = "probabilities by the index of a segment, such as {0: 0.2, 3: 0.1}"
_DIMS: Final = "a list of whole numbers of 1 or more, such as [1, 3, 224, 224]"


class _Keys(Struct, kw_only=True):
    """Hold what a tenant may say; what has several forms is read further on."""

    name: str
    model: str
    samples: str | UnsetType = UNSET
    labels: str | UnsetType = UNSET
    shapes: dict[str, Any] | UnsetType = UNSET
    rank: int = 0
    weight: float = 1.0
    arrival: Any = "external"
    deadline: Any = UNSET
    floor: float = 0.0
    fidelity: Any = FIDELITY_FLOOR
    accuracy: float | UnsetType = UNSET
    allow: list[Precision] | UnsetType = UNSET
    discipline: Discipline = Discipline.IN_ORDER
    queue: int | UnsetType = UNSET
    work: Any = UNSET
    exits: Any = UNSET
    isolated: bool = False
    standby: bool = False
    memory: Any = UNSET
    cores: Any = UNSET


class _Work(Struct, kw_only=True):
    spread: float = 0.0


class _Fidelity(Struct, kw_only=True):
    floor: float = FIDELITY_FLOOR
    measure: Measure = Measure.CENTRED


def tenant_of(tree: Any, folder: Path) -> Tenant:
    """Read one tenant; relative paths start from `folder`. Paths of an InputError start below the tenant."""
    keys = decode(tree, _Keys)
    arrival = arrival_of(keys.arrival, folder)
    if isinstance(arrival, Closed):
        _refuse_for_closed(keys)
    fidelity = _fidelity(keys.fidelity)
    return Tenant(
        name=keys.name,
        source=_source(keys, folder),
        arrival=arrival,
        rank=keys.rank,
        weight=keys.weight,
        deadline_ns=None if keys.deadline is UNSET else duration_ns(keys.deadline, "deadline"),
        floor=keys.floor,
        fidelity_floor=fidelity.floor,
        fidelity_measure=fidelity.measure,
        accuracy_floor=None if isinstance(keys.accuracy, UnsetType) else keys.accuracy,
        allow=_allow(keys.allow),
        discipline=keys.discipline,
        queue=None if isinstance(keys.queue, UnsetType) else keys.queue,
        work=Work(spread=_spread(keys.work), exits=() if keys.exits is UNSET else _exits(keys.exits)),
        isolated=keys.isolated,
        standby=keys.standby,
        memory_bytes=None if keys.memory is UNSET else size_bytes(keys.memory, "memory"),
        cores=None if keys.cores is UNSET else _cores(keys.cores),
    )


def _refuse_for_closed(keys: _Keys) -> None:
    if not isinstance(keys.queue, UnsetType):
        raise InputError("queue", keys.queue, _OPEN)
    if keys.discipline is Discipline.NEWEST_FIRST:
        raise InputError("discipline", keys.discipline.value, _OPEN)


def _fidelity(value: Any) -> _Fidelity:
    return decode(value if isinstance(value, dict) else {"floor": value}, _Fidelity, "fidelity")


def _spread(work: Any) -> float:
    return 0.0 if work is UNSET else decode(work, _Work, "work").spread


def _exits(exits: Any) -> tuple[tuple[int, float], ...]:
    if not isinstance(exits, dict) or not all(re.fullmatch(r"[0-9]{1,7}", str(segment)) for segment in exits):  # text in JSON
        raise InputError("exits", shown(exits), _EXITS)
    return tuple(sorted((int(segment), finite(probability, f"exits.{segment}")) for segment, probability in exits.items()))


def _allow(precisions: list[Precision] | UnsetType) -> tuple[Precision, ...] | None:
    if isinstance(precisions, UnsetType):
        return None
    if not precisions:
        raise InputError("allow", "[]", "at least one of " + ", ".join(p.value for p in Precision))
    return tuple(dict.fromkeys(precisions))


def _cores(value: Any) -> int | tuple[int, ...]:
    match value:
        case list() as numbers:
            return decode(numbers, tuple[int, ...], "cores")
        case int() if not isinstance(value, bool):
            return value
        case _:
            raise InputError("cores", shown(value), _CORES)


def _source(keys: _Keys, folder: Path) -> Source:
    return Source(
        model=_model(keys.model, folder),
        samples=_file(keys.samples, folder, "samples", "an existing .npz file with one array per input"),
        labels=_file(keys.labels, folder, "labels", "an existing .npy file of class indices"),
        shapes=() if isinstance(keys.shapes, UnsetType) else tuple(_shape(name, dims) for name, dims in keys.shapes.items()),
    )


def _model(text: str, folder: Path) -> str:
    if any(text.startswith(kind) and text.isprintable() and text.removeprefix(kind).strip() for kind in ("zoo:", "board:")):
        return text
    return str(file_at(text, folder, "model", "an existing ONNX file, zoo:NAME or board:NAME"))


def _file(text: str | UnsetType, folder: Path, path: str, allowed: str) -> str | None:
    return None if isinstance(text, UnsetType) else str(file_at(text, folder, path, allowed))


def _shape(name: str, dims: Any) -> tuple[str, tuple[int, ...]]:
    path = join("shapes", shown(name))
    sizes = decode(dims, tuple[int, ...], path) if isinstance(dims, list) else ()
    if not isinstance(dims, list) or not all(1 <= size <= _MAX_DIM for size in sizes):
        raise InputError(path, shown(dims), _DIMS)
    return name, sizes
