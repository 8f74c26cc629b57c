"""Passwords: what is kept of them, and whether one is right. The only module that knows Argon2.

Argon2id with RFC 9106's second choice of parameters: 64 MiB and a fifth of a second of a core for a try.
"""

from __future__ import annotations

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12  # characters; NIST SP 800-63B asks for no kinds of characters, and neither does this
LONGEST = 256


class Passwords:
    """Hashes and compares.

    Args:
        hasher: With other costs, for tests that try many.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        # What the password of an account that is not there is compared with, so that it takes as long.
        self._nobodys = self._hasher.hash(secrets.token_hex())

    def hash(self, password: str) -> str:
        """What is kept of it."""
        return self._hasher.hash(_normal(password))

    def matches(self, kept: str | None, password: str) -> bool:
        """Whether it is the right one; takes as long when nothing is kept."""
        try:
            self._hasher.verify(kept or self._nobodys, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was hashed with less than is asked for by now."""
        return self._hasher.check_needs_rehash(kept)


def weakness(password: str, name: str) -> str:
    """Why a password cannot be taken; empty when it can."""
    if len(password) < SHORTEST:
        return f"it has {len(password)} characters, and must have at least {SHORTEST}"
    if len(password) > LONGEST:
        return f"it has more than {LONGEST} characters"
    if len(set(password)) < 4:
        return "it is one character again and again"
    if name and name.casefold() in password.casefold() and len(password) - len(name) < SHORTEST // 2:
        return "it is little more than the name"
    return ""


def _normal(password: str) -> str:
    """The same characters, whichever keyboard has composed them."""
    return unicodedata.normalize("NFKC", password)
