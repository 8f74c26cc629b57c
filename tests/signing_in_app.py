"""The pages to sign in, and two behind the doors, without an assistant: for tests that need no answers."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, FastAPI, Form

from assistant.accounts import routes
from assistant.accounts.cookies import Clock, now
from assistant.accounts.doors import Doors, SignedIn
from assistant.accounts.openid import OpenId, Provider
from assistant.pages.front import Front
from assistant.pages.headers import SecurityHeaders
from assistant.pages.office import Office, templates
from assistant.state.database import Database


def signing_in_app(database: Database, provider: Provider | None = None, clock: Clock = now) -> FastAPI:
    """Such an application; what is sent to /staff comes back."""
    office = Office(cast(Front, None), database, Doors(database, clock), templates())
    app, behind = FastAPI(), APIRouter()
    staff_only = Depends(office.doors.staff)
    maintainers_only = Depends(office.doors.maintainer)

    @behind.get("/staff")
    def staff(who: Annotated[SignedIn, staff_only]) -> dict[str, str]:
        return {"name": who.name, "csrf": who.csrf}

    @behind.post("/staff")
    def sent(word: Annotated[str, Form()], who: Annotated[SignedIn, staff_only]) -> str:
        return word

    @behind.post("/staff/json")
    def sent_as_json(word: dict[str, str], who: Annotated[SignedIn, staff_only]) -> dict[str, str]:
        return word

    @behind.get("/maintain")
    def maintain(who: Annotated[SignedIn, maintainers_only]) -> str:
        return who.name

    routes.install(app, office)
    app.include_router(routes.router(office, OpenId(provider) if provider else None))
    app.include_router(behind)
    app.add_middleware(SecurityHeaders)
    return app
