"""An ONNX file: checked before anything is read from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import onnx
from google.protobuf.message import DecodeError
from onnx import checker, defs

from cotenant.errors import InputError

DOMAINS: Final = ("", "ai.onnx", "ai.onnx.ml")
FIRST_BYTE: Final = b"\x08"
"""The key of `ir_version`, with which every exporter begins a file."""
CHUNK_BYTES: Final = 1 << 20


def load(path: Path, where: str) -> onnx.ModelProto:
    """Parse and check a file, external data left where it is; InputError, at `where`, says what is wrong with it."""
    model = _parse(path, where)
    _external_data_is_there(model, path, where)
    _operators_are_known(model, path, where)
    try:
        checker.check_model(str(path))
    except checker.ValidationError as error:
        raise InputError(where, path, f"a valid ONNX file; {one_line(error)}") from error
    return model


def _parse(path: Path, where: str) -> onnx.ModelProto:
    try:
        with path.open("rb") as file:
            whole = file.read(1) == FIRST_BYTE
        model = onnx.load_model(str(path), format="protobuf", load_external_data=False)
    except DecodeError as error:
        found = "it is truncated or damaged" if whole else "this is none"
        raise InputError(where, path, f"an ONNX file; {found}") from error
    except OSError as error:
        raise InputError(where, path, f"a file that can be read; {error.strerror}") from error
    if not model.graph.node:
        raise InputError(where, path, "an ONNX file with at least one operator; it is empty, truncated, or no ONNX file")
    return model


def one_line(error: Exception) -> str:
    """Return the first line of an error's text."""
    return str(error).strip().partition("\n")[0].strip().rstrip(".:")


def _external_data_is_there(model: onnx.ModelProto, path: Path, where: str) -> None:
    for tensor in stored_outside(model):
        entry = {item.key: item.value for item in tensor.external_data}
        file = path.parent / entry.get("location", "")
        if not file.is_file():
            raise InputError(where, path, f"its external data beside it; {file.name} is missing")
        needed_bytes = int(entry.get("offset", 0)) + int(entry.get("length", 0))
        if file.stat().st_size < needed_bytes:
            raise InputError(where, path, f"all of its external data; {file.name} ends before byte {needed_bytes}")


def stored_outside(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """List the initializers whose data lie in other files."""
    return (t for g in graphs(model.graph) for t in g.initializer if t.data_location == onnx.TensorProto.EXTERNAL)


def graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """List a graph and those within its nodes."""
    yield graph
    for node in graph.node:
        for inner in bodies(node):
            yield from graphs(inner)


def bodies(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """List the graphs that a node runs: branches of an If, bodies of a Loop or a Scan."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def _operators_are_known(model: onnx.ModelProto, path: Path, where: str) -> None:
    versions = {entry.domain: entry.version for entry in model.opset_import}
    newest = defs.onnx_opset_version()
    if versions.get("", 1) > newest:
        raise InputError(where, path, f"operators of ONNX up to opset {newest}; this file asks for opset {versions['']}")
    own = {(function.domain, function.name) for function in model.functions}
    for graph in graphs(model.graph):
        for node in graph.node:
            if (node.domain, node.op_type) not in own and not _is_known(node, versions):
                operator = f"{node.domain}.{node.op_type}".removeprefix(".")
                raise InputError(where, path, f"operators of ONNX up to opset {newest} and of ai.onnx.ml; {operator} is unsupported")


def _is_known(node: onnx.NodeProto, versions: dict[str, int]) -> bool:
    domain = "" if node.domain == "ai.onnx" else node.domain
    version = versions.get(domain) or versions.get("ai.onnx", 1)
    return node.domain in DOMAINS and defs.has(node.op_type, version, domain)


def digest(model: onnx.ModelProto, path: Path, shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> str:
    """Hash the file, its external data and the shapes that were given: SHA-256, in hex."""
    sha = hashlib.sha256()
    locations = {item.value for tensor in stored_outside(model) for item in tensor.external_data if item.key == "location"}
    for file in (path, *(path.parent / location for location in sorted(locations))):
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                sha.update(chunk)
    if shapes:
        sha.update(repr(sorted(shapes)).encode())
    return sha.hexdigest()
