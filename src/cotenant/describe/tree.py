"""A tree of plain values, decoded into a type."""

from __future__ import annotations

import json
import math
import re
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from cotenant.errors import InputError
from cotenant.registry import nearest

T = TypeVar("T")

_SHOWN_LENGTH: Final = 240
_WORDS: Final = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "null": "null", "array": "a list",
    "object": "keys with values",
}  # fmt: skip


def shown(value: object) -> str:
    """Write any value on one printable line of at most 240 characters."""
    match value:
        case dict() | list():
            text = reprlib.repr(value)
        case bool() | None:
            text = json.dumps(value)
        case _:
            text = str(value) or "''"
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 3] + "..."


def join(path: str, key: str) -> str:
    """Write the path of a key, or of an index in brackets, below a path."""
    return f"{path}{key}" if not path or not key or key.startswith("[") else f"{path}.{key}"


def finite(value: object, path: str) -> float:
    """Return a number that is one, within 64 bits; InputError names `path`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**63:
        raise InputError(path, shown(value), "a number within 64 bits")
    return float(value)


@contextmanager
def within(path: str) -> Iterator[None]:
    """Put `path` before that of an InputError raised inside."""
    try:
        yield
    except InputError as error:
        raise InputError(join(path, error.path), shown(error.value), error.allowed) from error


def decode(tree: Any, into: type[T], path: str = "") -> T:
    """Decode plain values into a type, strictly; InputError names the path of what does not fit.

    msgspec ignores the keys that a dataclass does not know, so what came in is first compared with what is taken.
    """
    _compare(tree, inspect.type_info(into), path)
    try:
        return msgspec.convert(tree, into)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), tree, path) from error


def _compare(tree: Any, taken: inspect.Type, path: str) -> None:
    """Refuse a key that is not taken, and a value that cannot be, wherever they are."""
    match tree, taken:
        case dict(), inspect.DataclassType() | inspect.StructType():
            types = {field.encode_name: field.type for field in taken.fields}
            for key, value in tree.items():
                if key not in types:
                    raise InputError(join(path, shown(key)), "unknown key", nearest(shown(key), tuple(types)))
                _compare(value, types[key], join(path, key))
        case list(), inspect.TupleType() | inspect.VarTupleType() | inspect.ListType():
            items = taken.item_types if isinstance(taken, inspect.TupleType) else (taken.item_type,) * len(tree)
            for index, (value, item) in enumerate(zip(tree, items, strict=False)):
                _compare(value, item, join(path, f"[{index}]"))
        case _, inspect.UnionType():
            for one in taken.types:
                _compare(tree, one, path)
        case _:
            _weigh(tree, taken, path)


def _weigh(value: object, taken: inspect.Type, path: str) -> None:
    """Refuse a name that no enumeration knows, what is no number, and whole numbers beyond 64 bits."""
    match value, taken:
        case str(), inspect.EnumType():
            known = tuple(str(member.value) for member in taken.cls)
            if value not in known:
                raise InputError(path, shown(value), nearest(value, known))
        case float(), _ if math.isnan(value):
            raise InputError(path, value, "a number")
        case int(), _ if abs(value) >= 2**63:
            raise InputError(path, shown(value), "a whole number within 64 bits")
        case _:
            return


def _refusal(message: str, tree: Any, path: str) -> InputError:
    """Say what msgspec said in our words, with the value that it met."""
    parts = re.fullmatch(r"(.*?)(?: - at `(?:key` in `)?\$(.*)`)?", message, re.DOTALL)
    story, below = (parts[1], parts[2] or "") if parts else (message, "")
    value = tree
    for index, key in re.findall(r"\[(\d+)\]|\.([^.\[\]]+)", below):
        value = value[int(index)] if index else value[key]
    where = join(path, below.removeprefix("."))
    if missing := re.fullmatch(r"Object missing required field `(.*)`", story):
        return InputError(join(where, missing[1]), "missing", "this key is needed")
    return InputError(where, shown(value), _allowed(story))


def _allowed(story: str) -> str:
    if expected := re.match(r"Expected `([^`]*)`", story):
        words = " or ".join(_WORDS.get(word, word) for word in expected[1].split(" | "))
        length = re.search(r"of length (\d+)", story)
        return f"{words} of {length[1]}" if length else words
    return shown(story)
