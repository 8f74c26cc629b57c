"""What a person may do."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """The rights of an account; each may do all that the ones before it may."""

    VISITOR = "visitor"
    STAFF = "staff"
    MAINTAINER = "maintainer"

    def may(self, needed: Role) -> bool:
        """Whether this role is enough where another is asked for."""
        order = list(Role)
        return order.index(self) >= order.index(needed)
