"""Tokens by which the widget's frame shows that its page came from this server, and not long ago.

One is in the frame's own page, where the page around it cannot read it. It says nothing about who asks. The
key is made when the server starts and is kept nowhere: after a restart frames fetch themselves a new token.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

_VALID = 30 * 60  # seconds


class Sessions:
    """Makes tokens and knows its own.

    Args:
        clock: Seconds since some fixed moment.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._key = secrets.token_bytes(32)
        self._clock = clock

    def issue(self) -> str:
        """A token for one frame."""
        told = f"{int(self._clock()) + _VALID}.{secrets.token_urlsafe(9)}"
        return f"{told}.{self._signature(told)}"

    def accepts(self, token: str) -> bool:
        """Whether it is one of ours and still valid."""
        told, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(told).encode()):
            return False
        return self._clock() < int(told.partition(".")[0])

    def _signature(self, told: str) -> str:
        return hmac.new(self._key, told.encode(), hashlib.sha256).hexdigest()[:32]
