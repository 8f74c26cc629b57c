"""Runs by the clock and on call: what a failure does, which messages are believed, what is counted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading

import pytest
from fastapi.testclient import TestClient

from assistant.pages.webhook import create_webhook, is_signed
from index.errors import StoreError
from index.watching import Watch

SECRET = "a secret that both sides know"
BODY = json.dumps({"id": 1, "title": "A post"}).encode()


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def send(client: TestClient, body: bytes = BODY, **headers: str) -> int:
    named = {f"X-Shopify-{name.replace('_', '-')}": value for name, value in headers.items()}
    return client.post("/webhook", content=body, headers=named).status_code


def test_the_signature_of_shopify_is_believed_and_no_other() -> None:
    assert is_signed(SECRET, BODY, signature(BODY))
    for wrong in ("", "x", "ä", signature(BODY, "another"), signature(BODY + b" ")):
        assert not is_signed(SECRET, BODY, wrong)


def test_a_signed_message_has_a_run_follow_once() -> None:
    calls: list[str] = []
    with TestClient(create_webhook(SECRET, calls.append, lambda: "")) as client:
        headers = {"Topic": "articles/update", "Webhook_Id": "1", "Hmac_Sha256": signature(BODY)}
        assert send(client, **headers) == 202
        assert send(client, **headers) == 202
        assert send(client, **{**headers, "Webhook_Id": "2"}) == 202
        assert calls == ["webhook articles/update"] * 2


@pytest.mark.parametrize("sent", ["", "x", signature(BODY, "another")])
def test_an_unsigned_message_does_nothing(sent: str) -> None:
    calls: list[str] = []
    with TestClient(create_webhook(SECRET, calls.append, lambda: "")) as client:
        assert send(client, Hmac_Sha256=sent) == 401
        # A message that was refused is not remembered: it may come again, signed.
        assert send(client, Webhook_Id="1", Hmac_Sha256=sent) == 401
        assert send(client, Webhook_Id="1", Hmac_Sha256=signature(BODY)) == 202
        assert len(calls) == 1


def test_a_message_that_is_too_long_is_refused() -> None:
    calls: list[str] = []
    long = b"x" * 6_000_000
    with TestClient(create_webhook(SECRET, calls.append, lambda: "")) as client:
        assert send(client, long, Hmac_Sha256=signature(long)) == 413
    assert calls == []


def test_a_topic_cannot_write_lines_of_its_own_into_the_record() -> None:
    calls: list[str] = []
    with TestClient(create_webhook(SECRET, calls.append, lambda: "")) as client:
        assert send(client, Topic="a b<script>", Hmac_Sha256=signature(BODY)) == 202
    assert calls == ["webhook"]


def test_a_failed_run_is_told_and_counted_and_the_next_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = iter(["served", None, "unchanged"])

    def run(_why: str) -> str:
        outcome = next(outcomes)
        if outcome is None:
            raise StoreError("The host does not answer.")
        return outcome

    watch = Watch(run)
    assert [watch.once("test") for _ in range(3)] == [True, False, True]
    assert "The host does not answer." in caplog.text
    lines = watch.metrics().splitlines()
    assert 'referral_runs_total{outcome="failed"} 1' in lines
    assert 'referral_runs_total{outcome="served"} 1' in lines
    assert 'referral_runs_total{outcome="unchanged"} 1' in lines


def test_by_the_clock_the_first_run_is_at_once_and_names_the_schedule() -> None:
    came, why = threading.Event(), []

    def run(reason: str) -> str:
        why.append(reason)
        came.set()
        return "unchanged"

    watch = Watch(run, every=60)
    watch.start()
    assert came.wait(60)
    watch.stop()
    assert why == ["schedule"]


def test_calls_that_come_close_together_are_one_run() -> None:
    came, why = threading.Event(), []

    def run(reason: str) -> str:
        why.append(reason)
        came.set()
        return "unchanged"

    watch = Watch(run)
    watch.start()
    for number in range(10):
        watch.call(f"webhook {number}")
    assert came.wait(60)
    watch.stop()
    assert why == ["webhook 9"]


def test_a_crontab_that_cannot_be_read_is_told() -> None:
    with pytest.raises(StoreError, match="five fields"):
        Watch(lambda _: "unchanged", cron="every day")
