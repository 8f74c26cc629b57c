"""Bytes -> text, without ever inventing characters that the author did not write."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

from ingest.problem import UnreadableError

# UTF-32's little-endian mark begins with UTF-16's, so it is tried first.
_MARKS: Sequence[tuple[bytes, str]] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SIGNATURES: Sequence[tuple[bytes, str]] = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive or office document"),
    (b"\x89PNG", "an image"),
    (b"GIF8", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
)
_DECLARED = re.compile(rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_SAVE_AS_UTF8 = "Save it again as UTF-8."


def decode(data: bytes, *, declared: str = "") -> str:
    """The text of a page or text file.

    A byte order mark decides; then UTF-8 when the bytes are valid UTF-8 (a wrong declaration would garble
    them); then the declared `<meta charset>`; then windows-1252 when that gives mostly plain letters.

    Args:
        data: The bytes.
        declared: The encoding that the host names, or empty; asked after what the page itself says.

    Raises:
        UnreadableError: The bytes are no text, or text in no encoding that can be told.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strict(data, encoding)
    _refuse_binary(data)
    named = _declared_encoding(data) or _codec(declared)
    for name in ("utf-8", named) if not data.isascii() else (named, "utf-8"):
        try:
            if name:
                return data.decode(name)
        except UnicodeDecodeError:
            continue
    return _windows_1252(data)


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"begins as {encoding.upper()} but is damaged at byte {error.start}"
        raise UnreadableError(reason, _SAVE_AS_UTF8) from error


def _refuse_binary(data: bytes) -> None:
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            raise UnreadableError(f"is {name}, not text", "Export it as HTML, Markdown or plain text.")
    if b"\x00" in data:
        raise UnreadableError(
            "is binary, not text", "Remove it, or export it as HTML, Markdown or plain text."
        )


def _declared_encoding(data: bytes) -> str | None:
    found = _DECLARED.search(data[:4096])
    return _codec(found.group(1).decode("ascii")) if found else None


def _codec(name: str) -> str | None:
    """The codec of an encoding's name, as browsers understand it; None when it is not one of pages."""
    name = name.lower()
    # Browsers read these two as windows-1252, and so were the pages written.
    if name in {"iso-8859-1", "latin1", "us-ascii", "ascii"}:
        return "windows-1252"
    try:
        codec = codecs.lookup(name)
    except LookupError:
        return None
    # Python's own transforms (rot13, punycode ...) are no encodings of pages; a page in UTF-16 whose
    # declaration can be read as ASCII is not in UTF-16.
    if not getattr(codec, "_is_text_encoding", True) or codec.name.startswith(("utf-16", "utf-32", "utf-7")):
        return None
    return codec.name


def _windows_1252(data: bytes) -> str:
    wrong = UnreadableError("is in no encoding that can be told", _SAVE_AS_UTF8)
    sequences = len(_MULTIBYTE.findall(data))
    high = sum(byte >= 0x80 for byte in data)
    # Whole UTF-8 sequences outnumber stray bytes: a UTF-8 file with a damaged spot, which windows-1252
    # would turn into garbled letters all over.
    if sequences and sequences * 4 > high:
        position = _first_bad_byte(data)
        raise UnreadableError(f"is UTF-8 but damaged at byte {position}", _SAVE_AS_UTF8)
    try:
        text = data.decode("windows-1252")
    except UnicodeDecodeError as error:
        raise wrong from error
    # English text in windows-1252 is quotes, dashes and a rare accent; other encodings read as
    # windows-1252 are mostly accents.
    if high * 5 > len(data) or len(_CONTROL.findall(text)) * 100 > len(text):
        raise wrong
    return text


def _first_bad_byte(data: bytes) -> int:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return len(data)
