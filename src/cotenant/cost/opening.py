"""How a store is opened, and a damaged one replaced."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from cotenant.cost.store import SCHEMA, Store, refusing
from cotenant.errors import InputError

BUSY_S: Final = 60.0  # how long to wait for another process that writes; one write takes milliseconds
_FOLDER: Final = "a folder that can be written; set COTENANT_CACHE to another one"
_NOT_DAMAGE: Final = ("locked", "unable to open", "full", "disk I/O")


def open_store(path: Path, warn: Callable[[str], None]) -> Store:
    """Open the store, made anew where there is none; a damaged one is moved aside, with a warning of one line.

    Safe against other processes that do the same. InputError if the file can be neither read nor made.
    """
    with alone(path), refusing(path):
        connection = _sound(path)
        if connection is None:
            aside = _move_aside(path)
            warn(f"{path}: damaged; moved to {aside.name}, and everything is measured again")
            connection = _sound(path)
        if connection is None:
            raise InputError(str(path), "cannot be made", _FOLDER)
        return Store(path, connection)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold off whoever asks the same of the same path, in this process or another; InputError if its folder cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(path.name + ".lock").open("a")
    except OSError as error:
        raise InputError(str(path), error.strerror or str(error), _FOLDER) from error
    with closing(lock):
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sound(path: Path) -> sqlite3.Connection | None:
    """Connect to a store that passes SQLite's own check and has our tables; None if it is damaged."""
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        if _prepare(connection):
            return connection
    except sqlite3.OperationalError as error:
        if any(sign in str(error) for sign in _NOT_DAMAGE) or not os.access(path, os.W_OK):
            connection.close()
            raise
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        pass
    connection.close()
    return None


def _prepare(connection: sqlite3.Connection) -> bool:
    """Check an old file, or give a new one its tables; False if its tables are not ours.

    A write is tried as well: a header may say that the file is for reading only.
    """
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        return False
    connection.execute("BEGIN IMMEDIATE")
    if not _tables(connection):
        for statement in SCHEMA:
            connection.execute(statement)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("COMMIT")
    return _tables(connection) == set(SCHEMA)


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}


def _move_aside(path: Path) -> Path:
    """Rename the file, with its journals, to the first free name; InputError if that is not permitted."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    try:
        path.replace(aside)
        for journal in (path.with_name(path.name + end) for end in ("-journal", "-wal", "-shm")):
            if journal.exists():
                journal.replace(aside.with_name(aside.name + journal.name[len(path.name) :]))
    except OSError as error:
        raise InputError(str(path), "damaged", f"a file that can be moved aside ({error.strerror}); remove it") from error
    return aside
