"""The crews: what each asks for, where periods and rates follow from what models take alone on one core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cotenant.describe import open_rate_per_s
from cotenant.describe.files import read_crew
from cotenant.errors import InputError
from cotenant.units import NS_PER_S, NS_PER_US

ROBOT: Final = Path(__file__).parents[2] / "examples" / "robot.yaml"
MODELS: Final = {
    "detector": "yolov8n",
    "classifier": "resnet50",
    "text": "encoder",
    "tagger": "mobilenetv2",
    "segmenter": "unet",
}
LOAD: Final = 0.85
"""Of all lanes, which the deadline crew's tenants take in equal parts."""

MOST_OF_A_LANE: Final = 0.8
"""What one tenant may take: its requests come one by one, and each must end before the next."""

BURSTY_PARTS: Final = {"detector": 0.2, "classifier": 0.15, "text": 0.15}
"""Of all lanes, in the mean: in a burst, four times as much of the two that are bursty."""

PATIENCE: Final = 10
"""A bursty tenant's deadline, over what it takes alone."""

Solos = Mapping[str, int]


def draft(crew: str) -> str:
    """Name a computed crew's models, before anything is known of them."""
    return _file("# To learn what these models take.", [_tenant(name, "arrival: external") for name in COMPUTED[crew]])


def crew_text(crew: str, solo_ns: Solos, lanes: int) -> str:
    """Write a crew file; `solo_ns` has every tenant of a computed one. InputError for more lanes than its tenants can fill."""
    return CREWS[crew](solo_ns, lanes)


def nominal(path: Path, solo_ns: Solos, lanes: int) -> float:
    """Return the part of all lanes that a crew's open arrivals ask for, by solo times; closed tenants ask for the rest."""
    rates = {t.name: open_rate_per_s(t.arrival) or 0.0 for t in read_crew(path).workload.tenants}
    return sum(rate_per_s * solo_ns[name] for name, rate_per_s in rates.items() if rate_per_s) / NS_PER_S / lanes


def _robot(_: Solos, __: int) -> str:
    return ROBOT.read_text()


def _five(_: Solos, __: int) -> str:
    ranks = {"classifier": 1, "text": 1, "tagger": 2, "segmenter": 2}
    rest = [_tenant(name, f"rank: {rank}, arrival: flat-out, floor: 0.05") for name, rank in ranks.items()]
    return _file("# Three ranks, all but the first flat out.", [_tenant("detector", _periodic(0, 100_000)), *rest])


def _deadlines(solo_ns: Solos, lanes: int) -> str:
    part = LOAD * lanes / len(MODELS)
    _refuse_beyond(part, lanes)
    tenants = [_tenant(name, _periodic(min(index, 1), _every_us(solo_ns[name], part))) for index, name in enumerate(MODELS)]
    return _file(f"# Each tenant takes {part:.3f} of a lane.", tenants)


def _bursty(solo_ns: Solos, lanes: int) -> str:
    parts = {name: part * lanes for name, part in BURSTY_PARTS.items()}
    _refuse_beyond(parts["detector"], lanes)
    bursts = [_tenant(name, _bursts(solo_ns[name], parts[name])) for name in ("classifier", "text")]
    first = _tenant("detector", _periodic(0, _every_us(solo_ns["detector"], parts["detector"])))
    return _file("# Two tenants in bursts, one that takes what is left.", [
        first, *bursts, _tenant("tagger", "rank: 2, arrival: flat-out, floor: 0.05"),
    ])  # fmt: skip


CREWS: Final[Mapping[str, Callable[[Solos, int], str]]] = {"robot": _robot, "five": _five, "deadlines": _deadlines, "bursty": _bursty}
COMPUTED: Final[Mapping[str, tuple[str, ...]]] = {"deadlines": tuple(MODELS), "bursty": ("detector", "classifier", "text", "tagger")}


def _refuse_beyond(part: float, lanes: int) -> None:
    if part > MOST_OF_A_LANE:
        most = int(lanes * MOST_OF_A_LANE / part)
        raise InputError("lanes", lanes, f"at most {most} for so few tenants; `taskset -c 0,1` leaves two")


def _every_us(solo_ns: int, part: float) -> int:
    return max(1, round(solo_ns / part / NS_PER_US))


def _periodic(rank: int, every_us: int) -> str:
    return f"rank: {rank}, arrival: {{every: {every_us}us}}, deadline: {every_us}us"


def _bursts(solo_ns: int, part: float) -> str:
    deadline_us = round(PATIENCE * solo_ns / NS_PER_US)
    return f"rank: 1, arrival: {{bursty: {part * NS_PER_S / solo_ns:.4f}/s}}, deadline: {deadline_us}us"


def _tenant(name: str, asks: str) -> str:
    return f"  - {{name: {name}, model: zoo:{MODELS[name]}, {asks}}}"


def _file(comment: str, tenants: list[str]) -> str:
    return "\n".join([comment, "tenants:", *tenants, ""])
