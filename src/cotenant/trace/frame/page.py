"""The page, put together from the frame and a page's own files."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

from cotenant.trace.frame.embed import as_script


def framed(package: str, name: str, *, title: str, told: Mapping[str, Any]) -> str:
    """Return the HTML; the browser itself is told to load nothing and to run nothing but our two scripts.

    A package's `name`.html has its sections, `name`.css and `name`.js go on where the frame's end. ValueError for a number that is none.
    """
    echarts = _shipped("cotenant.trace", "vendor", "echarts.min.js")
    script = _shipped("cotenant.trace", "frame", "frame.js") + _shipped(package, f"{name}.js")
    return Template(_shipped("cotenant.trace", "frame", "frame.html")).substitute(
        policy=f"default-src 'none'; script-src {_digest(echarts)} {_digest(script)}; style-src 'unsafe-inline'; img-src data:",
        title=title,
        css=_shipped("cotenant.trace", "frame", "frame.css") + _shipped(package, f"{name}.css"),
        sections=_shipped(package, f"{name}.html"),
        told=as_script(told),
        echarts=echarts,
        script=script,
    )


def _shipped(package: str, *parts: str) -> str:
    return files(package).joinpath(*parts).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """Return the source expression that allows exactly this inline script (W3C, Content Security Policy Level 3, 2.3.1)."""
    return f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
