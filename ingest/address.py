"""Addresses of pages: without what says nothing about which page it is."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|gclsrc|dclid|msclkid|yclid|mc_[ce]id|_pos|_sid|_ss|_psq|_v|_ke|_kx|srsltid|ref|ref_src|"
    r"igshid|ck_subscriber_id|trk_\w+|_hs\w+|hs\w+|vero_\w+|shpxid|comment|replytocom",
    re.I,
)
_LOCALE = re.compile(r"/[a-z]{2}(?:-[a-z]{2,4})?(?=/.)", re.I)


def clean_url(url: str) -> str:
    """An address without what only tells from where the visitor came."""
    parts = urlsplit(url.strip())
    kept = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0])
    ]
    query = (
        parts.query if len(kept) == len(parse_qsl(parts.query, keep_blank_values=True)) else urlencode(kept)
    )
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def web_address(url: str) -> str:
    """A whole address of the web, cleaned; empty when it is none, such as "/a/b" or "http://["."""
    try:
        parts = urlsplit(url.strip())
        return clean_url(url) if parts.scheme in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""


def without_locale(article_id: str) -> str:
    """An id that is a path, without the language before it and the slash behind it; other ids as they are."""
    if not article_id.startswith("/"):
        return article_id
    found = _LOCALE.match(article_id)
    return article_id[found.end() if found else 0 :].rstrip("/")
