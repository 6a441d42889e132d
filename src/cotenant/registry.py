"""Plug-ins by name: one file each, or an entry point."""

from __future__ import annotations

import difflib
import pkgutil
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar, cast

from cotenant.errors import InputError

T = TypeVar("T")


def nearest(name: str, known: tuple[str, ...]) -> str:
    """Say which known name was probably meant, then list them all."""
    close = difflib.get_close_matches(name, known, n=1)
    listed = ", ".join(known) if known else "none"
    return f"did you mean {close[0]}? known: {listed}" if close else f"known: {listed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry(Generic[T]):
    """Find a plug-in: the attribute NAME of the module PACKAGE.NAME, or the entry point NAME of a group.

    A module whose name begins with an underscore, or that is listed in `besides`, is no plug-in.
    """

    what: str
    package: str
    group: str
    besides: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """List every name, shipped ones and entry points, in alphabetical order."""
        path = import_module(self.package).__path__
        shipped = {m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_")} - set(self.besides)
        return tuple(sorted(shipped | {e.name for e in entry_points(group=self.group)}))

    def get(self, name: str, path: str | None = None) -> T:
        """Return the plug-in of this name; InputError names the nearest known one."""
        for entry in entry_points(group=self.group, name=name):
            return cast("T", entry.load())
        if name not in self.names():
            raise InputError(path or self.what, name, nearest(name, self.names()))
        return cast("T", getattr(import_module(f"{self.package}.{name}"), name))
