"""The pages under /maintain."""

from __future__ import annotations

from fastapi import APIRouter

from assistant.maintainers import deciding, keeping, overview, previewing, running, words
from assistant.maintainers.room import HOME, Room
from assistant.maintainers.works import Works
from assistant.pages.office import Office


def router(office: Office, works: Works) -> APIRouter:
    """The routes; each has the maintainers' door."""
    room = Room(office, works)
    routes = APIRouter(prefix=HOME, include_in_schema=False)
    for add in (overview.add, previewing.add, running.add, deciding.add, keeping.add, words.add):
        add(routes, room)
    return routes
