"""What answers and what shows the answers, always over one generation, and replaced at one stroke."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from assistant.api.desk import Desk
from assistant.api.metrics import Metrics
from assistant.assistant import Assistant
from assistant.pages import sample_pages
from assistant.pages.browse import Browsing
from assistant.pages.cards import Cards
from assistant.pages.starters import Onward
from index.errors import UnusableError

_log = logging.getLogger(__name__)

Renew = Callable[[str], Assistant | None]


@dataclass(frozen=True, slots=True)
class Serving:
    """One generation being served; whoever begins an answer with it also ends it with it."""

    assistant: Assistant
    desk: Desk
    cards: Cards
    onward: Onward
    browsing: Browsing


class Front:
    """Holds what is served now.

    Args:
        assistant: What is served first.
    """

    def __init__(self, assistant: Assistant) -> None:
        self.metrics = Metrics()
        self._now = _serving(assistant, self.metrics)

    @property
    def now(self) -> Serving:
        """What is served now: to be asked for once a request."""
        return self._now

    def replace(self, assistant: Assistant) -> None:
        """Serve another generation to every request from now on."""
        self._now = _serving(assistant, self.metrics)
        _log.info("Served now: %s", assistant.generation.name)

    def follow(self, renew: Renew, stop: threading.Event, seconds: float = 1.0) -> None:
        """Replace what is served whenever there is a newer generation, until told to stop.

        Args:
            renew: Given the name of the generation that is served, an assistant over the one that should be,
                or None when it is the same.
            stop: Set by whoever ends this.
            seconds: Between two looks.
        """
        told = ""
        while not stop.wait(seconds):
            try:
                assistant = renew(self._now.assistant.generation.name)
            except UnusableError as error:  # what is served goes on being served
                if str(error) != told:
                    _log.warning("A new generation cannot be served: %s", error)
                told = str(error)
                continue
            if assistant:
                self.replace(assistant)


def _serving(assistant: Assistant, metrics: Metrics) -> Serving:
    hosted = sample_pages.HOSTED if sample_pages.holds_sample(assistant.generation) else None
    cards = Cards(assistant.generation, assistant.country, hosted)
    browsing = Browsing(assistant.generation, hosted)
    return Serving(assistant, Desk(assistant, metrics), cards, Onward(assistant), browsing)
