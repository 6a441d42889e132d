"""A hash of what is written down, the same everywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

NEWER: Mapping[str, bool] = MappingProxyType({"newer": True})
"""Metadata of a field that came after digests had been kept: it counts only where it differs from its default."""


def digest_of(value: object) -> str:
    """Return the SHA-256 (hex) of a tree of frozen dataclasses, tuples and plain values; TypeError for anything else.

    What `==` tells apart has another digest; and so have 1 and 1.0, and two types with equal fields. What leaves fields that are `NEWER`
    alone keeps the digest that it had before there were any.
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
            told = ((field, getattr(value, field.name)) for field in fields(value))
            counted = {field.name: _plain(at) for field, at in told if not field.metadata.get("newer") or at != field.default}
            return {"": type(value).__name__} | counted
        case _:
            raise TypeError(f"a {type(value).__name__} has no digest")
