"""`init`: a first crew file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cotenant.cli.options import AsJson
from cotenant.cli.screen import show_json

Models = Annotated[list[Path], typer.Argument(metavar="MODEL...", help="ONNX files; the first goes first.")]


def init(*, models: Models, as_json: AsJson = False) -> None:
    """Print a first crew file for these models."""
    from cotenant.describe.files import write_crew

    text = write_crew(models)
    if as_json:
        show_json({"crew": text})
    else:
        print(text, end="")
