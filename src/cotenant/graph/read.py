"""A network as counted from its file."""

from __future__ import annotations

from pathlib import Path

from cotenant.describe import Model
from cotenant.errors import InputError
from cotenant.graph.cuts import cuts, edges


def read_model(path: Path, name: str, shapes: tuple[tuple[str, tuple[int, ...]], ...] = (), where: str = "model") -> Model:
    """Check an ONNX file and count it; InputError, at `where`, if it cannot be used.

    `shapes` fixes dynamic dimensions, input by input. Layers are the operators but for constants. Constants, and what
    follows from constants alone, are no part of edges and cuts: whoever splits the network repeats them.
    """
    from cotenant.graph import file  # onnx takes half a second to import
    from cotenant.graph import shapes as sizes
    from cotenant.graph.network import Network

    model = file.load(path, where)
    sizes.fix(model, shapes, _shapes_at(where))
    digest = file.digest(model, path, shapes)
    network = Network.of(sizes.infer(model, path, where), path, where)
    if not network.inputs:
        raise InputError(where, str(path), "a model with an input: one without always answers the same")
    return Model(
        name=name,
        digest=digest,
        layers=network.layers(),
        edges=edges(network.reads, network.writes),
        cuts=cuts(network.reads, network.writes, [tensor.name for tensor in network.inputs], network.sizes_bytes()),
        inputs=network.inputs,
        outputs=network.outputs,
        parameters=network.parameters(),
    )


def _shapes_at(where: str) -> str:
    return where.removesuffix("model") + "shapes" if where.endswith("model") else f"{where}.shapes"
