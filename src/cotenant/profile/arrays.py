"""Arrays as users save them with numpy."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import Final

import numpy as np

from cotenant.describe import Array
from cotenant.errors import InputError

CHUNK_BYTES: Final = 1 << 20
_BROKEN: Final = (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, SyntaxError, TypeError)


def read_arrays(path: str, names: tuple[str, ...]) -> dict[str, Array]:
    """Read the named arrays of an .npz; InputError if the file, or one of them, cannot be had."""
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            missing = [name for name in names if name not in archive.files]
            if missing:
                raise InputError(path, f"arrays: {', '.join(archive.files)}", f"one for each input; missing: {', '.join(missing)}")
            return {name: archive[name] for name in names}
    except OSError as error:
        raise InputError(path, error.strerror or str(error), "an .npz with one array for each input") from error
    except _BROKEN as error:
        raise InputError(path, "not an .npz that can be read", f"an .npz with one array for each input: {', '.join(names)}") from error


def file_digest(path: str) -> bytes:
    """Hash a file's content; InputError if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise InputError(path, error.strerror or str(error), "a file that can be read") from error
    return digest.digest()


def read_array(path: str) -> Array:
    """Read the one array of an .npy; InputError if it cannot be had."""
    try:
        with Path(path).open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except OSError as error:
        raise InputError(path, error.strerror or str(error), "an .npy with one array") from error
    except _BROKEN as error:
        raise InputError(path, "not an .npy that can be read", "an .npy with one array") from error
    if not isinstance(array, np.ndarray):
        raise InputError(path, "several arrays", "an .npy with one array")
    return array
