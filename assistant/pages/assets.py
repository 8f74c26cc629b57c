"""The files that the pages load, each by an address that changes with its content."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
TITLE = "Ask the articles"
ASSETS = (
    "bodymap.js",
    "chat.css",
    "chat.js",
    "deletion.js",
    "frame.js",
    "icon.svg",
    "judging.js",
    "maintain.css",
    "maintain.js",
    "office.css",
    "staff.css",
    "staff.js",
)


@cache
def address(asset: str) -> str:
    """Where a page at the root finds one of them."""
    return f"pages/{asset}?v={hashlib.sha256((HERE / asset).read_bytes()).hexdigest()[:12]}"
