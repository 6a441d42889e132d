"""A hash of what is written down, the same everywhere."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any


def digest_of(value: object) -> str:
    """Return the SHA-256 (hex) of a tree of frozen dataclasses, tuples and plain values; TypeError for anything else.

    What `==` tells apart has another digest; and so have 1 and 1.0, and two types with equal fields.
    """
    return hashlib.sha256(json.dumps(_plain(value), separators=(",", ":")).encode()).hexdigest()


def _plain(value: object) -> Any:
    match value:
        case Enum():
            return _plain(value.value)
        case None | bool() | int() | float() | str():
            return value
        case tuple() | list():
            return [_plain(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {"": type(value).__name__} | {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            raise TypeError(f"a {type(value).__name__} has no digest")
