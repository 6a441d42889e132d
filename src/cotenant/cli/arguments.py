"""Arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cotenant.describe.variant import Precision
from cotenant.errors import InputError
from cotenant.registry import nearest

CrewFile = Annotated[Path, typer.Argument(help="The crew file.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Precisions = Annotated[str | None, typer.Option("--precision", help="Permit only these: fp32, bf16, int8, with commas between.")]
Overload = Annotated[bool, typer.Option("--allow-overload", help="Serve a crew that does not fit as well as can be.")]


def precisions(text: str | None) -> tuple[Precision, ...] | None:
    """Read a list of precisions; InputError names the nearest known one."""
    if text is None:
        return None
    known = tuple(p.value for p in Precision)
    for name in text.split(","):
        if name.strip() not in known:
            raise InputError("--precision", name.strip() or "nothing", nearest(name.strip(), known))
    return tuple(Precision(name.strip()) for name in text.split(","))
