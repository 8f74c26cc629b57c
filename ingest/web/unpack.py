"""Decompressing what came over the wire, never further than a limit."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from ingest.problem import UnreadableError

_GZIP = b"\x1f\x8b"
_STEP = 1 << 16
_WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def too_large(limit: int) -> UnreadableError:
    """The error for what is larger than anybody's page."""
    return UnreadableError(
        f"is larger than {limit:,} bytes when unpacked", "Leave it out, or give its articles as an export."
    )


def unpack(chunks: Iterable[bytes], encodings: str, limit: int) -> bytes:
    """The body of a response, decompressed piece by piece.

    Args:
        chunks: As they come from the network.
        encodings: The Content-Encoding header.
        limit: The most bytes that may come out.

    Raises:
        UnreadableError: It would be larger, is damaged, or is packed in a way that was not asked for.
    """
    for name in reversed([name.strip().lower() for name in encodings.split(",")]):
        if name in _WBITS:
            chunks = _inflate(chunks, _WBITS[name])
        elif name not in ("", "identity"):
            raise UnreadableError(f"is packed as {name}, which was not asked for", "Try again later.")
    return _joined(chunks, limit)


def gunzip(data: bytes, limit: int) -> bytes:
    """A file's bytes, unpacked when it is a gzip archive.

    Raises:
        UnreadableError: It would be larger than the limit, or is damaged.
    """
    return _joined(_inflate([data], _WBITS["gzip"]), limit) if data.startswith(_GZIP) else data


def _joined(chunks: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def _inflate(chunks: Iterable[bytes], wbits: int) -> Iterator[bytes]:
    """At most _STEP bytes at a time, so that a bomb is noticed while it is small."""
    inflater = zlib.decompressobj(wbits)
    fed = False
    try:
        for chunk in chunks:
            data = chunk
            while data and not inflater.eof:
                fed = True
                yield inflater.decompress(data, _STEP)
                data = inflater.unconsumed_tail
        while not inflater.eof and (rest := inflater.decompress(inflater.unconsumed_tail, _STEP)):
            yield rest
    except zlib.error as error:
        raise UnreadableError("is a damaged gzip archive", "Fetch it again, or write it again.") from error
    if fed and not inflater.eof:
        raise UnreadableError("is a gzip archive that breaks off", "Fetch it again, or write it again.")
