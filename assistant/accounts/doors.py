"""The doors of the pages that are not for everybody: who is signed in, and may they come in?"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from assistant.accounts import audit
from assistant.accounts.cookies import Clock, Cookie, Cookies, now
from assistant.accounts.roles import Role
from assistant.accounts.sessions import LONGEST, Sessions, server_key
from assistant.state.database import Database

SESSION = Cookie("referral", int(LONGEST.total_seconds()))
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who is signed in.

    Attributes:
        csrf: What each form that they send must carry, as the field `csrf` or the header X-CSRF-Token.
    """

    account_id: int
    name: str
    role: Role
    csrf: str


class NotSignedInError(Exception):
    """Nobody is signed in.

    Args:
        wanted: The page that was asked for, to be gone to afterwards.
    """

    def __init__(self, wanted: str) -> None:
        super().__init__("Sign in first.")
        self.wanted = wanted

    @property
    def location(self) -> str:
        """Where to sign in."""
        return f"/login?next={quote(self.wanted)}"


class NotAllowedError(Exception):
    """Who is signed in may not do this; the message tells them why.

    Args:
        told: The message.
        who: Who it is.
    """

    def __init__(self, told: str, who: SignedIn) -> None:
        super().__init__(told)
        self.who = who


class Doors:
    """Lets people in; `staff` and `maintainer` are dependencies of FastAPI's routes.

    Args:
        database: Migrated.
        clock: Tells the time.
    """

    def __init__(self, database: Database, clock: Clock = now) -> None:
        self._database = database
        self.cookies = Cookies(server_key(database), clock)
        self.sessions = Sessions(database, clock)

    async def staff(self, request: Request) -> SignedIn:
        """Who of the staff asks for this.

        Raises:
            NotSignedInError: Nobody is signed in.
            NotAllowedError: They are no staff, or the form is not from a page that was made for them.
        """
        return await self._admit(request, Role.STAFF)

    async def maintainer(self, request: Request) -> SignedIn:
        """Which maintainer asks for this; errors as for `staff`."""
        return await self._admit(request, Role.MAINTAINER)

    async def known(self, request: Request) -> SignedIn | None:
        """Whoever is signed in, in any role; for pages that are open to all."""
        return await run_in_threadpool(self._known, request)

    def note(self, who: SignedIn, action: str, about: str = "") -> None:
        """Add a line to the audit.

        Args:
            who: Who did it.
            action: What, in a word or two: "golden added".
            about: To what; never a visitor's words.
        """
        with self._database.begin() as session:
            audit.note(session, who.name, action, about, account_id=who.account_id)

    def let_in(self, request: Request, response: Response, account_id: int) -> None:
        """Sign a browser in, always with a new token; the one that it had ends."""
        self._end(request)
        self.cookies.put(request, response, SESSION, self.sessions.start(account_id))

    def let_out(self, request: Request, response: Response) -> None:
        """Sign a browser out."""
        self._end(request)
        self.cookies.drop(request, response, SESSION)

    def _end(self, request: Request) -> None:
        token = self.cookies.read(request, SESSION)
        if isinstance(token, str):
            self.sessions.end(token)

    def _known(self, request: Request) -> SignedIn | None:
        token = self.cookies.read(request, SESSION)
        account = self.sessions.find(token) if isinstance(token, str) else None
        if account is None:
            return None
        return SignedIn(account.id, account.name, Role(account.role), self.cookies.proof("form", str(token)))

    async def _admit(self, request: Request, needed: Role) -> SignedIn:
        who = await self.known(request)
        if who is None:
            raise NotSignedInError(_wanted(request))
        if not who.role.may(needed):
            await run_in_threadpool(self.note, who, "refused", f"{request.method} {request.url.path}")
            raise NotAllowedError(f"This page is for people with the role “{needed.value}”.", who)
        await self.check_form(request, who)
        return who

    async def check_form(self, request: Request, who: SignedIn) -> None:
        """Refuse a form that another site may have sent.

        Raises:
            NotAllowedError: It has not the token of the session.
        """
        if request.method in _HARMLESS:
            return
        given = request.headers.get("x-csrf-token") or (await request.form()).get("csrf", "")
        if isinstance(given, UploadFile) or not hmac.compare_digest(given.encode(), who.csrf.encode()):
            told = "This form is too old. Go back, load the page again, and send it anew."
            raise NotAllowedError(told, who)


def _wanted(request: Request) -> str:
    """The page to go to after signing in: this one, or what a form belongs to."""
    if request.method in _HARMLESS:
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/" + request.url.path.strip("/").partition("/")[0]
