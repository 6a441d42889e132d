"""`cotenant list`: what there is to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer

from cotenant.cli.arguments import Json
from cotenant.cli.show import show_json, show_table

app = typer.Typer(no_args_is_help=True)


@app.command()
def zoo(*, json: Json = False) -> None:
    """List the networks that ship as architectures."""
    from cotenant.graph import zoo as networks

    _show([{"name": name, "input": a.input, "size": a.size} for name, a in networks.ARCHITECTURES.items()], json=json)


@app.command()
def policies(*, json: Json = False) -> None:
    """List who can go next."""
    from cotenant.policy import policies as known

    _show([{"name": name, "order": _first_line(f"cotenant.policy.{name}")} for name in known.names()], json=json)


@app.command()
def engines(*, json: Json = False) -> None:
    """List the engines, with what they compute on this machine."""
    from cotenant.backend import engines as known

    rows = []
    for name in known.names():
        engine = known.get(name)
        computes = " ".join(p.value for p in engine.precisions()) if engine.version else ""
        rows.append({"name": name, "version": engine.version or "not installed", "precisions": computes})
    _show(rows, json=json)


@app.command()
def platforms(*, json: Json = False) -> None:
    """List this machine and the boards that are known."""
    from cotenant.backend.machine import discover
    from cotenant.describe.files import board, boards

    known = [("auto", discover(), "this machine"), *((name, board(name), "board") for name in boards())]
    rows = [
        {"name": name, "what": what, "description": p.name,
         "processors": ", ".join(f"{q.name} x{q.lanes} ({q.kind})" for q in p.processors),
         "memory_gib": round(sum(m.capacity_bytes for m in p.memories) / 2**30, 1)}
        for name, p, what in known
    ]  # fmt: skip
    _show(rows, json=json)


def _show(rows: Sequence[dict[str, Any]], *, json: bool) -> None:
    if json:
        show_json(list(rows))
    else:
        show_table(tuple(rows[0]) if rows else (), [tuple(row.values()) for row in rows])


def _first_line(module: str) -> str:
    try:
        return (import_module(module).__doc__ or "").strip().splitlines()[0]
    except (ImportError, IndexError):
        return ""
