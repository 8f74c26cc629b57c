"""The pages under /staff."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter

from assistant.pages.office import Office
from assistant.staff import coverage_page, flag_pages, golden_pages, run_pages, workbench_page
from assistant.staff.room import HOME, Room
from assistant.staff.runs import Runs


def router(office: Office) -> APIRouter:
    """The routes; each has the staff's door."""
    runs = Runs(office.database, office.front)

    @asynccontextmanager
    async def life(_: object) -> AsyncIterator[None]:
        await asyncio.to_thread(runs.recover)
        yield
        await asyncio.to_thread(runs.close)

    room = Room(office, runs)
    routes = APIRouter(prefix=HOME, include_in_schema=False, lifespan=life)
    for add in (workbench_page.add, golden_pages.add, run_pages.add, flag_pages.add, coverage_page.add):
        add(routes, room)
    return routes
