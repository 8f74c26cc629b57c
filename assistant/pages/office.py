"""What the pages of staff and maintainers are made with: one layout, one look, one set of doors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from assistant.accounts.doors import Doors
from assistant.accounts.roles import Role
from assistant.pages import assets
from assistant.pages.front import Front
from assistant.state.database import Database

_ASSISTANT = Path(__file__).parents[1]
_FOLDERS = ("pages", "accounts", "staff", "maintainers")


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the menu.

    Attributes:
        key: What a page names as its `place` to have the entry marked.
        role: Whoever has it or more is shown the entry.
    """

    key: str
    label: str
    path: str
    role: Role


PLACES = (
    Place("workbench", "Workbench", "/staff", Role.STAFF),
    Place("golden", "Golden questions", "/staff/golden", Role.STAFF),
    Place("runs", "Runs", "/staff/runs", Role.STAFF),
    Place("flags", "Flags", "/staff/flags", Role.STAFF),
    Place("coverage", "Coverage", "/staff/coverage", Role.STAFF),
    Place("maintain", "Maintain", "/maintain", Role.MAINTAINER),
)


@dataclass(frozen=True, slots=True)
class Office:
    """Given to each router of pages that are not for everybody.

    Attributes:
        front: Answers questions, with whichever generation is served.
        database: Migrated.
        doors: Who may come in.
        templates: With the folders `templates` of staff and maintainers; a page of theirs extends
            office.html, and is given `who` and `place`.
    """

    front: Front
    database: Database
    doors: Doors
    templates: Environment

    @classmethod
    def of(cls, front: Front, database: Database) -> Office:
        """The office of a server."""
        return cls(front, database, Doors(database), templates())


def templates() -> Environment:
    """The templates of the office's pages; they escape what they are given."""
    made = Environment(
        loader=FileSystemLoader([_ASSISTANT / folder / "templates" for folder in _FOLDERS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["address"] = lambda asset: f"/{assets.address(asset)}"
    made.globals["places"] = lambda role: [one for one in PLACES if role.may(one.role)]
    made.filters["moment"] = _moment
    return made


def _moment(at: datetime) -> str:
    """A moment as a page shows it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
