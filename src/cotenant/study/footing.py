"""What estimates of networks rest on, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from cotenant.cost.regression import PlaceFit, Regression, shown
from cotenant.describe import Model, Provenance
from cotenant.plan.words import listed

_CONVOLVES: Final = frozenset({"Conv", "Gemm"})
"""What networks of boards mostly are."""


def notes(models: Mapping[str, Model], regression: Regression) -> Iterator[str]:
    """Say once what estimates rest on, and how far those of the board's own networks are off; then what is true of one model alone."""
    users: dict[str, list[str]] = {}
    for tenant, model in models.items():
        users.setdefault(model.name, []).append(tenant)
    named = [f"{name} ({', '.join(tenants)})" for name, tenants in users.items()]
    told = ", ".join(_off(fit) for fit in regression.places)
    verb, counts = ("are", "their counts") if len(named) > 1 else ("is", "its counts")
    parts = [f"{listed(named)} {verb} estimated on {regression.board} from {counts}; networks left out are off by {told}"]
    parts += [f"not on {shown(place)}: {reason}" for place, reason in regression.refused]
    yield "; ".join(parts)
    for model in {model.name: model for model in models.values()}.values():
        yield from _unlike(model)


def _unlike(model: Model) -> Iterator[str]:
    """Name the operator that most of a model's work is in where the board's networks may not have it."""
    flop: Counter[str] = Counter()
    for layer in model.layers:
        flop[layer.op] += layer.flop
    op, most = flop.most_common(1)[0]
    if op not in _CONVOLVES and 2 * most > model.flop:
        yield f"{most / model.flop:.0%} of {model.name}'s flop are {op}; whether the board's networks have that, their counts do not say"


def _off(fit: PlaceFit) -> str:
    """Say how far sums are off in the median and at worst, and more where that is known better or worse than they are."""
    worst = max(abs(off) for _, off in fit.deviation.networks)
    match fit.provenance:
        case Provenance.MEASURED:
            more = f", a segment by {fit.deviation.median:.0%}"
        case Provenance.SCALED:
            more = ""
        case Provenance.ASSUMED:
            more = ", from assumed figures"
    return f"{fit.deviation.networks_median:.0%} on {shown(fit.place)} (at worst {worst:.0%}{more})"
