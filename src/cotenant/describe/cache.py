"""Where cotenant keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder: COTENANT_CACHE, else `cotenant` under XDG_CACHE_HOME or ~/.cache; it may not exist yet."""
    if own := os.environ.get("COTENANT_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cotenant"
