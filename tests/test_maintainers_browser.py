"""A maintainer's morning in a browser: a new post, a dry run, a run, the gate's verdict, and back again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import app
from assistant.accounts.roles import Role
from assistant.state.database import Database
from index.store import Store
from tests.conftest import ROOT
from tests.signed_in import PASSWORD, add_account

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

GRAVE = {"serious", "critical"}
PAGES = ("", "/index", "/quarantine", "/generations", "/runs", "/preview", "/words")


@dataclass
class Shop:
    """A folder of posts, its store, and the server that shows it."""

    posts: Path
    store: Path
    address: str

    def publish(self, name: str, text: str) -> None:
        (self.posts / f"{name}.md").write_text(text, encoding="utf-8")


def post(name: str, place: str) -> str:
    """Long enough for no warning."""
    said = "\n\n".join(
        f"The {name} refers pain to the {place} for {days} days. Press it for a while, and the pain in the "
        f"{place} eases for the rest of the day."
        for days in (2, 3, 5)
    )
    return f"# The {name} and its pain\n\n## Where is pain from the {name} felt?\n\n{said}\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    made = Shop(folder / "posts", folder / "store", "")
    made.posts.mkdir()
    for name, place in (("soleus", "heel"), ("masseter", "jaw"), ("deltoid", "shoulder"), ("psoas", "back")):
        made.publish(name, post(name, place))
    settings = {"MODEL": str(tiny_model), "DATABASE": f"sqlite:///{folder / 'referral.db'}"}
    environment = {f"REFERRAL_{name}": value for name, value in settings.items()}
    at = ["--store", str(made.store)]
    assert CliRunner().invoke(app.cli, ["index", str(made.posts), *at], env=environment).exit_code == 0
    database = Database(settings["DATABASE"])
    database.migrate()
    add_account(database, "mara", Role.MAINTAINER)
    database.close()
    golden = {"id": "jaw", "question": "Where does the masseter refer pain?", "kinds": ["answer", "related"]}
    line = json.dumps({**golden, "article": "masseter"})
    (made.store / "golden.jsonl").write_text(f"{line}\n", encoding="utf-8")
    command = [sys.executable, "app.py", "serve", *at, "--port", "0"]
    everything = {**os.environ, **environment}
    with subprocess.Popen(command, cwd=ROOT, env=everything, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        said = next((one for one in server.stdout if "http://" in one), "")
        found = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert found, "the server ended before it told its address"
        made.address = found[0]
        yield made
        server.terminate()


@pytest.fixture
def page(chromium: Browser, shop: Shop) -> Iterator[Page]:
    """A window in which the maintainer has signed in, by the keyboard; it must complain of nothing."""
    context = chromium.new_context(color_scheme="dark")
    opened, complaints = context.new_page(), []
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    opened.goto(f"{shop.address}/maintain")
    opened.get_by_label("Name").fill("mara")
    opened.get_by_label("Password", exact=True).fill(PASSWORD)
    opened.keyboard.press("Enter")
    opened.get_by_role("heading", name="Overview").wait_for()
    yield opened
    assert complaints == []
    context.close()


def ended(page: Page, told: str) -> None:
    """The job has ended, by what its script puts on the page without a reload of ours."""
    page.get_by_text(told).first.wait_for(timeout=60_000)


def test_a_post_is_planned_served_judged_and_taken_back(page: Page, shop: Shop) -> None:
    store = Store(shop.store)
    before = store.current_name()
    page.get_by_text("Nothing. All is as it should be.").wait_for()
    shop.publish("trapezius", post("trapezius", "neck"))
    page.get_by_role("link", name="Read them again").click()
    page.get_by_role("button", name="Dry run").click()
    ended(page, "What a run would do")
    assert page.get_by_role("cell", name="trapezius").is_visible()
    assert store.current_name() == before

    page.get_by_role("button", name="Do it").click()
    ended(page, "A new generation is served.")
    page.get_by_text("Golden questions answered well: 1 of 1").wait_for()
    after = store.current_name()

    page.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Go back to it").click()
    page.get_by_text("Served now is the generation that you chose.").wait_for()
    assert store.current_name() == before
    page.get_by_role("button", name="Go forward to it").click()
    page.get_by_role("row", name=re.compile(f"served now.*{after}")).wait_for()
    assert store.current_name() == after
    # the running server takes it up by itself
    page.goto(f"{shop.address}/maintain")
    page.wait_for_function(
        "async (name) => (await (await fetch('/maintain')).text()).includes(`<code>${name}</code> <a`)",
        arg=after,
        timeout=30_000,
    )


def test_a_run_that_answers_worse_is_refused_and_says_which_question_fell(page: Page, shop: Shop) -> None:
    store = Store(shop.store)
    before = store.current_name()
    shop.publish("masseter", "# Nothing\n\nThis says nothing of it any more, by some accident.\n")
    page.goto(f"{shop.address}/maintain/index")
    page.get_by_role("button", name="Run", exact=True).click()
    ended(page, "The gate refused it")
    assert "Where does the masseter refer pain?" in page.locator(".fell").inner_text()
    assert store.current_name() == before


@pytest.mark.parametrize("width", [320, 1440])
def test_no_page_breaks_a_rule_that_matters(page: Page, shop: Shop, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 (only this test needs it)

    page.set_viewport_size({"width": width, "height": 800})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        for path in PAGES:
            page.goto(f"{shop.address}/maintain{path}")
            found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
            grave = [f"{one['id']}: {one['nodes'][0]['target']}" for one in found if one["impact"] in GRAVE]
            assert grave == [], path
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), path


def test_without_javascript_a_refresh_shows_how_it_goes(chromium: Browser, shop: Shop) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{shop.address}/maintain/index")
    page.get_by_label("Name").fill("mara")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Dry run").click()
    while page.get_by_text("What a run would do").count() == 0:
        page.reload()
    context.close()
