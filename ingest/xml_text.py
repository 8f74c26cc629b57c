"""XML from strangers -> a tree: no entities of its own, nothing from elsewhere, and no deeper than a feed is.

Feeds are often broken XML; what can be read of them is read.
"""

from __future__ import annotations

import codecs
import re
from html.entities import html5
from typing import Any

from lxml import etree

from ingest.problem import UnreadableError

_ENCODING = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([\w.-]+)""", re.I)
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31});")
_NUMBER = re.compile(rb"&#(x[0-9a-f]{1,12}|\d{1,12});", re.I)
_KEPT = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))
_DECLARES = re.compile(rb"<!\s*(?:ENTITY|DOCTYPE[^>]*\[)", re.I)
_CDATA = re.compile(rb"<!\[CDATA\[.*?\]\]>", re.S)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00")
_FIX = "Look at it in a browser, or export it again."


def parse_xml(data: bytes) -> Any:
    """The root element of an XML document.

    Raises:
        UnreadableError: It is no XML, or declares entities: a feed never does, a bomb always.
    """
    data = _as_utf8(data)
    if _DECLARES.search(_CDATA.sub(b"", data)):
        raise UnreadableError("declares entities of its own, which is not safe to read", _FIX)
    data = _NUMBER.sub(_valid_number, _ENTITY.sub(_spelled_out, _CONTROL.sub(b"", data)))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise UnreadableError(f"is not XML ({error})", _FIX) from error
    if root is None:
        raise UnreadableError("is not XML", _FIX)
    return root


def _as_utf8(data: bytes) -> bytes:
    """A document in whatever encoding as valid UTF-8, its declaration taken off."""
    if data.startswith(_WIDE):
        encoding = (
            "utf-16" if data.startswith(_WIDE[:2]) else "utf-16-be" if data[:1] == b"\x00" else "utf-16-le"
        )
    else:
        encoding = _declared(data)
    text = data.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    return re.sub(r"^<\?xml[^>]{0,300}\?>", "", text, count=1).encode("utf-8", "replace").lstrip()


def _declared(data: bytes) -> str:
    """The encoding that a document names and has, or UTF-8."""
    found = _ENCODING.search(data[:300])
    name = found[1].decode("ascii").lower() if found else "utf-8"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        usual = {"iso-8859-1": "windows-1252", "latin1": "windows-1252"}.get(name, name)
        try:
            is_text = codecs.lookup(usual)._is_text_encoding
        except LookupError:
            is_text = False
        return usual if is_text and not usual.startswith(("utf-7", "utf-16", "utf-32")) else "utf-8"
    return "utf-8"


def _spelled_out(found: re.Match[bytes]) -> bytes:
    """`&nbsp;`, which XML does not know but many feeds have, as a number that it knows."""
    if found[1] in _KEPT:
        return found[0]
    characters = html5.get(found[1].decode("ascii") + ";", "")
    return "".join(f"&#{ord(one)};" for one in characters).encode()


def _valid_number(found: re.Match[bytes]) -> bytes:
    """A character given by its number; nothing for half a surrogate pair, which would break the tree."""
    digits = found[1]
    code = int(digits[1:], 16) if digits[:1] in b"xX" else int(digits)
    is_valid = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF
    return found[0] if is_valid else b""


def name_of(element: Any) -> str:
    """An element's name without its namespace or prefix, lower case; empty for what is no element."""
    # Not etree.QName, which raises on the names that broken documents have.
    return re.split("[}:]", element.tag)[-1].lower() if isinstance(element.tag, str) else ""


def space_of(element: Any) -> str:
    """The namespace of an element, or empty."""
    tag = element.tag if isinstance(element.tag, str) else ""
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def text_of(element: Any) -> str:
    """All the text below an element, or that of None."""
    return "" if element is None else "".join(element.itertext()).strip()
