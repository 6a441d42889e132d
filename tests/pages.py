"""A page as a browser's parser would see it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

HOSTILE = "<img src=x onerror=alert(1)>"
ENDS_THE_SCRIPT = "</script><script>alert(1)</script><!--<script>"
LOADING = {"src", "srcset", "action"}


class Tags(HTMLParser):
    """Collect every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def embedded(text: str) -> str:
    return text.partition('<script type="application/json" id="told">')[2].partition("</script>")[0]


def told(text: str) -> Any:
    return json.loads(embedded(text))


def outside(text: str) -> list[str]:
    """List what of a page's tags, style and own script points out of the file."""
    tags = Tags(text).found
    style = re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL)[0]
    script = text.rpartition("<script>")[2].replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    return [
        *(f"{tag} {name}" for tag, attributes in tags for name in attributes if name in LOADING),
        *sorted({attributes["href"] or "" for _, attributes in tags if "href" in attributes} - {"data:,", "#main"}),
        *re.findall(r"url\(|@import|@font-face|https?:", style),
        *re.findall(r"https?:", script),
    ]
