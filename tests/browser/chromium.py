"""A page as Chromium draws it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.pages import Tags

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), None)
DARK = "--blink-settings=preferredColorScheme=0"
NARROW = "--window-size=500,900"
ALWAYS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr")

needs_chromium = pytest.mark.skipif(BROWSER is None, reason=f"needs one of {', '.join(NAMES)}: run scripts/install-browser")


def drawn(folder: Path, html: str, *flags: str) -> tuple[str, list[str]]:
    """Return the page's elements after its scripts ran, and what the browser's console said."""
    assert BROWSER is not None
    page = folder / "page.html"
    page.write_text(html, encoding="utf-8")
    command = [BROWSER, *ALWAYS, f"--user-data-dir={folder}", "--virtual-time-budget=20000", *flags, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def said(dom: str, what: str) -> str | None:
    """Return what a page's script says of its own work, on the body: `ready`, the charts drawn, and `errors`, a JSON list."""
    return next(attributes for tag, attributes in Tags(dom).found if tag == "body").get(f"data-{what}")


def with_script(html: str, script: str) -> str:
    """Return a page that runs one more script, and is free to load whatever it wants."""
    head, _, tail = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html).rpartition("</body>")
    return f"{head}<script>{script}</script></body>{tail}"
