"""A first crew file, for the user to change."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cotenant.describe.document import file_at
from cotenant.describe.tree import shown
from cotenant.errors import InputError

_HEAD: Final = """\
# Several networks share one device, in order of rank: `cotenant run` this file.
platform: auto                  # this machine, discovered
seconds: 20                     # without it, run goes on until Ctrl-C
tenants:
"""
_FIRST: Final = """\
    rank: 0                     # 0 goes first
    arrival: {every: 100ms}     # {poisson: 30/s}, {trace: arrivals.csv}, {closed: 2}, flat-out, external
    deadline: 100ms
"""
_OTHER: Final = """\
    rank: 1
    arrival: flat-out
    floor: FLOOR                 # never less than this share of what it reaches alone
"""
_HINTS: Final = """\
    # samples: inputs.npz       # one array per input: to calibrate int8 and to judge fidelity
    # shapes: {input: [1, 3, 224, 224]}     # fixes an input's dynamic dimensions
"""
_FLOOR: Final = 0.05
_FLOORS: Final = 0.5  # what all floors together may ask for


def draft_of(models: Sequence[Path]) -> str:
    """Write a crew of these models, paths as given: the first at rank 0, periodic, the others flat-out at rank 1.

    InputError for a model that is not there.
    """
    if not models:
        raise InputError("models", "none", "at least one ONNX file or zoo:NAME")
    texts = [_model(index, str(model)) for index, model in enumerate(models)]
    floor = min(_FLOOR, _FLOORS / max(len(texts) - 1, 1))
    other = _OTHER.replace("FLOOR", f"{floor:.2g}")
    return _HEAD + "".join(
        f"  - name: {_quoted(name)}\n    model: {_quoted(text)}\n{other if index else _FIRST}{'' if text.startswith('zoo:') else _HINTS}"
        for index, (name, text) in enumerate(zip(_names(texts), texts, strict=True))
    )


def _model(index: int, text: str) -> str:
    if not text.startswith("zoo:"):
        file_at(text, Path(), f"models[{index}]", "an existing ONNX file or zoo:NAME")
    elif not text.isprintable() or not text.removeprefix("zoo:").strip():
        raise InputError(f"models[{index}]", shown(text), "zoo:NAME")
    return text


def _names(texts: Sequence[str]) -> list[str]:
    """Make names of file stems that are safe to type, each once."""
    names: list[str] = []
    for text in texts:
        stem = re.sub(r"[^A-Za-z0-9_]+", "-", Path(text.removeprefix("zoo:")).stem).strip("-")
        stem = stem if stem and not stem[0].isdigit() else f"model-{stem}".strip("-")
        copies = (f"{stem}-{number}" for number in range(2, len(texts) + 2))
        names.append(stem if stem not in names else next(name for name in copies if name not in names))
    return names


def _quoted(text: str) -> str:
    plain = re.fullmatch(r"[A-Za-z/][\w/.-]*(:[\w.-]+)?", text, re.ASCII) and text.lower() not in {"null", "true", "false"}
    return text if plain else json.dumps(text, ensure_ascii=False)
