"""`cotenant init`: write a first crew file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cotenant.cli.arguments import Json
from cotenant.cli.show import show_json

Models = Annotated[list[Path], typer.Argument(help="ONNX files, or zoo:NAME; the first goes first.", show_default=False)]


def init(models: Models, *, json: Json = False) -> None:
    """Write a first crew file of these models to standard output."""
    from cotenant.describe.files import write_crew

    text = write_crew(models)
    if json:
        show_json({"crew": text})
    else:
        sys.stdout.write(text)
