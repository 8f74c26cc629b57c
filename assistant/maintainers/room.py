"""What every page of the maintainers is made with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse, RedirectResponse

from assistant.accounts.doors import SignedIn
from assistant.maintainers.jobs import Jobs
from assistant.maintainers.works import Works
from assistant.pages.office import Office
from index.store import Store

HOME = "/maintain"

# What a page says once something was done, by the word in its address.
_SAID = {
    "kept": "What is served stays. You are asked again when the source changes.",
    "seen": "The warning is taken off the list.",
    "restored": "It is let in again, and is served after the next run that finds it.",
    "switched": "Served now is the generation that you chose. The chat takes it up within seconds.",
    "stopping": "It ends at the next step that it can end at, and leaves all as it was.",
}


@dataclass(frozen=True, slots=True)
class Room:
    """Given to each group of pages."""

    office: Office
    works: Works
    jobs: Jobs = field(default_factory=Jobs)

    @property
    def store(self) -> Store:
        """The store that is looked after."""
        return Store(self.works.store)

    def page(
        self, who: SignedIn, name: str, *, status: int = 200, said: str = "", wrong: str = "", **shown: Any
    ) -> HTMLResponse:
        """A page.

        Args:
            who: Who looks at it.
            name: Of its template, maintain_NAME.html, and of its entry in the menu.
            status: Of the response.
            said: Which of the known sentences it says on top.
            wrong: What went wrong, in words.
            shown: What the template needs.
        """
        template = self.office.templates.get_template(f"maintain_{name}.html")
        made = template.render(
            who=who, place="maintain", tab=name, said=_SAID.get(said, ""), wrong=wrong, **shown
        )
        return HTMLResponse(made, status)


def to(path: str, **query: str) -> RedirectResponse:
    """Go on to a page of the maintainers, so that loading it again repeats nothing."""
    return RedirectResponse(f"{HOME}{path}{'?' if query else ''}{urlencode(query)}", 303)
