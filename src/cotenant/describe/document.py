"""A file's text, and JSON as a tree of plain values."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from cotenant.describe.tree import shown
from cotenant.errors import InputError

_JSON: Final = "JSON as cotenant wrote it"


def file_at(text: str, folder: Path, path: str, allowed: str) -> Path:
    """Return the absolute path of an existing file, relative ones taken from `folder`; InputError names `path`."""
    file = Path(os.path.abspath(folder / text)) if text.isprintable() else None  # noqa: PTH100  a link stays a link
    try:
        found = file is not None and file.exists() and not file.is_dir()
    except OSError:
        found = False
    if file is None or not text or not found:
        raise InputError(path, shown(file or text), allowed)
    return file


def read_text(path: Path) -> str:
    """Read a file of UTF-8 text, with or without a byte order mark; InputError says why it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(f"{shown(path)}:{line}", f"byte {error.object[error.start]:#04x}", "text in UTF-8") from error
    except OSError as error:
        raise InputError(shown(path), shown((error.strerror or str(error)).lower()), "a file that can be read") from error
    except ValueError as error:
        raise InputError(shown(path), shown(error), "the path of a file") from error


def json_tree(path: Path) -> Any:
    """Read a JSON file; InputError names the line at which it is damaged."""
    text = read_text(path)
    if not text.strip():
        raise InputError(shown(path), "empty", _JSON)
    try:
        tree = json.loads(text, object_pairs_hook=_once)
        json.dumps(tree, ensure_ascii=False).encode()  # refuses half a character
    except json.JSONDecodeError as error:
        raise InputError(f"{shown(path)}:{error.lineno}", shown(error.msg.lower()), _JSON) from error
    except RecursionError as error:
        raise InputError(shown(path), "nested too deeply", _JSON) from error
    except ValueError as error:
        raise InputError(shown(path), shown(error), _JSON) from error
    return tree


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in pairs:
        if key in tree:
            raise ValueError(f"key {key} comes twice")
        tree[key] = value
    return tree
