"""Values that a page's script can read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def plain(value: Any) -> Any:
    """Make lists of tuples, and None of infinity, which JSON cannot hold."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and math.isinf(value) else value


def as_script(told: Mapping[str, Any]) -> str:
    """Write JSON that no HTML parser can take for markup: pure ASCII, without `<`, `>` and `&`; ValueError for a NaN or an infinity."""
    return json.dumps(told, allow_nan=False, separators=(",", ":")).translate(_ESCAPES)
