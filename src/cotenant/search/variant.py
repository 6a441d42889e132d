"""Searches by name: guided as published, or by the exact worth."""

from __future__ import annotations

from dataclasses import replace

from cotenant.errors import InputError
from cotenant.registry import Registry
from cotenant.search.interface import Search

EXACT = "/exact"
"""After a search's name: guided by the exact worth instead of what it would foresee."""


def named(searches: Registry[Search], name: str, path: str | None = None) -> Search:
    """Return the search of this name; InputError names the nearest known one, or says that a search is exact already."""
    search = searches.get(name.removesuffix(EXACT), path)
    if not name.endswith(EXACT):
        return search
    if search.evaluator is None:
        raise InputError(path or "search", name, f"{name.removesuffix(EXACT)}, which is guided by the exact worth as it is")
    return replace(search, evaluator=None)


def variants(searches: Registry[Search]) -> tuple[str, ...]:
    """List every search, those that are guided by an estimate also by the exact worth."""
    names = searches.names()
    return tuple(name for base in names for name in ((base, base + EXACT) if searches.get(base).evaluator else (base,)))
