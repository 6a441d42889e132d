"""What starting up may import: laws on modules, since times depend on the machine."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"highspy", "numba", "onnx", "onnxruntime", "openvino", "sqlite3"}

LIST = "import sys; print('\\n'.join(sys.modules))"
HELP = """
import sys
from contextlib import redirect_stdout
from io import StringIO
from cotenant.cli.app import _end
with redirect_stdout(StringIO()) as said:
    assert _end(["--help"]) == 0
assert "compare" in said.getvalue(), said.getvalue()
"""


def imported_by(program: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", program + "\n" + LIST], capture_output=True, text=True, check=True)
    return {line.split(".")[0] for line in done.stdout.splitlines()}


def test_importing_cotenant_loads_no_engine_and_no_numpy() -> None:
    assert not imported_by("import cotenant") & (HEAVY | {"numpy", "rich", "typer"})


def test_asking_for_help_loads_no_engine_and_no_solver() -> None:
    assert not imported_by(HELP) & HEAVY


def test_a_heavy_import_would_be_seen() -> None:
    assert "sqlite3" in imported_by("import sqlite3")
