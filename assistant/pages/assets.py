"""The files that the pages load, each by an address that changes with its content."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
TITLE = "Ask the articles"
ASSETS = ("chat.css", "chat.js", "frame.js", "icon.svg")


@cache
def address(asset: str) -> str:
    """Where a page at the root finds one of them."""
    return f"pages/{asset}?v={hashlib.sha256((HERE / asset).read_bytes()).hexdigest()[:12]}"
