"""`list`: what there is to choose from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from cotenant.cli.options import AsJson
from cotenant.cli.screen import show_json, show_table
from cotenant.describe import Place, Platform, Provenance
from cotenant.errors import InputError
from cotenant.policy import Policy
from cotenant.registry import Registry, nearest

What = Annotated[str, typer.Argument(metavar="zoo|policies|searches|engines|platforms", help="What to list.")]
Entries = dict[str, dict[str, Any]]


def list_(*, what: What, as_json: AsJson = False) -> None:
    """List the zoo's networks, the policies, the searches, the engines or the platforms."""
    lists: dict[str, Callable[[], Entries]] = {
        "zoo": zoo, "policies": policies, "searches": searches, "engines": engines, "platforms": platforms,
    }  # fmt: skip
    if what not in lists:
        raise InputError("list", what or "''", nearest(what, tuple(lists)))
    found = lists[what]()
    if as_json:
        show_json({what: found})
        return
    columns = tuple(next(iter(found.values()), {}))
    rows = ((name, *(_joined(value) for value in entry.values())) for name, entry in found.items())
    show_table(("name", *columns), rows, words=1 + len(columns))


def zoo() -> Entries:
    """Return every network of the zoo with its origin and published number of parameters."""
    from importlib import import_module

    from cotenant.graph.zoo import ARCHITECTURES

    drawn = {name: getattr(import_module(f"cotenant.graph.zoo.{a.module}"), name) for name, a in ARCHITECTURES.items()}
    return {
        f"zoo:{name}": {"input": a.input, "size": a.size, "about": _first(drawn[name]).removeprefix("Draw ")}
        for name, a in ARCHITECTURES.items()
    }


def policies() -> Entries:
    """Return every policy with where it was published; a broken one says so."""
    from cotenant.policy import policies as known

    return {name: {"about": _published(name, known)} for name in known.names()}


def searches() -> Entries:
    """Return every search with what it chooses by; those guided by an estimate also as guided by the exact worth."""
    from cotenant.search import EXACT, named, variants
    from cotenant.search import searches as known

    guided = " (guided by the exact worth)"
    return {name: {"about": named(known, name).about + (guided if name.endswith(EXACT) else "")} for name in variants(known)}


def _published(name: str, known: Registry[Policy]) -> str:
    """Return where a policy was published, or what is wrong with its file: the others are listed all the same."""
    try:
        return _first(sys.modules[known.get(name).order.__module__])
    except InputError as error:
        return f"broken: {error.value}; {error.allowed}"


def engines() -> Entries:
    """Return every engine with its version and what it computes natively here."""
    from cotenant.backend import engines as known

    found = ((name, known.get(name)) for name in known.names() if name != "fake")
    return {
        name: {"version": engine.version or "not installed", "precisions": [p.value for p in engine.precisions()] if engine.version else []}
        for name, engine in found
    }


def platforms() -> Entries:
    """Return this machine and the boards that are shipped, with how their figures are known and who published them."""
    from cotenant.backend.machine import discover
    from cotenant.describe.files import board, boards

    shipped = {name: board(name) for name in boards()}
    return {"auto": _platform(discover(), (), {}, "this machine")} | {
        name: _platform(known.platform, known.names, known.provenance, known.source) for name, known in shipped.items()
    }


def _platform(platform: Platform, networks: tuple[str, ...], provenance: Mapping[Place, Provenance], source: str) -> dict[str, Any]:
    return {
        "platform": platform.name,
        "processors": [f"{p.name} {p.kind} x{p.lanes}" for p in platform.processors],
        "memories": [f"{m.name} {m.capacity_bytes / 2**30:.3g} GiB" for m in platform.memories],
        "networks": [f"board:{name}" for name in networks],
        "provenance": [f"{processor} x{width} {how.value}" for (processor, width), how in provenance.items()],
        "source": source,
    }


def _first(documented: object) -> str:
    """Return the first line of a docstring."""
    return (documented.__doc__ or "").strip().partition("\n")[0]


def _joined(value: object) -> object:
    return ", ".join(value) or None if isinstance(value, list) else value
