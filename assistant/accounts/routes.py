"""Signing in and out, and what is shown to those who may not come in."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from typing import Annotated
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from assistant.accounts.cookies import Cookie, is_private
from assistant.accounts.doors import NotAllowedError, NotSignedInError
from assistant.accounts.openid import Begun, OpenId, OpenIdError
from assistant.accounts.roles import Role
from assistant.accounts.sign_in import LockedError, Person, SignIn, WrongError
from assistant.api.doorkeeper import network
from assistant.api.problems import problem, request_id
from assistant.pages.office import Office

# Comparing a password takes 64 MiB and a core: two at a time leave the rest to the visitors.
_AT_ONCE, _WAITING = 2, 20
_LONGEST = 300  # characters of a name or a password; no account has longer ones

BEFORE = Cookie("referral-before", 3600)  # beside the form of whoever is not signed in yet
AT_PROVIDER = Cookie("referral-openid", 600)  # while somebody signs in elsewhere
BACK = "/login/openid/back"  # what a provider must be told to send people to
HOMES = {Role.VISITOR: "/", Role.STAFF: "/staff", Role.MAINTAINER: "/maintain"}


@dataclass(frozen=True, slots=True)
class _Told:
    """What a page of the sign-in says, and how."""

    message: str = ""
    status: int = 200
    wait: int = 0


class _SignInPages:
    def __init__(self, office: Office, openid: OpenId | None) -> None:
        self._office = office
        self._openid = openid
        self._sign_in = SignIn(office.database)
        self._limiter = CapacityLimiter(_AT_ONCE)

    def page(self, request: Request, wanted: str, told: _Told, name: str = "") -> HTMLResponse:
        cookies = self._office.doors.cookies
        kept = cookies.read(request, BEFORE)
        token = kept if isinstance(kept, str) else secrets.token_urlsafe(32)
        made = self._office.templates.get_template("login.html").render(
            who=None,
            place="",
            wanted=wanted,
            csrf=cookies.proof("login", token),
            name=name,
            message=told.message,
            private=is_private(request),
            provider=urlsplit(self._openid.provider.issuer).hostname if self._openid else "",
        )
        response = HTMLResponse(made, told.status)
        if told.wait:
            response.headers["Retry-After"] = str(told.wait)
        cookies.put(request, response, BEFORE, token)
        return response

    def comes_from_the_page(self, request: Request, csrf: str) -> bool:
        cookies = self._office.doors.cookies
        kept = cookies.read(request, BEFORE)
        return isinstance(kept, str) and cookies.proves(csrf, "login", kept)

    async def enter(self, request: Request, name: str, password: str, wanted: str) -> Response:
        if self._limiter.statistics().tasks_waiting >= _WAITING:
            told = _Told("Too many people sign in at this moment. Try again in a few seconds.", 503, 5)
            return self.page(request, wanted, told, name)
        try:
            person = await to_thread.run_sync(
                self._sign_in.by_password, name, password, _network(request), limiter=self._limiter
            )
        except WrongError:
            told = _Told("The name or the password is not right.", 403)
            return self.page(request, wanted, told, name)
        except LockedError as error:
            told = _Told(
                f"Too many tries have failed. Try again in {_spoken(error.seconds)}.", 429, error.seconds
            )
            return self.page(request, wanted, told, name)
        return await self._let_in(request, person, wanted)

    async def _let_in(self, request: Request, person: Person, wanted: str) -> Response:
        response = RedirectResponse(_after(wanted, person.role), 303)
        await run_in_threadpool(self._office.doors.let_in, request, response, person.account_id)
        return response

    async def to_provider(self, request: Request, openid: OpenId, wanted: str) -> Response:
        try:
            address, begun = await to_thread.run_sync(
                openid.begin, _back(request), wanted, limiter=self._limiter
            )
        except OpenIdError:
            told = _Told("The place to sign in cannot be reached at this moment. Try again later.", 503, 30)
            return self.page(request, wanted, told)
        response = RedirectResponse(address, 303)
        self._office.doors.cookies.put(request, response, AT_PROVIDER, asdict(begun))
        return response

    async def from_provider(self, request: Request, openid: OpenId) -> Response:
        cookies = self._office.doors.cookies
        kept = cookies.read(request, AT_PROVIDER)
        begun = Begun(**{key: str(value) for key, value in kept.items()}) if isinstance(kept, dict) else None
        told = _Told("Signing in was not finished, or there is no account for you here.", 403)
        if begun is None:
            return self.page(request, "/", told)
        try:
            person = await to_thread.run_sync(
                self._who_came_back,
                openid,
                str(request.url),
                _back(request),
                begun,
                _network(request),
                limiter=self._limiter,
            )
        except WrongError:
            response: Response = self.page(request, begun.wanted, told)
        else:
            response = await self._let_in(request, person, begun.wanted)
        cookies.drop(request, response, AT_PROVIDER)
        return response

    def _who_came_back(self, openid: OpenId, answer: str, back: str, begun: Begun, address: str) -> Person:
        issuer = openid.provider.issuer
        try:
            claimed = openid.finish(answer, back, begun)
        except OpenIdError as error:
            self._sign_in.failed_elsewhere(issuer, str(error), address)
            raise WrongError from error
        return self._sign_in.by_provider(issuer, claimed.subject, claimed.email, address)


def router(office: Office, openid: OpenId | None = None) -> APIRouter:
    """The routes, open to everybody.

    Args:
        office: What pages are made with.
        openid: A provider by which people may sign in too.
    """
    routes = APIRouter(include_in_schema=False)
    pages = _SignInPages(office, openid)
    doors = office.doors

    @routes.get("/login")
    async def form(request: Request, next: str = "/") -> Response:
        who = await doors.known(request)
        if who is not None:
            return RedirectResponse(_after(_here(next), who.role), 303)
        return pages.page(request, _here(next), _Told())

    @routes.post("/login")
    async def sign_in(
        request: Request,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        csrf: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/",
    ) -> Response:
        wanted = _here(next)
        if not is_private(request):
            return pages.page(request, wanted, _Told(status=403))
        if not pages.comes_from_the_page(request, csrf):
            told = _Told("The page was too old, or your browser keeps no cookies. Please try again.", 403)
            return pages.page(request, wanted, told, name[:_LONGEST])
        return await pages.enter(request, name[:_LONGEST], password[:_LONGEST], wanted)

    if openid:

        @routes.get("/login/openid")
        async def elsewhere(request: Request, next: str = "/") -> Response:
            if not is_private(request):
                return pages.page(request, _here(next), _Told(status=403))
            return await pages.to_provider(request, openid, _here(next))

        @routes.get(BACK)
        async def back(request: Request) -> Response:
            return await pages.from_provider(request, openid)

    @routes.post("/logout")
    async def sign_out(request: Request) -> RedirectResponse:
        who = await doors.known(request)
        response = RedirectResponse("/login", 303)
        if who is not None:
            await doors.check_form(request, who)
            await run_in_threadpool(doors.let_out, request, response)
            await run_in_threadpool(doors.note, who, "signed out")
        return response

    return routes


def install(app: FastAPI, office: Office) -> None:
    """Have an application answer whoever may not come in."""

    @app.exception_handler(NotSignedInError)
    async def to_the_login(request: Request, error: NotSignedInError) -> Response:
        # A script's request would take the login page for its answer.
        if request.headers.get("sec-fetch-mode", "navigate") != "navigate":
            return problem(401, "Sign in again: load the page anew.", request_id=request_id(request))
        return RedirectResponse(error.location, 303)

    @app.exception_handler(NotAllowedError)
    async def refused(_: Request, error: NotAllowedError) -> Response:
        page = office.templates.get_template("refused.html")
        return HTMLResponse(page.render(who=error.who, place="", message=str(error)), 403)


def _here(wanted: str) -> str:
    """An address of this server as it is; the root in place of any other, which might be a trap."""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    is_ours = wanted.startswith("/") and not wanted.startswith("//") and not parts.netloc
    return wanted if is_ours and wanted.isprintable() and "\\" not in wanted else "/"


def _after(wanted: str, role: Role) -> str:
    return HOMES[role] if wanted == "/" else wanted


def _back(request: Request) -> str:
    return str(request.base_url).rstrip("/") + BACK


def _network(request: Request) -> str:
    return network(request.client.host) if request.client else ""


def _spoken(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 100 else f"{round(seconds / 60)} minutes"
