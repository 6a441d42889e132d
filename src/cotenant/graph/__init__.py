"""Networks: ONNX files read and counted, and a zoo."""

from cotenant.graph.prepare import prepare
from cotenant.graph.read import read_model

__all__ = ["prepare", "read_model"]
