"""A crew file and its models, looked at again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cotenant.describe import Crew
from cotenant.errors import InputError

SETTLED_S = 1.0
"""A file that cannot be read is an error once it has not changed for so long: before, it may be half written."""

Stamp = tuple[tuple[int, int, int] | None, ...]
"""When each file was changed, its size and its number; None for one that is not there."""


@dataclass(slots=True, kw_only=True)
class Sight:
    """Say when another crew than `crew` is to be served, or one of its models is another.

    `read` reads a crew, and raises InputError; the caller says what time it is, in s.
    """

    path: Path
    crew: Crew
    read: Callable[[Path], Crew]
    _models: tuple[Path, ...] = ()
    _known: tuple[bytes, Stamp] = (b"", ())
    _stamp: Stamp = ()
    _since_s: float = 0.0
    _done: bool = True

    def __post_init__(self) -> None:
        self._models = _models(self.crew)
        content, stamp = _content(self.path), self._stamps()
        if self._is(self.crew):
            self._known, self._stamp = (content, stamp[1:]), stamp

    def look(self, now_s: float) -> Crew | None:
        """Return the crew if it is another, and has been so since the look before; None otherwise.

        InputError, once, for what cannot be read though it has not changed for SETTLED_S.
        """
        stamp = self._stamps()
        if stamp != self._stamp:
            self._stamp, self._since_s, self._done = stamp, now_s, False
            return None
        if self._done:
            return None
        content = _content(self.path)
        if (content, stamp[1:]) == self._known:
            self._done = True
            return None
        return self._read(content, now_s)

    def _read(self, content: bytes, now_s: float) -> Crew | None:
        try:
            crew = self.read(self.path)
        except InputError:
            if now_s - self._since_s < SETTLED_S:
                return None
            self._done = True
            raise
        if _content(self.path) != content:
            return None
        self.crew, self._models, self._done = crew, _models(crew), True
        self._stamp = self._stamps()
        self._known = content, self._stamp[1:]
        return crew

    def _is(self, crew: Crew) -> bool:
        """Say whether the file is there, and says what a crew does."""
        try:
            return self.read(self.path) == crew
        except InputError:
            return False

    def _stamps(self) -> Stamp:
        return tuple(_stamp(path) for path in (self.path, *self._models))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _models(crew: Crew) -> tuple[Path, ...]:
    """Return the files of a crew's own models."""
    return tuple(Path(t.source.model) for t in crew.workload.tenants if not t.source.is_zoo and not t.source.is_board)
