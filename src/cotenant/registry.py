"""Plug-ins by name: one file each, or an entry point."""

from __future__ import annotations

import difflib
import pkgutil
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from cotenant.errors import InputError

T = TypeVar("T")


def nearest(name: str, known: tuple[str, ...]) -> str:
    """Say which known name was probably meant, in whatever case it was written, then list them all."""
    lower = {one.lower(): one for one in known}
    close = difflib.get_close_matches(name.lower(), tuple(lower), n=1)
    listed = ", ".join(known) if known else "none"
    return f"did you mean {lower[close[0]]}? known: {listed}" if close else f"known: {listed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry(Generic[T]):
    """Find a plug-in: the attribute NAME of the module PACKAGE.NAME, or the entry point NAME of a group.

    A module whose name begins with an underscore, or that is listed in `besides`, is no plug-in; `kind` is what each must be.
    """

    what: str
    package: str
    group: str
    besides: tuple[str, ...] = ()
    kind: type[T] | None = None

    def names(self) -> tuple[str, ...]:
        """List every name, shipped ones and entry points, in alphabetical order."""
        path = import_module(self.package).__path__
        shipped = {m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_")} - set(self.besides)
        return tuple(sorted(shipped | {e.name for e in entry_points(group=self.group)}))

    def get(self, name: str, path: str | None = None) -> T:
        """Return the plug-in of this name; InputError names the nearest known one, or the module that is broken."""
        for entry in entry_points(group=self.group, name=name):
            return self._load(entry, path or self.what)
        if name not in self.names():
            raise InputError(path or self.what, name, nearest(name, self.names()))
        return self._load(EntryPoint(name=name, value=f"{self.package}.{name}:{name}", group=self.group), path or self.what)

    def _load(self, entry: EntryPoint, path: str) -> T:
        allowed = f"a module with the {self.kind.__name__ if self.kind else self.what} named {entry.attr or entry.name}"
        try:
            found = entry.load()
        except Exception as error:  # whoever wrote the module may raise anything
            raise InputError(path, f"{entry.module}: {type(error).__name__}: {error}", allowed) from error
        if self.kind is not None and not isinstance(found, self.kind):
            raise InputError(path, f"{entry.module}: {entry.attr or entry.name} is of type {type(found).__name__}", allowed)
        return cast("T", found)
