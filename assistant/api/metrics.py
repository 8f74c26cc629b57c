"""Counters and times for Prometheus: never a word of what was asked or said."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from assistant.answer import Answer

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """What one server counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.pending = Gauge(
            "referral_pending", "Messages being answered or waiting.", registry=self.registry
        )
        self._requests = Counter(
            "referral_requests", "Requests, by route.", ("route", "status"), registry=self.registry
        )
        self._took = Histogram(
            "referral_request_seconds",
            "From a request to its whole response.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._answers = Counter(
            "referral_answers", "Answers, by kind.", ("kind", "notice", "engine"), registry=self.registry
        )
        self._stages = Histogram(
            "referral_answer_seconds",
            "Time in each stage of an answer, and in all.",
            ("stage",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._turned_away = Counter(
            "referral_turned_away", "Requests that were refused.", ("reason",), registry=self.registry
        )
        self._verdicts = Counter(
            "referral_feedback", "Answers found helpful or not.", ("verdict",), registry=self.registry
        )
        self._reasons = Counter(
            "referral_feedback_reasons", "Why.", ("verdict", "reason"), registry=self.registry
        )

    def answered(self, answer: Answer) -> None:
        """Count an answer."""
        notice = answer.notice.level if answer.notice else "none"
        self._answers.labels(answer.kind, notice, answer.engine).inc()
        for stage, seconds in answer.seconds.items():
            self._stages.labels(stage).observe(seconds)

    def turned_away(self, reason: str) -> None:
        """Count a request that was not let in: `busy` or `rate`."""
        self._turned_away.labels(reason).inc()

    def judged(self, verdict: str) -> None:
        """Count a thumb: `yes` or `no`."""
        self._verdicts.labels(verdict).inc()

    def reasoned(self, verdict: str, reason: str) -> None:
        """Count a reason; it is one of a few, never a visitor's words."""
        self._reasons.labels(verdict, reason).inc()

    def served(self, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is one of a few, never an address as it was sent."""
        self._requests.labels(route, str(status)).inc()
        self._took.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)
