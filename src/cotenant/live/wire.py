"""What the parent and an engine process say to each other."""

from __future__ import annotations

import os
import pickle
import socket
import struct
from collections.abc import Iterable
from typing import Any

import msgspec

from cotenant.backend.scheduling import SchedulingClass
from cotenant.errors import BackendError

REQUEST = struct.Struct("<iB")
"""Which post is to run, and in which scheduling class; what is told of the tensors follows."""

REPLY = struct.Struct("<Bq")
"""ANSWERED or REFUSED, and the CPU time taken; what is told of the tensors follows, or the cause."""

ANSWERED, REFUSED = 0, 1
CLASSES = tuple(SchedulingClass)

START, TEMPLATE, KILL = b"S", b"T", b"K"
"""What a process that forks others is asked: to start one (descriptors of its order, its control and its lanes come along); to start a
template, whose one lane is the link over which it is asked the same; to kill one (its number follows)."""

_LONGEST_BYTES = 1 << 16
_MOST_DESCRIPTORS = 250


class Born(msgspec.Struct, tag=True, frozen=True):
    """Say that a process was forked, and what memory it was given that is not of files: that much it has before anything is loaded."""

    pid: int
    private_bytes: int


class Ready(msgspec.Struct, tag=True, frozen=True):
    """Say which version of the order is loaded, and which system threads run it, lane by lane."""

    version: int
    threads: tuple[int, ...]


class Refused(msgspec.Struct, tag=True, frozen=True):
    """Say why what this version of the order has more than the one before is not loaded; what was loaded before still is."""

    engine: str
    story: str
    version: int = 0


class Ended(msgspec.Struct, tag=True, frozen=True):
    """Say how a process ended: its exit code, or a signal's number below 0."""

    status: int


Word = Born | Ready | Refused | Ended
_WORDS = msgspec.msgpack.Decoder(Word)


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two ends of a connection that keeps messages whole, and tells of the other end's death."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(to: socket.socket, message: bytes, descriptors: Iterable[int] = ()) -> None:
    """Send a message with file descriptors, which are closed here; BackendError for one that is too long, OSError if nobody is there."""
    held = tuple(descriptors)
    try:
        if len(message) >= _LONGEST_BYTES:
            raise BackendError("process", f"{len(message)} bytes to describe tensors; fewer than {_LONGEST_BYTES} can be told")
        if held:
            socket.send_fds(to, [message], held)
        else:
            to.send(message)
    finally:
        for descriptor in held:
            os.close(descriptor)


def receive(source: socket.socket) -> tuple[bytes, tuple[int, ...]]:
    """Wait for a message; empty when the other end is gone. TimeoutError where the socket has a limit."""
    try:
        message, descriptors, _, _ = socket.recv_fds(source, _LONGEST_BYTES, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    except ConnectionError:
        return b"", ()
    return message, tuple(descriptors)


def say(to: socket.socket, word: Word) -> None:
    """Tell the parent; OSError if it is gone."""
    send(to, msgspec.msgpack.encode(word))


def hear(source: socket.socket) -> Word | None:
    """Wait for what a process, or the fork server about it, has to say; None when both are gone."""
    message, _ = receive(source)
    return _WORDS.decode(message) if message else None


def written(value: object) -> int:
    """Return the descriptor of a memory file that holds a value of any size, for `read`."""
    descriptor = os.memfd_create("cotenant-order")
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        pickle.dump(value, file)
    return descriptor


def read(descriptor: int) -> Any:
    """Return the value that such a file holds, and close it."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, "rb") as file:
        return pickle.load(file)  # noqa: S301  # written by a process of ours
