"""Models known from before: read once, then remembered."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from cotenant.cost.store import Store
from cotenant.describe import Model, Source
from cotenant.graph import prepare, zoo


class _Stamp(msgspec.Struct, frozen=True):
    """Tell a file from what it was before it changed."""

    path: str
    size_bytes: int
    mtime_ns: int


class _Known(msgspec.Struct, frozen=True):
    """What `prepare` returned, and the files on which that rests."""

    model: Model
    file: str
    stamps: tuple[_Stamp, ...]


def prepared(store: Store, source: Source, name: str, folder: Path, where: str) -> tuple[Model, Path]:
    """Return what `graph.prepare` does, from the store where no file has changed since."""
    key = _key(source, folder)
    known = _recall(store.fact(key))
    if known is not None and known.stamps == _stamps([stamp.path for stamp in known.stamps]):
        return replace(known.model, name=name), Path(known.file)
    model, file = prepare(source, name, folder, where)
    stamps = _stamps([str(path) for path in (file, *_files_of(source))])
    store.put_fact(key, msgspec.json.encode(_Known(model=model, file=str(file), stamps=stamps)))
    return model, file


def _key(source: Source, folder: Path) -> str:
    where = f"{source.model} {zoo.VERSION}" if source.is_zoo else str(Path(source.model).expanduser().absolute())
    told = repr((where, sorted(source.shapes), str(folder.absolute())))
    return "model " + hashlib.sha256(told.encode()).hexdigest()


def _recall(content: bytes | None) -> _Known | None:
    try:
        return None if content is None else msgspec.json.decode(content, type=_Known)
    except (msgspec.DecodeError, ValueError):
        return None


def _stamp(path: Path) -> _Stamp:
    """Stamp a file; one that is gone has the size -1."""
    try:
        stat = path.stat()
    except OSError:
        return _Stamp(path=str(path), size_bytes=-1, mtime_ns=0)
    return _Stamp(path=str(path), size_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns)


def _stamps(paths: Sequence[str]) -> tuple[_Stamp, ...]:
    return tuple(_stamp(Path(path)) for path in paths)


def _files_of(source: Source) -> tuple[Path, ...]:
    """List a user's model with its external data."""
    if source.is_zoo:
        return ()
    import onnx

    from cotenant.graph.file import stored_outside

    path = Path(source.model).expanduser().absolute()
    parsed = onnx.load_model(str(path), format="protobuf", load_external_data=False)
    locations = {item.value for tensor in stored_outside(parsed) for item in tensor.external_data if item.key == "location"}
    return (path, *(path.parent / location for location in sorted(locations)))
