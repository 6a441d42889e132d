"""A tenant's model, found, checked, and fixed in its shapes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from cotenant.describe import Model, Source
from cotenant.errors import InputError
from cotenant.graph import zoo
from cotenant.graph.read import read_model
from cotenant.registry import nearest


def prepare(source: Source, name: str, folder: Path, where: str) -> tuple[Model, Path]:
    """Return a tenant's model and the file that engines load; InputError, at `where`, if it cannot be used.

    A network of the zoo is drawn under `folder` the first time; with `shapes` given, a copy with these shapes is.
    """
    path = _find(source, folder, where)
    try:
        model = read_model(path, name, source.shapes, where)
    except InputError:
        if not source.is_zoo:
            raise
        path.unlink(missing_ok=True)  # damaged where it was kept: drawn anew
        model = read_model(_find(source, folder, where), name, source.shapes, where)
    return model, _fixed(path, source, folder / "fixed" / model.digest) if source.shapes else path


def _find(source: Source, folder: Path, where: str) -> Path:
    if source.is_board:
        raise InputError(where, source.model, "an ONNX file or zoo:NAME: of a board's network only times are known")
    if not source.is_zoo:
        path = Path(source.model).expanduser()
        if not path.is_file():
            raise InputError(where, source.model, "the path of an ONNX file, or zoo:NAME; there is no such file")
        return path
    name = source.model.removeprefix("zoo:")
    if name not in zoo.names():
        raise InputError(where, source.model, "zoo: and one of its names; " + nearest(name, zoo.names()))
    return zoo.make(name, folder)


def _fixed(path: Path, source: Source, folder: Path) -> Path:
    """Write a copy with the given shapes into a folder of its own, all at once, unless it is there."""
    target = folder / "model.onnx"
    if target.is_file():
        return target
    draft = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent))
        _write(path, source, draft)
        draft.rename(folder)
    except OSError as error:
        if target.is_file():  # another process was faster
            return target
        allowed = f"a folder with room for a copy of {path}; COTENANT_CACHE names another"
        raise InputError(str(folder.parent), error.strerror, allowed) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)
    return target


def _write(path: Path, source: Source, folder: Path) -> None:
    import onnx  # takes half a second

    from cotenant.graph import file, shapes

    model = onnx.load_model(str(path), format="protobuf", load_external_data=False)
    outside = any(True for _ in file.stored_outside(model))
    shapes.fix(model, source.shapes, "shapes")
    onnx.load_external_data_for_model(model, str(path.parent))
    onnx.save_model(model, str(folder / "model.onnx"), save_as_external_data=outside, location="model.data")
