"""What every page of the staff is made with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse, RedirectResponse

from assistant.accounts.doors import SignedIn
from assistant.pages.office import Office
from assistant.staff.runs import Runs

HOME = "/staff"

# What a page says once something was done, by the word in its address.
_SAID = {
    "added": "Added. Say here what its answer must be, then keep it.",
    "kept": "Kept.",
    "deleted": "Deleted.",
    "gated": "From now on the store's gate asks these questions before a new generation is served.",
    "cancelled": "The run ends after the question that is being asked.",
    "taken": "Taken in.",
    "gone": "It is not there any more: it has expired, or was deleted.",
}


@dataclass(frozen=True, slots=True)
class Room:
    """Given to each group of pages."""

    office: Office
    runs: Runs

    def page(
        self,
        who: SignedIn,
        place: str,
        template: str,
        *,
        status: int = 200,
        said: str = "",
        wrong: str = "",
        **shown: Any,
    ) -> HTMLResponse:
        """A page.

        Args:
            who: Who looks at it.
            place: Its entry in the menu.
            template: Its name, without the ending.
            status: Of the response.
            said: Which of the known sentences it says on top: it may come from an address.
            wrong: What went wrong, in words.
            shown: What the template needs.
        """
        made = self.office.templates.get_template(f"{template}.html")
        told = _SAID.get(said, "")
        return HTMLResponse(made.render(who=who, place=place, said=told, wrong=wrong, **shown), status)


def to(path: str, **query: str) -> RedirectResponse:
    """Go on to a page of the staff, so that loading it again repeats nothing."""
    return RedirectResponse(f"{HOME}{path}{'?' if query else ''}{urlencode(query)}", 303)
