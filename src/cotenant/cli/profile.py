"""`cotenant profile`: measure a crew's models on this machine."""

from __future__ import annotations

import sys

from cotenant.cli.arguments import CrewFile, Json, Precisions, precisions
from cotenant.cli.bar import profiling
from cotenant.cli.show import show_json, show_table

COLUMNS = ("tenant", "engine", "precision", "lanes", "wall ms", "cpu ms", "spread", "fidelity", "judged on")


def profile(crew: CrewFile, *, precision: Precisions = None, json: Json = False) -> None:
    """Judge and time every variant of every model; what the store has already is not measured again."""
    from dataclasses import asdict

    from cotenant.backend import installed
    from cotenant.describe import cache_folder
    from cotenant.describe.files import read_crew
    from cotenant.profile import profile as measure
    from cotenant.study.prepare import platform_of

    described = read_crew(crew)
    with profiling() as progress:
        found = measure(described, platform_of(described), installed(), cache_folder(), progress, precisions(precision))
    variants = {(v.model, v.engine, v.precision): v for card in found.cards for v in card.variants}
    if json:
        tenants = {c.tenant: [asdict(t) for t in found.table.timings if t.model == c.model.digest] for c in found.cards}
        show_json({"tenants": tenants, "variants": [asdict(v) for v in variants.values()], "notes": list(found.notes)})
        return
    rows = []
    for card in found.cards:
        for t in sorted((t for t in found.table.timings if t.model == card.model.digest), key=lambda t: (t.width, t.wall_ns)):
            variant = variants.get((t.model, t.engine, t.precision))
            judged = (None, None) if variant is None else (variant.fidelity, variant.judged.value)
            rows.append((card.tenant, t.engine, t.precision.value, t.width, t.wall_ns / 1e6, t.cpu_ns / 1e6, t.spread, *judged))
    show_table(COLUMNS, rows)
    sys.stdout.writelines(f"{note}\n" for note in found.notes)
